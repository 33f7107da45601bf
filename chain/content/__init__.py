"""Content addressing: ids of bytes, files as trees of blocks, archives of them, and the client of a node that keeps them.

`cid`, `varint`, `dag_pb`, `unixfs`, `pin_set` and `car` are pure; `ipfs` speaks with a node.
"""
