"""A tournament: its bracket or its table, the games that are being played, and who stands where."""
