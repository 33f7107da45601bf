"""What makes results and money verifiable by anybody: contracts, escrow, proofs, content ids, node operators, the verifier.

Knows `spaces` and nothing else of ours: a stranger can use it without the arena (`docs/chain.md`).
"""
