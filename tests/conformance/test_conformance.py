"""What every Space promises, whatever it is about.

Nothing here knows a Space by name: a new Space is tested by being registered, with its variants from
`cases.py`. Each session is played once and shared by all checks (`plays.py`); what is costly in each
state is checked in PLACES of them, drawn from all.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from spaces import canonical, registry
from spaces.space import Decision, InvalidObservation, InvalidParams, Observation
from spaces.transcript import read, replay
from spaces.transcript.observations import as_kept
from tests.conformance.cases import CASES, TIDES, case_id
from tests.conformance.plays import Plays
from tests.conformance.rig import AnySpace, Session, play

PROMPT_MAX = 12_000
"""Characters: a small model's context of 8k tokens holds the prompt and its answer."""
PLACES = 150


@pytest.fixture(scope="module", params=CASES, ids=case_id)
def plays(request: pytest.FixtureRequest) -> Iterator[Plays]:
    space, params = request.param
    with pytest.MonkeyPatch.context() as patch:
        if space is TIDES:
            patch.setitem(registry._registered, TIDES.id, TIDES)
        yield Plays(space, params)


def viewers(space: AnySpace) -> list[int | None]:
    return [None, *range(space.seats)]


def frozen(state: Any) -> bytes:
    return msgspec.msgpack.encode(state)


def everything_seen(space: AnySpace, state: Any, viewer: int | None) -> list[Any]:
    seen: list[Any] = [space.observe(state, viewer), space.headline(state), space.render(state)]
    seen += space.notes(state)
    owes = any(decision.seat == viewer for decision in space.decisions(state))
    if viewer is not None and owes:
        seen.append(space.prompt(state, viewer))
    return seen


def same_turn(decisions: tuple[Decision, ...]) -> list[int]:
    return [decision.seat for decision in decisions]


def what_is_open(space: AnySpace, state: Any) -> list[str]:
    found = {
        "decisions": bool(space.decisions(state)),
        "inquiry": space.inquiry(state) is not None,
        "outcome": space.outcome(state) is not None,
    }
    return [name for name, is_open in found.items() if is_open]


def printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


# ------------------------------------------------------------------ how sessions go


def test_random_play_ends_with_returns_that_add_up(plays: Plays) -> None:
    space = plays.space
    for session in plays:
        outcome = session.outcome
        assert outcome is not None
        assert outcome.returns is not None or space.decided_by == "judges"
        if outcome.returns is not None:
            assert len(outcome.returns) == space.seats
            assert all(type(each) is int for each in outcome.returns)
            assert space.returns_sum in (None, sum(outcome.returns))


def test_exactly_one_of_decisions_inquiry_and_outcome(plays: Plays) -> None:
    space = plays.space
    for state, _, _ in plays.states(4 * PLACES):
        assert len(what_is_open(space, state)) == 1
        seats = same_turn(space.decisions(state))
        assert seats == sorted(set(seats))
        assert set(seats) <= set(range(space.seats))
    for session in plays:
        assert what_is_open(space, session.state) == ["outcome"]


def test_equal_seeds_and_actions_give_equal_states(plays: Plays) -> None:
    one, two = (play(plays.space, plays.params, number) for number in (0, 0))
    assert one.states == two.states
    assert one.document() == two.document()


def test_a_state_that_was_passed_in_is_never_changed(plays: Plays) -> None:
    space = plays.space
    for state, streams, rng in plays.states(PLACES):
        before = frozen(state)
        for decision in space.decisions(state):
            action = space.random_action(state, decision.seat, rng)
            space.apply(state, decision.seat, action, streams)
            space.forfeit(state, decision.seat, streams)
            space.prompt(state, decision.seat)
        if space.inquiry(state) is not None:
            space.learn(state, as_kept(space.random_observation(state, rng)), streams)
        for viewer in viewers(space):
            everything_seen(space, state, viewer)
        assert frozen(state) == before


def test_a_sealed_transcript_replays_to_the_same_end(plays: Plays) -> None:
    sessions: Iterator[Session] = itertools.chain(plays, plays.voids())
    for session in sessions:
        replayed = replay(read(session.document()))
        assert replayed.outcome == session.outcome
        assert replayed.state == session.state


# ------------------------------------------------------------------ what is seen


def test_observations_are_json_without_floats(plays: Plays) -> None:
    space = plays.space
    for state, _, _ in plays.states(PLACES):
        for viewer in viewers(space):
            seen = space.observe(state, viewer)
            assert msgspec.json.decode(canonical.encode(seen)) == seen


def test_a_sealed_action_and_its_time_show_to_nobody_else(plays: Plays) -> None:
    space = plays.space
    for state, streams, rng in plays.positions(PLACES):
        decision = rng.choice(space.decisions(state))
        if not decision.sealed or len(space.decisions(state)) == 1:
            continue
        seat = decision.seat
        one, two = (space.random_action(state, seat, rng) for _ in range(2))
        one, two = space.stamp(one, 1), space.stamp(two, decision.time_limit_ms)
        told, untold = (space.apply(state, seat, it, streams) for it in (one, two))
        for viewer in viewers(space):
            if viewer != seat:
                seen = everything_seen(space, told, viewer)
                assert seen == everything_seen(space, untold, viewer)


def test_texts_for_people_and_models_are_bounded_and_plain(plays: Plays) -> None:
    space = plays.space
    for state, _, _ in plays.states(PLACES):
        for decision in space.decisions(state):
            prompt = space.prompt(state, decision.seat)
            assert 0 < len(prompt) <= PROMPT_MAX
            assert printable(prompt)
        assert 0 < len(space.headline(state)) <= 80
        assert "\n" not in space.headline(state)
        assert space.render(state)
        assert printable(space.render(state))


# ------------------------------------------------------------------ decisions and actions


def test_simultaneous_decisions_are_sealed(plays: Plays) -> None:
    space = plays.space
    for state, _, _ in plays.positions(PLACES):
        decisions = space.decisions(state)
        assert len(decisions) < 2 or all(decision.sealed for decision in decisions)
        assert all(decision.time_limit_ms > 0 for decision in decisions)


def test_the_order_of_simultaneous_actions_changes_nothing(plays: Plays) -> None:
    space = plays.space
    for state, streams, rng in plays.positions(PLACES):
        seats = same_turn(space.decisions(state))
        actions = {seat: space.random_action(state, seat, rng) for seat in seats}
        results = set()
        for permutation in itertools.islice(itertools.permutations(seats), 6):
            after = state
            for seat in permutation:
                after = space.apply(after, seat, actions[seat], streams)
            results.add(frozen(after))
        assert len(results) == 1


def test_actions_survive_their_json_form(plays: Plays) -> None:
    space = plays.space
    for state, _, rng in plays.positions(PLACES):
        for decision in space.decisions(state):
            action = space.stamp(space.random_action(state, decision.seat, rng), 1_234)
            body = msgspec.json.decode(canonical.encode(space.encode_action(action)))
            assert space.decode_action(body) == action


def test_a_stamp_replaces_an_older_one_and_is_accepted(plays: Plays) -> None:
    space = plays.space
    for state, streams, rng in plays.positions(PLACES):
        for decision in space.decisions(state):
            action = space.random_action(state, decision.seat, rng)
            late = space.stamp(action, 2 * decision.time_limit_ms + 600_000)
            assert space.stamp(late, 7) == space.stamp(action, 7)
            space.apply(state, decision.seat, late, streams)


def test_an_answer_that_the_arena_takes_passes_the_agents_own_check(plays: Plays) -> None:
    space = plays.space
    for state, _, rng in plays.positions(PLACES):
        for decision in space.decisions(state):
            view = msgspec.json.decode(canonical.encode(space.observe(state, decision.seat)))
            text = space.random_answer(decision.kind, view, decision.seat, rng)
            space.check_answer(decision.kind, text, view, decision.seat)


# ------------------------------------------------------------------ forfeits


def test_a_forfeit_at_any_point_ends_or_advances(plays: Plays) -> None:
    space = plays.space
    for state, streams, _ in plays.positions(PLACES):
        for decision in space.decisions(state):
            after = space.forfeit(state, decision.seat, streams)
            assert after != state
            assert len(what_is_open(space, after)) == 1


def test_all_seats_of_a_turn_may_forfeit_in_any_order(plays: Plays) -> None:
    space = plays.space
    for state, streams, _ in plays.positions(PLACES):
        seats = same_turn(space.decisions(state))
        results = set()
        for permutation in itertools.islice(itertools.permutations(seats), 6):
            after = state
            for seat in permutation:
                after = space.forfeit(after, seat, streams)
            results.add(frozen(after))
        assert len(results) == 1


def test_a_forfeit_of_nothing_is_refused(plays: Plays) -> None:
    space, ended = plays.space, plays.session(1)
    idle = [ended.state, *(state for state, _, _ in plays.inquiries(1))]
    for state, seat in itertools.product(idle, range(space.seats)):
        with pytest.raises(ValueError, match="owes no decision"):
            space.forfeit(state, seat, ended.streams)


# ------------------------------------------------------------------ the oracle and notes


def test_what_the_oracle_is_asked_is_json_with_a_limit(plays: Plays) -> None:
    space = plays.space
    for state, _, _ in plays.inquiries(50):
        inquiry = space.inquiry(state)
        assert inquiry is not None
        assert msgspec.json.decode(canonical.encode(inquiry.ask)) == inquiry.ask
        assert 0 < len(inquiry.kind) <= 64
        assert inquiry.limit_ms > 0
        assert inquiry.delay_ms >= 0


@pytest.mark.parametrize("value", [{}, {"": None}, {"no-such-field": [1, "2", None]}])
def test_an_answer_of_the_oracle_in_another_form_is_refused(
    plays: Plays, value: dict[str, Any]
) -> None:
    for state, streams, _ in plays.inquiries(3):
        with pytest.raises(InvalidObservation):
            plays.space.learn(state, Observation("nowhere", value), streams)


def test_an_answer_that_nobody_asked_for_is_refused(plays: Plays) -> None:
    for state, streams, _ in itertools.islice(plays.positions(1), 1):
        with pytest.raises(InvalidObservation):
            plays.space.learn(state, Observation("nowhere", {}), streams)


def test_notes_only_grow_and_are_json(plays: Plays) -> None:
    space = plays.space
    for number in range(50):
        before: tuple[Any, ...] = ()
        for state in plays.session(number).states:
            notes = space.notes(state)
            assert notes[: len(before)] == before
            for note in notes[len(before) :]:
                assert 0 < len(note.kind) <= 64
                canonical.encode(note.body)
            before = notes


def test_notes_wait_for_the_end_of_the_turn(plays: Plays) -> None:
    """What is told while a seat still owes a sealed answer could tell of another's."""
    space = plays.space
    for state, streams, rng in plays.positions(PLACES):
        decisions = space.decisions(state)
        if len(decisions) > 1:
            seat = decisions[0].seat
            after = space.apply(state, seat, space.random_action(state, seat, rng), streams)
            assert space.notes(after) == space.notes(state)


# ------------------------------------------------------------------ parameters


@pytest.mark.parametrize("raw", [{"no-such-parameter": 1}, {"": None}])
def test_unknown_parameters_are_refused(plays: Plays, raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidParams):
        plays.space.params({**plays.params, **raw})
