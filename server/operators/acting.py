"""Actions on the chain by one key, each done once whatever happens in between, and again under another name where it failed.

A name of the writer's belongs to one call for ever. What was replaced, dropped or failed on chain leaves its name spent; if
the action is still wanted, it gets the next number behind its name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog

from chain.client.contract import Invocation
from chain.client.node import Reverted
from chain.client.nonces import OPEN, Tx

TRIES = 16
"""Numbers behind a name; past them a person has to look."""

_logger = structlog.get_logger()


class Writer(Protocol):
    """`chain.client.txs.TxWriter`, which somebody else runs."""

    @property
    def address(self) -> str: ...
    async def find(self, action: str) -> Tx | None: ...
    async def submit(self, action: str, to: str | None, data: bytes) -> Tx: ...


class Acts:
    """`refused` is called with the name of an action that cannot be done now, and why."""

    def __init__(
        self, writer: Writer, refused: Callable[[str, str], None] = lambda name, why: None
    ) -> None:
        self._writer = writer
        self._refused = refused

    @property
    def address(self) -> str:
        """Whose key it is."""
        return self._writer.address

    async def standing(self, name: str) -> Tx | None:
        """What is open or done under the name; None where nothing is, or what was is spent. Raises what the store raises."""
        return (await self._newest(name))[1]

    async def act(self, name: str, make: Callable[[], Awaitable[Invocation | None]]) -> Tx | None:
        """Have it done, if it is not yet: `make` is asked for the call only then, and says None if there is none after all.

        None where nothing is under way now: the contract would refuse it, or all numbers are spent. Raises OSError, and
        what `make` and the store raise.
        """
        number, standing = await self._newest(name)
        if standing is not None:
            return standing
        if number >= TRIES:
            self._refused(name, f"it has failed {TRIES} times")
            return None
        call = await make()
        if call is None:
            return None
        try:
            return await self._writer.submit(f"{name}:{number}", *call)
        except Reverted as error:
            self._refused(name, error.reason)
            return None

    async def _newest(self, name: str) -> tuple[int, Tx | None]:
        """The first number that is not spent, and what is under it."""
        for number in range(TRIES):
            tx = await self._writer.find(f"{name}:{number}")
            if tx is None or tx.state in OPEN or tx.done:
                return number, tx
        return TRIES, None
