"""Which adapter answers by which name: loading, probing, live, draining, gone. Pure; the clock is an argument, in unix ms.

A name (`<agent>@v<number>-<sha8>`) is bound to an adapter's content for ever. What the server behind us is told is an
alias, of one load of it: an adapter that was put out for others and is wanted again comes under another alias.
"""

from __future__ import annotations

import enum

import msgspec

MAX_GONE = 1_000
"""Routes that are kept to tell why they went."""
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


class State(enum.StrEnum):
    """Where an adapter is on its way; each step leads to the next one, and any but LIVE may end in GONE."""

    LOADING = "loading"
    """The server was told of it and has not said that it has it."""
    PROBING = "probing"
    """It answers, and nobody but the probe is let to it."""
    LIVE = "live"
    """It answers whoever asks for it by its name."""
    DRAINING = "draining"
    """Who asked it before is answered; nobody else is let to it."""
    GONE = "gone"
    """The server may forget it. Its alias never comes back."""


class Route(msgspec.Struct, frozen=True):
    name: str
    alias: str
    state: State
    since_ms: int
    """When it came into this state."""
    used_ms: int
    """When it was last asked or answered."""
    in_flight: int = 0
    reason: str = ""
    """Why it drains or is gone."""
    was_live: bool = False
    """Whether it ever answered; one that is gone without was refused."""


class NotLive(LookupError):
    """Nothing answers by that name now."""

    def __init__(self, name: str, state: State | None, reason: str = "") -> None:
        said = "is not loaded" if state is None else f"is {state}{f': {reason}' if reason else ''}"
        super().__init__(f"{name} {said}")
        self.state = state
        """None: there has been no such route, or it has been forgotten."""


class Full(RuntimeError):
    """There is no room for another adapter, and none that may go."""


class Routes:
    """The routes of one backend. Every transition asserts where it comes from."""

    def __init__(self, capacity: int) -> None:
        """`capacity`: adapters that are not gone, at most."""
        self._capacity = capacity
        self._routes: dict[str, Route] = {}
        """By alias, oldest first. The newest of a name is the one that answers by it."""
        self._by_name: dict[str, str] = {}
        self._last = 0

    def open(self, name: str, now_ms: int) -> Route:
        """The backend is about to be told of it. Raises Full; ValueError where the name is on its way already."""
        known = self.of(name)
        if known is not None and known.state not in (State.DRAINING, State.GONE):
            raise ValueError(f"{name} is {known.state} already")
        if len(self.present()) >= self._capacity:
            raise Full(f"{self._capacity} adapters are loaded, and each is in use")
        # The clock, so that a server that outlives this process never hears an alias twice.
        self._last = max(now_ms, self._last + 1)
        route = Route(name, f"{name}.{_base36(self._last)}", State.LOADING, now_ms, now_ms)
        self._routes[route.alias] = route
        self._by_name[name] = route.alias
        self._forget()
        return route

    def loaded(self, alias: str, now_ms: int) -> Route:
        """The server has it."""
        return self._step(alias, State.PROBING, now_ms, State.LOADING)

    def proved(self, alias: str, now_ms: int) -> Route:
        """The probe has passed: it answers from now on."""
        return self._set(self._step(alias, State.LIVE, now_ms, State.PROBING), was_live=True)

    def failed(self, alias: str, reason: str, now_ms: int) -> Route:
        """It could not be loaded, or is not what it should be: it never answers."""
        return self._step(alias, State.GONE, now_ms, State.LOADING, State.PROBING, reason=reason)

    def drain(self, alias: str, reason: str, now_ms: int) -> Route:
        """Nobody is let to it any more; who waits for its answer gets it."""
        return self._step(alias, State.DRAINING, now_ms, State.LIVE, reason=reason)

    def drained(self) -> list[Route]:
        """Those that drain and owe nobody an answer: to be unloaded, then `ended`."""
        return [
            each for each in self.present() if each.state is State.DRAINING and not each.in_flight
        ]

    def ended(self, alias: str, now_ms: int) -> Route:
        """The server has forgotten it, or never will be asked for it again."""
        assert not self._routes[alias].in_flight, f"{alias} owes an answer"
        return self._step(alias, State.GONE, now_ms, State.DRAINING)

    def take(self, name: str, now_ms: int) -> Route:
        """The route that one request goes by, until it is given back. Raises NotLive."""
        route = self.of(name)
        if route is None:
            raise NotLive(name, None)
        if route.state is not State.LIVE:
            raise NotLive(name, route.state, route.reason)
        return self._set(route, used_ms=now_ms, in_flight=route.in_flight + 1)

    def give_back(self, alias: str, now_ms: int) -> Route:
        """The request has been answered, or its sender has gone."""
        route = self._routes[alias]
        assert route.in_flight > 0, f"{alias} owes nobody an answer"
        return self._set(route, used_ms=now_ms, in_flight=route.in_flight - 1)

    def of(self, name: str) -> Route | None:
        """The newest of a name."""
        alias = self._by_name.get(name)
        return None if alias is None else self._routes[alias]

    def idlest(self) -> Route | None:
        """Whom to drain for another's sake: live, nobody's answer pending, unused for longest. None: each is in use."""
        idle = [
            each
            for each in self._routes.values()
            if each.state is State.LIVE and not each.in_flight
        ]
        return min(idle, key=lambda route: route.used_ms, default=None)

    def longest(self) -> Route | None:
        """Whom to drain where each is in use: live for longest."""
        there = [each for each in self._routes.values() if each.state is State.LIVE]
        return min(there, key=lambda route: route.since_ms, default=None)

    def draining(self) -> list[Route]:
        return [each for each in self._routes.values() if each.state is State.DRAINING]

    def present(self) -> list[Route]:
        """All that are not gone, oldest first."""
        return [each for each in self._routes.values() if each.state is not State.GONE]

    @property
    def room(self) -> int:
        return self._capacity - len(self.present())

    def _step(self, alias: str, to: State, now_ms: int, *sources: State, reason: str = "") -> Route:
        route = self._routes[alias]
        assert route.state in sources, f"{alias} is {route.state}, so it cannot become {to}"
        return self._set(route, state=to, since_ms=now_ms, reason=reason or route.reason)

    def _set(self, route: Route, **changes: object) -> Route:
        self._routes[route.alias] = changed = msgspec.structs.replace(route, **changes)
        return changed

    def _forget(self) -> None:
        gone = [each for each in self._routes.values() if each.state is State.GONE]
        for route in gone[: max(0, len(gone) - MAX_GONE)]:
            del self._routes[route.alias]
            if self._by_name.get(route.name) == route.alias:
                del self._by_name[route.name]


def _base36(number: int) -> str:
    out = ""
    while number:
        number, digit = divmod(number, 36)
        out = _DIGITS[digit] + out
    return out or "0"
