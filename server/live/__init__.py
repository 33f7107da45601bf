"""The live edge in Redis: what is happening right now. Names and lifetimes are all in `keys.py`."""
