"""The outside party's program, put together: an arena's tasks and bytes, a chain, a key, an IPFS node. The rules are `chain.operator`'s.

It is no part of an arena and shares nothing with one but the public API.
"""
