"""The proof of a session on screen: what a verifier finds out about it, as it finds it out."""
