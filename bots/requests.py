"""What was asked of the arena and not answered yet, and when to ask again. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from server.protocol import (
    Abandon,
    Act,
    Confirm,
    Dequeue,
    Enqueue,
    Error,
    Explain,
    Sign,
    Subscribe,
)

ACK_TIMEOUT_MS = 5_000
"""An action without an answer for this long is sent again; the id makes the copy harmless."""
ENQUEUE_REFUSALS = frozenset(
    {
        "already-queued",
        "unknown-space",
        "tier-closed",
        "not-playing",
        "limit-reached",
        "unfunded",
        "no-wallet",
        "not-deposited",
        "limits-missing",
        "limit-entry",
        "limit-day",
        "limit-expired",
        "awaiting-claim",
        "too-few-judges",
    }
)

Lasting = Act | Abandon | Sign
"""What is said again until it is accepted or rejected, also on the next connection."""
Request = Lasting | Subscribe | Enqueue | Dequeue | Confirm | Explain
Key = tuple[str, str]
"""What kind of request, and the name by which the answer (or an error's `ref`) refers to it."""


def key_of(request: Request) -> Key:
    match request:
        case Act(id=name) | Abandon(id=name) | Sign(id=name):
            return "act", name
        case Subscribe(channel=name):
            return "subscribe", name
        case Enqueue(space=space, tier_micros=tier):
            return "enqueue", f"{space}/{tier}"
        case Dequeue(ticket=name):
            return "dequeue", name
        case Confirm(offer=name):
            return "confirm", name
        case Explain(ticket=name):
            return "explain", name


class Requests:
    """Unanswered requests in the order in which they were made."""

    def __init__(self) -> None:
        self._open: dict[Key, Request] = {}
        self._repeat_ms: dict[Key, int] = {}

    def __iter__(self) -> Iterator[Request]:
        return iter(tuple(self._open.values()))

    def add(self, request: Request) -> bool:
        """False when the same is waiting for its answer already."""
        key = key_of(request)
        if key in self._open:
            return False
        self._open[key] = request
        return True

    def answered(self, kind: str, name: str) -> bool:
        """Forget a request; False when it was none of ours, or answered before."""
        self._repeat_ms.pop((kind, name), None)
        return self._open.pop((kind, name), None) is not None

    def sent(self, act: Lasting, now: int) -> None:
        """An action went out: repeat it when no answer comes."""
        self._repeat_ms[key_of(act)] = now + ACK_TIMEOUT_MS

    def repeat(self, keys: Iterable[Key], at_ms: int) -> None:
        for key in keys:
            self._repeat_ms[key] = at_ms

    def due(self, now: int) -> list[Request]:
        """What must be sent again now; each only once per call of `sent` or `repeat`."""
        keys = [key for key, due_ms in self._repeat_ms.items() if due_ms <= now]
        for key in keys:
            del self._repeat_ms[key]
        return [self._open[key] for key in keys if key in self._open]

    def next_due(self) -> int | None:
        return min(self._repeat_ms.values(), default=None)

    def disconnected(self) -> None:
        """Only actions and signatures outlive a connection; the rest was about things that must be looked at anew."""
        self._open = {key: r for key, r in self._open.items() if isinstance(r, Lasting)}
        self._repeat_ms.clear()

    def give_up(self, session: str) -> None:
        """Forget the actions of a session that is over."""
        for key, request in list(self._open.items()):
            if isinstance(request, Act | Abandon) and request.session == session:
                self.answered(*key)

    def meant_by(self, error: Error) -> list[Key]:
        """Which of them an error is about; empty when it does not say and cannot be guessed."""
        if error.ref:
            keys = [k for k in self._open if error.ref in (k[1], k[1].partition("/")[0])]
            if keys:
                return keys
        if error.code in ENQUEUE_REFUSALS:
            return [key for key in self._open if key[0] == "enqueue"]
        return []

    def keys(self) -> list[Key]:
        return list(self._open)
