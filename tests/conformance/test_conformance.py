"""What every registered Space promises, whatever it is about.

Nothing here knows a Space by name: a new Space is tested by being registered, with its variants from
`cases.py`. Every case is played with SEEDS seeds.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from spaces import canonical
from spaces.seed import Streams
from spaces.space import Decision, InvalidParams
from spaces.transcript import read, replay
from tests.conformance.cases import CASES, case_id
from tests.conformance.rig import MAX_TURNS, AnySpace, Dice, play, seed_of

SEEDS = 200
PROMPT_MAX = 12_000
"""Characters: a small model's context of 8k tokens holds the prompt and its answer."""

Case = tuple[AnySpace, dict[str, Any]]


@pytest.fixture(params=CASES, ids=case_id)
def case(request: pytest.FixtureRequest) -> Case:
    chosen: Case = request.param
    return chosen


def positions(case: Case, number: int) -> Iterator[tuple[Any, Streams, random.Random]]:
    """The states of a random session in which some decision is open, forfeits now and then."""
    space, params = case
    rng, streams = random.Random(number), Streams(seed_of(number))
    state = space.initial(space.params(params), streams)
    for _ in range(MAX_TURNS):
        open_now = space.decisions(state)
        if not open_now:
            return
        yield state, streams, rng
        seat = rng.choice(open_now).seat
        if rng.random() < 0.02:
            state = space.forfeit(state, seat, streams)
        else:
            state = space.apply(state, seat, space.random_action(state, seat, rng), streams)
    raise AssertionError("random play does not end")


def viewers(space: AnySpace) -> list[int | None]:
    return [None, *range(space.seats)]


def frozen(state: Any) -> bytes:
    return msgspec.msgpack.encode(state)


def everything_seen(space: AnySpace, state: Any, viewer: int | None) -> list[Any]:
    seen: list[Any] = [space.observe(state, viewer), space.headline(state), space.render(state)]
    owes = any(decision.seat == viewer for decision in space.decisions(state))
    if viewer is not None and owes:
        seen.append(space.prompt(state, viewer))
    return seen


def same_turn(decisions: tuple[Decision, ...]) -> list[int]:
    return [decision.seat for decision in decisions]


def test_random_play_ends_with_returns_that_add_up(case: Case) -> None:
    space, params = case
    for number in range(SEEDS):
        outcome = play(space, params, number).outcome
        assert outcome is not None
        assert outcome.returns is not None or space.decided_by != "rules"
        if outcome.returns is not None:
            assert len(outcome.returns) == space.seats
            assert space.returns_sum in (None, sum(outcome.returns))


def test_decisions_are_empty_exactly_when_there_is_an_outcome(case: Case) -> None:
    space, params = case
    for number in range(SEEDS):
        for state, _, _ in positions(case, number):
            seats = same_turn(space.decisions(state))
            assert space.outcome(state) is None
            assert seats == sorted(set(seats))
        assert space.decisions(play(space, params, number).state) == ()


def test_equal_seeds_and_actions_give_equal_states(case: Case) -> None:
    space, params = case
    for number in range(20):
        assert play(space, params, number).state == play(space, params, number).state


def test_a_state_that_was_passed_in_is_never_changed(case: Case) -> None:
    space, _ = case
    for number in range(20):
        for state, streams, rng in positions(case, number):
            before = frozen(state)
            for decision in space.decisions(state):
                action = space.random_action(state, decision.seat, rng)
                space.apply(state, decision.seat, action, streams)
                space.forfeit(state, decision.seat, streams)
                space.prompt(state, decision.seat)
            for viewer in viewers(space):
                everything_seen(space, state, viewer)
            assert frozen(state) == before


@pytest.mark.parametrize(
    "dice",
    [Dice(), Dice(fault=0.3), Dice(forfeit=0.2), Dice(void=0.1), Dice(0.3, 0.2, 0.05)],
    ids=["clean", "faults", "forfeits", "voids", "all"],
)
def test_a_sealed_transcript_replays_to_the_same_end(case: Case, dice: Dice) -> None:
    space, params = case
    for number in range(SEEDS // 4):
        session = play(space, params, number, dice)
        replayed = replay(read(session.document()))
        assert replayed.outcome == session.outcome
        assert replayed.state == session.state


def test_observations_are_json_without_floats(case: Case) -> None:
    space, params = case
    for number in range(20):
        states = [state for state, _, _ in positions(case, number)]
        for state in [*states, play(space, params, number).state]:
            for viewer in viewers(space):
                seen = space.observe(state, viewer)
                assert msgspec.json.decode(canonical.encode(seen)) == seen


def test_a_sealed_action_shows_to_nobody_else(case: Case) -> None:
    space, _ = case
    for number in range(50):
        for state, streams, rng in positions(case, number):
            decisions = space.decisions(state)
            for decision in decisions:
                if not decision.sealed or len(decisions) == 1:
                    continue
                seat = decision.seat
                one, two = (space.random_action(state, seat, rng) for _ in range(2))
                told, untold = (space.apply(state, seat, it, streams) for it in (one, two))
                for viewer in viewers(space):
                    if viewer != seat:
                        seen = everything_seen(space, told, viewer)
                        assert seen == everything_seen(space, untold, viewer)


def test_simultaneous_decisions_are_sealed(case: Case) -> None:
    space, _ = case
    for number in range(20):
        for state, _, _ in positions(case, number):
            decisions = space.decisions(state)
            assert len(decisions) < 2 or all(decision.sealed for decision in decisions)


def test_the_order_of_simultaneous_actions_changes_nothing(case: Case) -> None:
    space, _ = case
    for number in range(50):
        for state, streams, rng in positions(case, number):
            seats = same_turn(space.decisions(state))
            actions = {seat: space.random_action(state, seat, rng) for seat in seats}
            results = set()
            for permutation in itertools.islice(itertools.permutations(seats), 6):
                after = state
                for seat in permutation:
                    after = space.apply(after, seat, actions[seat], streams)
                results.add(frozen(after))
            assert len(results) == 1


def test_a_forfeit_at_any_point_ends_or_advances(case: Case) -> None:
    space, _ = case
    for number in range(50):
        for state, streams, _ in positions(case, number):
            for decision in space.decisions(state):
                after = space.forfeit(state, decision.seat, streams)
                assert after != state
                assert (space.outcome(after) is None) == bool(space.decisions(after))


def test_all_seats_of_a_turn_may_forfeit_in_any_order(case: Case) -> None:
    space, _ = case
    for number in range(50):
        for state, streams, _ in positions(case, number):
            seats = same_turn(space.decisions(state))
            results = set()
            for permutation in itertools.islice(itertools.permutations(seats), 6):
                after = state
                for seat in permutation:
                    after = space.forfeit(after, seat, streams)
                results.add(frozen(after))
            assert len(results) == 1


def test_a_forfeit_of_nothing_is_refused(case: Case) -> None:
    space, params = case
    ended = play(space, params, 1)
    for seat in range(space.seats):
        with pytest.raises(ValueError, match="owes no decision"):
            space.forfeit(ended.state, seat, ended.streams)


def test_actions_survive_their_json_form(case: Case) -> None:
    space, _ = case
    for number in range(20):
        for state, _, rng in positions(case, number):
            for decision in space.decisions(state):
                action = space.random_action(state, decision.seat, rng)
                body = msgspec.json.decode(canonical.encode(space.encode_action(action)))
                assert space.decode_action(body) == action


def test_texts_for_people_and_models_are_bounded_and_plain(case: Case) -> None:
    space, params = case
    for number in range(20):
        for state, _, _ in positions(case, number):
            for decision in space.decisions(state):
                prompt = space.prompt(state, decision.seat)
                assert 0 < len(prompt) <= PROMPT_MAX
                assert printable(prompt)
            assert 0 < len(space.headline(state)) <= 80
            assert "\n" not in space.headline(state)
            assert printable(space.render(state))
        ended = play(space, params, number).state
        assert 0 < len(space.headline(ended)) <= 80
        assert space.render(ended)


def printable(text: str) -> bool:
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("raw", [{"no-such-parameter": 1}, {"": None}])
def test_unknown_parameters_are_refused(case: Case, raw: dict[str, Any]) -> None:
    space, params = case
    with pytest.raises(InvalidParams):
        space.params({**params, **raw})
