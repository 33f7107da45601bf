"""What an operator says of itself on the chain."""

from __future__ import annotations

import msgspec

from chain.wallet.hands import Hands
from chain.wallet.sent import Done

MAX_ENDPOINT = 128
MAX_PEER_ID = 64


class Registered(msgspec.Struct, frozen=True):
    address: str
    endpoint: str
    peer_id: str
    tx: Done


async def register(hands: Hands, endpoint: str, peer_id: str) -> Registered:
    """Raises FlowRefused, NoContract, OSError."""
    done = await hands.sender.earlier()
    if done is None:
        call = hands.contracts.operators.register(endpoint, peer_id)
        done = await hands.sender.send("registration", call)
    return Registered(hands.address, endpoint, peer_id, done)
