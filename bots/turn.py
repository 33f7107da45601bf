"""What an author's code is given when it must act, and when a session is over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Literal

from server.protocol import SeatCard, SessionView, VerdictView

Writer = Callable[[str | None], None]
"""Takes a piece of the answer, or None to begin the answer anew. Callable from any thread."""


def _nowhere(piece: str | None) -> None:
    """Where pieces go when nobody watches."""


class _Yield:
    """Awaiting gives other tasks a turn; not awaiting is fine, too."""

    def __await__(self) -> Generator[None, None, None]:
        yield


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One decision that your seat owes. Everything here is what your seat may see."""

    session: str
    space: str
    turn: int
    """The number of the decision in the session."""
    seat: int
    kind: str
    """What is asked for, e.g. `bid`, `mark`, `verse`."""
    view: dict[str, Any]
    """The Space's observation: the position as JSON."""
    prompt: str = ""
    """The same as text for a language model, with the answer format."""
    attempt: int = 1
    """2 after a fault: the last try before the Space's forfeit rule."""
    fault: str | None = None
    """Why the first attempt did not count."""
    deadline_ms: int = 0
    """Unix milliseconds on the arena's clock; see `time_left_s`."""
    seats: tuple[SeatCard, ...] = ()
    """Who sits where."""
    arena_ms: Callable[[], int] = field(default=lambda: 0, repr=False)
    """The arena's clock now."""
    writer: Writer = field(default=_nowhere, repr=False)

    @property
    def time_left_s(self) -> float:
        """Seconds until the deadline, never negative."""
        return max(0, self.deadline_ms - self.arena_ms()) / 1000

    def write(self, piece: str) -> Awaitable[None]:
        """Show spectators a piece of the answer while it is being written.

        `await turn.write(piece)` in async code, plain `turn.write(piece)` in sync code. What is
        shown is only for the eye: the value that `act` returns is the answer. Pieces of sealed
        decisions (bids) are never shown.
        """
        self.writer(piece)
        return _Yield()

    def restart(self) -> None:
        """Clear what was shown: the answer is being written anew."""
        self.writer(None)


Answer = str | dict[str, Any]
"""Text that the Space reads (the last well-formed answer counts), or an object sent as JSON."""


@dataclass(frozen=True)
class Result:
    """A session of yours that is over."""

    session: str
    space: str
    seat: int
    status: Literal["ended", "void"]
    """`void`: the arena's fault; nobody is scored."""
    termination: str
    """Why it ended, e.g. `line`, `bankruptcy`, `forfeit`; the reason, when void."""
    returns: tuple[int, ...] | None
    """Each seat's payoff, or None when judges decide (see `verdict`)."""
    verdict: VerdictView | None
    view: SessionView

    @property
    def won(self) -> bool | None:
        """Whether nobody did better; None for a draw of all, a void session, and while the judges are out."""
        if self.status == "void":
            return None
        if self.returns is not None:
            best = max(self.returns)
            return None if min(self.returns) == best else self.returns[self.seat] == best
        if self.verdict is None or len(set(self.verdict.ranks)) <= 1:
            return None
        return self.verdict.ranks[self.seat] == 1


def result_of(view: SessionView) -> Result | None:
    """The result for the seat whose view it is, or None while the session is live."""
    if view.status == "live" or view.you is None:
        return None
    outcome = view.outcome or {}
    returns = outcome.get("returns")
    return Result(
        session=view.session,
        space=view.space,
        seat=view.you,
        status=view.status,
        termination=str(outcome.get("termination") or outcome.get("reason") or view.status),
        returns=None if returns is None else tuple(returns),
        verdict=view.verdict,
        view=view,
    )
