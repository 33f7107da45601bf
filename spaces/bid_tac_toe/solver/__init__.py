"""Bid Tac Toe solved: thresholds of forced results, and equilibria where force is not enough.

`python -m spaces.bid_tac_toe.solver --help` is the command; docs/bid-tac-toe-theory.md the theory.
"""
