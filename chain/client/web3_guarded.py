"""web3, imported with care; only the chain's client may import this, and only when it is used: it takes a second.

For what it does to the interpreter, and why that is undone, see `chain.ethereum`.
"""

from __future__ import annotations

import sys

_limit = sys.getrecursionlimit()

from web3 import AsyncHTTPProvider, AsyncWeb3  # noqa: E402 - between the two lines that keep the limit
from web3.exceptions import (  # noqa: E402
    BlockNotFound,
    ContractLogicError,
    TransactionNotFound,
    Web3Exception,
    Web3RPCError,
)
from web3.types import Nonce  # noqa: E402
from web3.utils.address import get_create_address  # noqa: E402

sys.setrecursionlimit(_limit)

__all__ = [
    "AsyncHTTPProvider",
    "AsyncWeb3",
    "BlockNotFound",
    "ContractLogicError",
    "Nonce",
    "TransactionNotFound",
    "Web3Exception",
    "Web3RPCError",
    "get_create_address",
]
