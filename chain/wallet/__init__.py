"""What an owner does with a wallet on the chain, one function each: deposit, limits, withdrawal, claims, tokens of agents.

A flow looks first, says in words what cannot be (`refusals.py`), sends as few transactions as it can (`sending.py`: never the
same thing twice), and says what has changed. No arena is needed: a node and the deployment's manifest are.
"""
