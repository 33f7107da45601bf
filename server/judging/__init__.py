"""The judge's program, put together: an arena's cases and bytes, a chain, a key, a way of judging. The rules are `judges.node`'s.

It is no part of an arena and shares nothing with one but the public API.
"""
