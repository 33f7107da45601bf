"""The director before arenas of any kind, second by second: what it shows, for how long, and what it never does."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from server.protocol import (
    Event,
    LobbyView,
    SeatCard,
    SessionCard,
    SessionView,
    Snapshot,
    Update,
    VerdictView,
)
from tui_client.director import JOIN_MS, JUDGES_MS, RESULT_MS, STAY_MS, STILL_MS, VERDICT_MS, step
from tui_client.spectated import Spectated
from tui_client.state import State, Tick, ToggleFollow

SEATS = [SeatCard(0, "a", "A", "v1"), SeatCard(1, "b", "B", "v1")]
SECONDS = 240
LONGEST_S = (STAY_MS + JUDGES_MS + VERDICT_MS) // 1_000 + 1
"""On the screen without a break, while there is something else to see; nothing is written in these matches."""


@dataclass(frozen=True)
class Match:
    """One of an arena; all times in seconds."""

    name: str
    space: str
    begins: int
    lasts: int
    every: int
    """How long nothing happens between its events."""
    judged: int | None
    """How long its judges take; None: the rules decide."""
    answers: bool
    """Whether the gateway tells us anything of it."""

    def live(self, now: int) -> bool:
        return self.begins <= now < self.begins + self.lasts

    def card(self) -> SessionCard:
        return SessionCard(self.name, self.space, SEATS, "", self.begins * 1_000)

    def view(self, now: int) -> SessionView:
        ended = now >= self.begins + self.lasts
        returns = None if self.judged is not None else [1, -1]
        verdict = None
        if ended and self.judged is not None and now >= self.begins + self.lasts + self.judged:
            verdict = VerdictView("r", [], [1, 2], [1, 2])
        return SessionView(
            self.name,
            self.space,
            "r",
            "ended" if ended else "live",
            self.begins * 1_000,
            SEATS,
            {},
            "",
            outcome={"termination": "over", "returns": returns} if ended else None,
            verdict=verdict,
        )

    def happens(self, now: int) -> bool:
        over = now - self.begins - self.lasts
        return (now - self.begins) % self.every == 0 if over < 0 else over in (0, self.judged)


@st.composite
def arenas(draw: st.DrawFn) -> list[Match]:
    seconds = st.integers(0, SECONDS)
    return [
        Match(
            name=f"m{number}",
            space=draw(st.sampled_from(["rap-battle", "bid-tac-toe", "logic"])),
            begins=draw(seconds),
            lasts=draw(st.integers(1, SECONDS)),
            every=draw(st.integers(1, 60)),
            judged=draw(st.none() | st.integers(1, 90)),
            answers=draw(st.sampled_from([True, True, True, False])),
        )
        for number in range(draw(st.integers(1, 8)))
    ]


def shown(arena: list[Match]) -> list[str]:
    """What is on the screen at the end of each second; empty: the lobby."""
    state, found = step(State(), ToggleFollow()), []
    for now in range(SECONDS):
        live = [match.card() for match in arena if match.live(now)]
        state = step(state, Tick(now * 1_000))
        state = step(state, Snapshot("lobby", "e", now, LobbyView(live, [], [], len(live))))
        for message in told(arena, state.spectated, now):
            state = step(state, message)
        found.append(state.spectated.session if state.spectated else "")
    return found


def told(arena: list[Match], spectated: Spectated | None, now: int) -> Iterator[Snapshot | Update]:
    """What the gateway sends in this second to who watches."""
    match = next((each for each in arena if spectated and each.name == spectated.session), None)
    if match is None or spectated is None or not match.answers:
        return
    channel, place = f"session:{match.name}", spectated.place.position
    if place is None:
        yield Snapshot(channel, "e", 1, match.view(now))
    elif match.happens(now):
        offset = place.offset + 1
        yield Update(channel, "e", offset, [Event(offset, now, "action")], match.view(now))


def runs(screen: list[str]) -> list[tuple[str, int, int]]:
    """(match, first second, how many) of what was shown without a break, but for the lobby."""
    found, at = [], 0
    for name, seconds in itertools.groupby(screen):
        count = len(list(seconds))
        found += [(name, at, count)] if name else []
        at += count
    return found


@settings(max_examples=150)
@given(arenas())
def test_nothing_stays_while_other_matches_come_and_go(arena: list[Match]) -> None:
    for name, first, count in runs(shown(arena)):
        waited = 0
        for now in range(first, first + count):
            others = [each for each in arena if each.name != name and each.answers]
            waited = waited + 1 if any(other.live(now) for other in others) else 0
            assert waited <= LONGEST_S


@settings(max_examples=150)
@given(arenas())
def test_it_neither_flickers_nor_misses_a_result(arena: list[Match]) -> None:
    by_name = {match.name: match for match in arena}
    found = runs(shown(arena))
    for name, first, _ in found:
        # as far as the lobby had told by then, which may be a second old
        assert by_name[name].live(first) or by_name[name].live(first - 1)
    for name, first, count in found[:-1]:
        match, left = by_name[name], first + count
        assert count * 1_000 >= min(JOIN_MS, RESULT_MS, STILL_MS)
        since_end = left - match.begins - match.lasts
        assert since_end <= 0 or not match.answers or since_end * 1_000 >= RESULT_MS


@given(st.integers(2, 5), st.sampled_from([1, 60]))
def test_everything_has_its_turn(count: int, every: int) -> None:
    arena = [Match(f"m{n}", "rap-battle", 0, SECONDS, every, None, True) for n in range(count)]
    shown_first = runs(shown(arena))[:count]
    assert sorted(name for name, _, _ in shown_first) == sorted(match.name for match in arena)
