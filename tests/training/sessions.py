"""Transcripts for the tests of training: played at random by the conformance suite's host."""

from __future__ import annotations

from functools import cache
from typing import Any

from chain.content import cid
from spaces import registry
from tests.conformance.rig import Dice, Session, play


@cache
def bidding(number: int, chips: int = 20) -> bytes:
    """A random session of Bid Tac Toe, without faults."""
    return played("bid-tac-toe", number, {"chips": chips}).document()


def played(
    space: str, number: int, params: dict[str, Any] | None = None, dice: Dice | None = None
) -> Session:
    return play(registry.get(space), params or {}, number, dice)


def cid_of(document: bytes) -> str:
    return str(cid.of(document))
