"""Which agent a bot plays: a key that was given, one that is kept, or a newly registered agent."""

from __future__ import annotations

import os
from pathlib import Path

from bots.api import Api
from bots.journal import Say, plain
from bots.keys import KEY_VARIABLE, Keys


class SignIn:
    """Finds the key of one name at one arena. The key is kept out of every message."""

    def __init__(
        self,
        api: Api,
        name: str,
        *,
        key: str | None = None,
        keys_file: Path | None = None,
        say: Say,
        own: bool = False,
    ) -> None:
        """`own`: AGON_API_KEY is another's, as for a runner that plays many agents."""
        self._api = api
        self._name = name
        self._given = key or (None if own else os.environ.get(KEY_VARIABLE)) or None
        self._keys = Keys(keys_file)
        self._say = say

    async def key(self) -> str:
        """The key to say hello with; registers an agent when there is none.

        Raises BotError: ArenaUnreachable when trying again later may help.
        """
        if self._given is not None:
            return self._given
        known = self._keys.find(self._api.url, self._name)
        if known is None:
            known = await self._api.register(self._name)
            self._keys.keep(self._api.url, self._name, known)
            self._say(f"registered {plain(self._name)!r}; its key is in {self._keys.path}")
        return known.key

    def refused(self, key: str) -> bool:
        """The arena does not know `key`. True when it was a kept one: it is forgotten, so that the
        next `key` registers anew (an arena that was set up afresh has forgotten its agents)."""
        if self._given is not None:
            return False
        self._keys.forget(self._api.url, self._name, key)
        self._say("the arena no longer knows the kept key; registering again")
        return True
