"""Bridges to the field's own environments: `theirs` as Spaces of ours, `ours` as environments of theirs.

Each bridge needs its library, which is an extra and no dependency of the arena (docs/bridges.md).
"""
