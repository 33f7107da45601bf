"""The rap battle: the verses as they are written, and the verdict."""
