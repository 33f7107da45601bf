"""What holds for every session, whatever is sent, in every Space."""

from __future__ import annotations

import random
from collections.abc import Iterator
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.match import document, visible
from server.protocol import Event
from spaces import registry, transcript
from tests.conformance.tides import Tides
from tests.server.match_table import RETRY_MS, Table, random_answer, record_of

SPACES = st.sampled_from([space.id for space in (*registry.all_spaces(), Tides())])
SEEDS = st.integers(0, 2**64).map(lambda number: sha256(str(number).encode()).digest())
"""Random bytes, so that what looks like a seed in a view is one."""
NOISE = ("", "bid: 100000", "cell: 11", '{"bid": -1}', "???", "x" * 5_000, "\x1b[2J", "bid: 1\x00")


@pytest.fixture(scope="module", autouse=True)
def tides() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry._registered, Tides.id, Tides())
        yield


def played(space: str, seed: bytes, chance: int) -> Table:
    """A session of legal answers, noise, silence, copies, takeovers and doubles."""
    rng = random.Random(chance)
    table = Table(record_of(space, seed=seed))
    while not table.match.finished:
        roll = rng.random()
        if table.match.inquiry is not None and roll < 0.80:
            table.hear(seed=rng.randrange(1_000))
        elif table.match.inquiry is None and roll < 0.70:
            seat, text = random_answer(table.match, rng)
            table.act(seat, text)
        elif roll < 0.80:
            table.act(
                rng.randrange(-1, len(table.record.seats) + 1),
                rng.choice(NOISE),
                turn=table.match.turn,
            )
        elif roll < 0.85:
            table.act(rng.randrange(2), "bid: 1", turn=rng.randrange(4))
        elif roll < 0.90:
            table.wait(rng.choice((1, 5_000, 30_000, 60_000)))
        elif roll < 0.95:
            table.match = table.restored()
            table.match.takeover(table.now)
            table.collect()
        else:
            table.match = table.restored()
        table.now += rng.randrange(500)
        table.match.take_replies()
    return table


@settings(max_examples=60, deadline=None)
@given(space=SPACES, seed=SEEDS, chance=st.integers(0, 2**32))
def test_every_session_can_be_replayed_and_restored(space: str, seed: bytes, chance: int) -> None:
    table = played(space, seed, chance)
    sealed = transcript.read(document(table.record, table.log))
    replayed = transcript.replay(sealed)
    assert replayed.outcome.termination == table.match.outcome.get("termination", "void")
    if table.match.status == "ended":
        assert replayed.state == table.match.state
    assert table.restored().views() == table.match.views()
    assert document(table.record, table.log) == document(table.record, table.log)


@settings(max_examples=40, deadline=None)
@given(seed=SEEDS, chance=st.integers(0, 2**32))
def test_after_any_prefix_the_log_restores_the_same_match(seed: bytes, chance: int) -> None:
    rng = random.Random(chance)
    table = Table(record_of(seed=seed))
    while not table.match.finished:
        seat, text = random_answer(table.match, rng)
        table.act(seat, text if rng.random() < 0.9 else "hm")
        other = table.restored()
        assert other.views() == table.match.views()
        assert other.next_deadline() == table.match.next_deadline()


@settings(max_examples=60, deadline=None)
@given(
    seed=SEEDS,
    bids=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    first=st.sampled_from((0, 1)),
)
def test_a_hidden_bid_changes_nothing_that_others_see(
    seed: bytes, bids: tuple[int, int], first: int
) -> None:
    """Two sessions that differ in one hidden bid look the same to everybody else."""
    seen = []
    for bid in bids:
        table = Table(record_of(seed=seed))
        table.act(first, f"bid: {bid}", act="a")
        others = (None, 1 - first)
        seen.append(
            [
                ([visible(e, i, viewer) for i, e in enumerate(table.log)], table.view(viewer))
                for viewer in others
            ]
        )
    assert seen[0] == seen[1]


@settings(max_examples=60, deadline=None)
@given(space=SPACES, seed=SEEDS, chance=st.integers(0, 2**32))
def test_nothing_of_another_seat_leaks(space: str, seed: bytes, chance: int) -> None:
    table = played(space, seed, chance)
    for viewer in (None, *range(len(table.record.seats))):
        for offset, event in enumerate(table.log):
            seen: Event = visible(event, offset, viewer)
            assert seen.offset == offset
            if event.secret_to in (None, viewer):
                assert seen.body == event.body
            else:
                assert seen.type == "sealed"
                assert set(seen.body) == {"turn", "seat"}
        view = table.view(viewer)
        assert view.you == viewer
        assert table.record.seed.hex() not in str(view)


@settings(max_examples=30, deadline=None)
@given(space=SPACES, seed=SEEDS)
def test_silence_ends_every_session(space: str, seed: bytes) -> None:
    """Of the seats: where an oracle is asked, it answers."""
    table = Table(record_of(space, seed=seed))
    waited_ms = 0
    for _ in range(400):
        if table.match.finished:
            break
        if table.match.inquiry is not None:
            table.hear()
            continue
        deadline = table.match.next_deadline()
        assert deadline is not None, "a live session always has a deadline"
        waited_ms += max(0, deadline - table.now)
        table.wait(max(0, deadline - table.now))
    assert table.match.status == "ended"
    assert waited_ms < 200 * (60_000 + RETRY_MS)
    transcript.replay(transcript.read(document(table.record, table.log)))
