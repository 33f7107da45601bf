"""Actions on the chain by one key, each done once whatever happens in between; what failed on chain is done under another name."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from chain.client.contract import Invocation
from chain.client.node import Reverted
from chain.client.nonces import Tx
from server.settlement import actions


class Writer(actions.Writer, Protocol):
    """`chain.client.txs.TxWriter`, which somebody else runs."""

    @property
    def address(self) -> str: ...


class Acts:
    """`refused` is called with the name of an action that the contract does not take now, and why."""

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
        """What is under way or done under the name; None where nothing is, or what was will never do it. Raises what the store
        raises."""
        found = await actions.attempts(self._writer, name)
        return found.last if found.under_way or found.done else None

    async def act(self, name: str, make: Callable[[], Awaitable[Invocation | None]]) -> Tx | None:
        """Have it done, if it is not yet: `make` is asked for the call only then, and says None if there is none after all.

        None where nothing is under way now: the contract would refuse it. Raises OSError, and what `make` and the store raise.
        """
        found = await actions.attempts(self._writer, name)
        if found.under_way or found.done:
            return found.last
        call = await make()
        if call is None:
            return None
        try:
            return await self._writer.submit(found.following, *call)
        except Reverted as error:
            self._refused(name, error.reason)
            return None
