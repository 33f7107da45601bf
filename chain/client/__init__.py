"""The chain as we use it: a node asked over JSON-RPC, contracts deployed and called, transactions that are sent once, logs read once.

`rpc.py` asks a node; `contract.py` speaks a contract's ABI; `deployment.py` deploys and remembers where. `fees.py` and
`nonces.py` are the pure rules of the transaction writer, `txs.py` is the writer, `index.py` reads logs. Whoever keeps
their rows (`TxStore`, `LogStore`) is handed in.
"""
