"""Bid Tac Toe: the grid, the money, the auction, the log."""
