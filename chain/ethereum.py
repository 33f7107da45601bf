"""eth-account and web3, imported with care; nothing else of ours may import either directly (import-linter holds it).

One of its dependencies (py_ecc) raises the interpreter's recursion limit to 100,000 as soon as it is imported. At
that depth a hostile document of brackets overflows the C stack and kills the process, where Python's own limit gives
an error. So the limit is put back.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()

from eth_account import Account  # noqa: E402 - between the two lines that keep the limit
from eth_account.messages import (  # noqa: E402
    defunct_hash_message,
    encode_defunct,
    encode_typed_data,
)
from eth_account.signers.local import LocalAccount  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = [
    "Account",
    "LocalAccount",
    "defunct_hash_message",
    "encode_defunct",
    "encode_typed_data",
]
