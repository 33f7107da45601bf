"""The pure rules of every contest: no I/O, no clock, stdlib and msgspec only."""
