"""Where a judge's messages go: to the arena's clerk, or to the chain where a hearing is done there."""

from __future__ import annotations

from judges.node.duty import Told
from judges.node.journal import Sealed
from judges.node.node import Ear
from server.judging.arena import Arena
from server.judging.hand import Hand, commit_message, reveal_message


class ClerksEar:
    """See `judges.node.node.Ear`."""

    def __init__(self, arena: Arena, hand: Hand) -> None:
        self._arena = arena
        self._hand = hand

    async def commit(self, told: Told, sealed: Sealed) -> None:
        await self._arena.say(told.session, commit_message(sealed))

    async def reveal(self, told: Told, sealed: Sealed) -> None:
        message = reveal_message(sealed, self._hand.reveals(sealed))
        await self._arena.say(told.session, message)


class Ears:
    """Each hearing's own."""

    def __init__(self, clerk: Ear, chain: Ear) -> None:
        self._clerk = clerk
        self._chain = chain

    async def commit(self, told: Told, sealed: Sealed) -> None:
        await (self._chain if told.forced else self._clerk).commit(told, sealed)

    async def reveal(self, told: Told, sealed: Sealed) -> None:
        await (self._chain if told.forced else self._clerk).reveal(told, sealed)
