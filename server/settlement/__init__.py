"""Where the ledger meets the chain: deposits come in, withdrawals go out, each confirmed from outside.

`seam.py` is what a chain must offer, `simulated.py` stands in for one and says so, `border.py` carries its
word into the ledger.
"""
