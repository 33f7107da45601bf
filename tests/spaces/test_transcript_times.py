"""Times in a transcript that contradict each other: where time decides, none of them replays."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec
import pytest

from spaces import registry
from spaces.transcript import Draft, TranscriptError, order, read, replay, seal
from tests.conformance.rig import OPENED_MS, SESSION, Dice, Session, play
from tests.conformance.tides import Tides
from tests.spaces.test_transcript import find

Retime = Callable[[list[Draft]], None]


@pytest.fixture(autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


def a_session() -> Session:
    """Entries: 0 open, 1 note, 2 oracle, 3 note, 4-6 guesses, 7 reveal, 8 note, 9 oracle, 10 note,
    11 end."""
    return play(Tides(), {"rounds": 1}, 1)


def retimed(session: Session, retime: Retime, last_ms: int | None = None) -> bytes:
    entries = order(session.log)
    retime(entries)
    return seal(
        session=SESSION,
        space=session.space.id,
        rules=session.space.rules,
        params=session.params,
        opened_ms=OPENED_MS,
        sealed_ms=OPENED_MS + (session.clock_ms if last_ms is None else last_ms),
        seats=session.seats,
        seed=session.seed,
        entries=entries,
        outcome=session.outcome,
    )


def at(where: int, t: int) -> Retime:
    def retime(entries: list[Draft]) -> None:
        entries[where] = msgspec.structs.replace(entries[where], t=t)

    return retime


def hasty(entries: list[Draft]) -> None:
    """Seat 0's guess is said to have taken longer than its turn had lasted."""
    i = find(entries, "action")
    before = entries[find(entries, "note", nth=1)]
    body = entries[i].body
    entries[i] = msgspec.structs.replace(entries[i], t=before.t + body["elapsed_ms"] - 1)


def test_times_as_they_were_replay() -> None:
    for number in range(30):
        session = play(Tides(), {}, number, Dice(fault=0.3, forfeit=0.1, void=0.02))
        replay(read(retimed(session, lambda entries: None)))


@pytest.mark.parametrize(
    ("retime", "fact"),
    [
        (at(3, 8), "entry 3: at 8 ms, after an entry at"),
        (at(8, 0), "entry 8: at 0 ms, after an entry at"),
        (at(11, 0), "entry 11: at 0 ms, after an entry at"),
        (at(7, 40), r"entry 7: at 40 ms, but it reveals an action of \d+ ms"),
        (at(4, 0), r"entry 4: an action at 0 ms of a turn from \d+ ms on"),
        (at(4, 10**9), "entry 4: at 1000000000 ms, sealed at"),
        (hasty, r"entry 4: elapsed_ms \d+ within \d+ ms of its turn"),
    ],
)
def test_times_that_contradict_each_other_do_not(retime: Retime, fact: str) -> None:
    with pytest.raises(TranscriptError, match=fact):
        replay(read(retimed(a_session(), retime)))


def test_nothing_is_later_than_the_seal() -> None:
    session = a_session()
    with pytest.raises(TranscriptError, match=f"entry 11: at {session.clock_ms} ms, sealed at"):
        replay(read(retimed(session, lambda entries: None, session.clock_ms - 1)))


def test_a_public_action_stands_at_its_time() -> None:
    session = play(registry.get("rap-battle"), {}, 1)
    assert [draft.type for draft, _ in session.log[:5]].count("action") >= 1
    second = find(order(session.log), "action", nth=1)
    with pytest.raises(TranscriptError, match=f"entry {second}: an action at 0 ms of a turn"):
        replay(read(retimed(session, at(second, 0))))


def test_an_action_after_its_answer_was_known_does_not_replay() -> None:
    """A host that answers for itself, once a live value is public."""
    params = {"feed": "live", "series": "BTC/USDT", "questions": 1}
    session = play(registry.get("prediction"), params, 3)
    known = session.state.rounds[0].asked.after_ms + 180_000 - OPENED_MS
    last = find(order(session.log), "action", nth=4)

    def late(by_ms: int) -> Retime:
        def retime(entries: list[Draft]) -> None:
            for i in range(last, len(entries)):
                at(i, known + by_ms)(entries)

        return retime

    replay(read(retimed(session, late(0), known + 1)))
    with pytest.raises(TranscriptError, match=f"entry {last}: .* when its answer was known"):
        replay(read(retimed(session, late(1), known + 1)))
