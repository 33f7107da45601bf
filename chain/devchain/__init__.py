"""The embedded chain: py-evm behind JSON-RPC over HTTP, so that several processes share it.

For development, tests and arenas without a chain of their own. It keeps no secret and proves nothing to anybody: its
accounts have keys that everybody knows, and whoever reaches it may set its clock. `evm.py` runs blocks, `disk.py` keeps
them, `pool.py` says which transactions wait, `node.py` is the chain, `methods.py` its JSON-RPC, `server.py` serves it.
"""
