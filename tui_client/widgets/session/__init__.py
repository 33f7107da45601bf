"""What every session has: a title, what just happened, a plain view for Spaces without their own."""
