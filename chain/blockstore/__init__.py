"""The embedded content store: what an arena without an IPFS node of its own pins its transcripts in.

It speaks the part of Kubo's RPC that `aioipfs` and `chain.content.ipfs` use, gives the ids that Kubo gives, and keeps its
blocks in one SQLite file: several processes share it, and what it has answered survives its being killed. It is no node
of a network: nobody fetches from it but over its loopback port, and what is not there is not there.

    python -m chain.blockstore FOLDER PORT MAX_BYTES

serves until a signal comes. The folder belongs to its user alone; `FOLDER/token` holds the password (`access`).
"""
