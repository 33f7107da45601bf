"""The lobby: what is live, who waits, what just ended, who leads."""
