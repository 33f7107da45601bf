"""What every Space promises, whatever it is about.

Nothing here knows a Space by name: a new Space is tested by being registered, with its variants from
`cases.py`. Every case is played with FEW seeds by `make test` and with MANY by `make test-slow`, and each
session is shared by all checks (`plays.py`): how sessions go is checked in every state of them all, what is
costly in each state in as many of them as there are seeds, drawn from all of the kind.

The checks are run by `test_conformance_1.py` and its fellows, a share of the cases each, so that
several processes can take a file each.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from spaces import canonical, registry
from spaces.space import Decision, InvalidObservation, InvalidParams, Observation
from spaces.transcript import read, replay
from spaces.transcript.observations import as_kept
from tests.conformance.cases import Case, case_id
from tests.conformance.plays import FEW, MANY, Place, Plays, what_is_open
from tests.conformance.rig import AnySpace

PROMPT_MAX = 12_000
"""Characters: a small model's context of 8k tokens holds the prompt and its answer."""
HOSTILE_NAMES = (
    "\x1b[31mred",
    "W" * 32,
    "\u202eesrever",
    "",
    "two\nlines",
    *(f"n{n}" for n in range(9)),
)


def plays_of(cases: list[Case]) -> Callable[..., Iterator[Plays]]:
    """The fixture that hands the checks one case after the other."""
    few = [pytest.param((case, FEW), id=case_id(case)) for case in cases]
    many = [
        pytest.param((case, MANY), id=f"{case_id(case)}-{MANY}", marks=pytest.mark.slow)
        for case in cases
    ]

    @pytest.fixture(scope="module", params=few + many, name="plays")
    def plays(request: pytest.FixtureRequest) -> Iterator[Plays]:
        (space, params), seeds = request.param
        with pytest.MonkeyPatch.context() as patch:
            if space not in registry.all_spaces():  # a replay knows what is offered
                patch.setitem(registry._registered, space.id, space)
            yield Plays(space, params, seeds)

    return plays


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


def two_actions(space: AnySpace, place: Place, seat: int) -> tuple[Any, Any]:
    """Two legal actions, different ones where a few tries find such."""
    one = space.random_action(place.state, seat, place.rng)
    others = (space.random_action(place.state, seat, place.rng) for _ in range(6))
    return one, next((other for other in others if other != one), one)


def same_turn(decisions: tuple[Decision, ...]) -> list[int]:
    return [decision.seat for decision in decisions]


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


def test_the_sessions_hold_what_the_checks_look_for(plays: Plays) -> None:
    """A check of what never happened would pass."""
    seeds = plays.seeds
    happened = Counter(draft.type for session in plays for draft, _ in session.log)
    assert happened["end"] == seeds
    assert min(happened[each] for each in ("action", "fault", "deadline", "forfeit")) >= seeds // 20
    assert len(plays.positions(seeds)) == seeds
    assert len(plays.inquiries(seeds)) == (seeds if plays.asks else 0)
    assert happened["oracle"] >= len(plays.inquiries(seeds))
    if plays.simultaneous(1):
        assert len(plays.simultaneous(seeds)) >= seeds // 2
        assert happened["reveal"] >= seeds // 2
    voided = sum(session.log[-1][0].type == "void" for session in plays.voids)
    assert voided >= len(plays.voids) // 4


def test_exactly_one_of_decisions_inquiry_and_outcome(plays: Plays) -> None:
    everything = range(plays.space.seats)
    for _, _, open_ in plays.open:
        assert open_.ways_on == 1
        seats = same_turn(open_.decisions)
        assert seats == sorted(set(seats))
        assert all(seat in everything for seat in seats)
    for session in plays:
        assert what_is_open(plays.space, session.state).outcome


def test_equal_seeds_and_actions_give_equal_states(plays: Plays) -> None:
    for number, session in enumerate(itertools.islice(plays, plays.seeds // 5)):
        again = plays.again(number)
        assert again.states == session.states
        assert again.document() == session.document()


def test_a_state_that_was_passed_in_is_never_changed(plays: Plays) -> None:
    space = plays.space
    for state, decisions, streams, rng in plays.states(plays.seeds):
        before = frozen(state)
        for decision in decisions:
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
    for session in itertools.chain(plays, plays.voids):
        replayed = replay(read(session.document()))
        assert replayed.outcome == session.outcome
        assert replayed.state == session.state


# ------------------------------------------------------------------ what is seen


def test_observations_are_json_without_floats(plays: Plays) -> None:
    space = plays.space
    for state, *_ in plays.states(plays.seeds):
        for viewer in viewers(space):
            seen = space.observe(state, viewer)
            assert msgspec.json.decode(canonical.encode(seen)) == seen


def test_a_sealed_action_and_its_time_show_to_nobody_else(plays: Plays) -> None:
    space = plays.space
    tried = different = 0
    for place in plays.simultaneous(plays.seeds):
        for decision in place.decisions:
            seat = decision.seat
            one, two = two_actions(space, place, seat)
            tried, different = tried + 1, different + (one != two)
            one, two = space.stamp(one, 1), space.stamp(two, decision.time_limit_ms)
            told, untold = (space.apply(place.state, seat, it, place.streams) for it in (one, two))
            for viewer in viewers(space):
                if viewer != seat:
                    seen = everything_seen(space, told, viewer)
                    assert seen == everything_seen(space, untold, viewer)
    assert different >= tried / 4


def test_texts_for_people_and_models_are_bounded_and_plain(plays: Plays) -> None:
    space = plays.space
    for state, decisions, *_ in plays.states(plays.seeds):
        for decision in decisions:
            prompt = space.prompt(state, decision.seat)
            assert 0 < len(prompt) <= PROMPT_MAX
            assert printable(prompt)
        for names in ((), HOSTILE_NAMES[: space.seats]):
            headline = space.headline(state, names)
            assert 0 < len(headline) <= 80
            assert "\n" not in headline
            assert printable(headline)
            rendered = space.render(state, names)
            assert rendered
            assert printable(rendered)


def test_returns_are_told_in_words_for_people(plays: Plays) -> None:
    """Short and plain; a better return never reads as a worse one does."""
    told: dict[str, int] = {}
    for session in plays:
        assert session.outcome is not None, "it ended"
        for value in session.outcome.returns or ():
            words = plays.space.return_in_words(value)
            assert printable(words)
            assert 0 < len(words) <= 40
            assert "\n" not in words
            assert value * told.setdefault(words, value) >= 0, "won and lost read alike"


# ------------------------------------------------------------------ decisions and actions


def test_simultaneous_decisions_are_sealed(plays: Plays) -> None:
    for _, _, open_ in plays.open:
        decisions = open_.decisions
        assert len(decisions) < 2 or all(decision.sealed for decision in decisions)
        assert all(decision.time_limit_ms > 0 for decision in decisions)


def test_the_order_of_simultaneous_actions_changes_nothing(plays: Plays) -> None:
    space = plays.space
    for state, decisions, streams, rng in plays.simultaneous(plays.seeds):
        seats = same_turn(decisions)
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
    for state, decisions, _, rng in plays.positions(plays.seeds):
        for decision in decisions:
            action = space.stamp(space.random_action(state, decision.seat, rng), 1_234)
            body = msgspec.json.decode(canonical.encode(space.encode_action(action)))
            assert space.decode_action(body) == action


def test_the_text_of_an_answer_is_read_as_the_action(plays: Plays) -> None:
    """Models are trained on this text; the arena must take it for the same action."""
    space = plays.space
    for state, decisions, _, rng in plays.positions(plays.seeds):
        for decision in decisions:
            action = space.random_action(state, decision.seat, rng)
            text = space.answer_text(action)
            assert space.parse(decision.kind, text) == action
            assert space.answer_text(space.stamp(action, 1_234)) == text
            view = msgspec.json.decode(canonical.encode(space.observe(state, decision.seat)))
            space.check_answer(decision.kind, text, view, decision.seat)
            schema = space.answer_schema(decision.kind, view, decision.seat)
            if schema is not None and text.startswith("{"):
                fields = msgspec.json.decode(text)
                assert fields.keys() <= schema["properties"].keys() | {"quantiles"}


def test_a_stamp_replaces_an_older_one_and_is_accepted(plays: Plays) -> None:
    space = plays.space
    for state, decisions, streams, rng in plays.positions(plays.seeds):
        for decision in decisions:
            action = space.random_action(state, decision.seat, rng)
            late = space.stamp(action, 2 * decision.time_limit_ms + 600_000)
            assert space.stamp(late, 7) == space.stamp(action, 7)
            space.apply(state, decision.seat, late, streams)


def test_an_answer_that_the_arena_takes_passes_the_agents_own_check(plays: Plays) -> None:
    space = plays.space
    for state, decisions, _, rng in plays.positions(plays.seeds):
        for decision in decisions:
            view = msgspec.json.decode(canonical.encode(space.observe(state, decision.seat)))
            text = space.random_answer(decision.kind, view, decision.seat, rng)
            space.check_answer(decision.kind, text, view, decision.seat)


# ------------------------------------------------------------------ forfeits


def test_a_forfeit_at_any_point_ends_or_advances(plays: Plays) -> None:
    space = plays.space
    for state, decisions, streams, _ in plays.positions(plays.seeds):
        for decision in decisions:
            after = space.forfeit(state, decision.seat, streams)
            assert after != state
            assert what_is_open(space, after).ways_on == 1


def test_all_seats_of_a_turn_may_forfeit_in_any_order(plays: Plays) -> None:
    space = plays.space
    for state, decisions, streams, _ in plays.positions(plays.seeds):
        seats = same_turn(decisions)
        results = set()
        for permutation in itertools.islice(itertools.permutations(seats), 6):
            after = state
            for seat in permutation:
                after = space.forfeit(after, seat, streams)
            results.add(frozen(after))
        assert len(results) == 1


def test_a_forfeit_of_nothing_is_refused(plays: Plays) -> None:
    space, ended = plays.space, plays.session(1)
    idle = [ended.state, *(place.state for place in plays.inquiries(10))]
    for state, seat in itertools.product(idle, range(space.seats)):
        with pytest.raises(ValueError, match="owes no decision"):
            space.forfeit(state, seat, ended.streams)


# ------------------------------------------------------------------ the oracle and notes


def test_what_the_oracle_is_asked_is_json_with_a_limit(plays: Plays) -> None:
    space = plays.space
    for state, *_ in plays.inquiries(50):
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
    for state, _, streams, _ in plays.inquiries(30):
        with pytest.raises(InvalidObservation):
            plays.space.learn(state, Observation("nowhere", value), streams)


def test_an_answer_that_nobody_asked_for_is_refused(plays: Plays) -> None:
    for state, _, streams, _ in plays.positions(10):
        with pytest.raises(InvalidObservation):
            plays.space.learn(state, Observation("nowhere", {}), streams)


def test_notes_only_grow_and_are_json(plays: Plays) -> None:
    space = plays.space
    for session in plays:
        before: tuple[Any, ...] = ()
        for state in session.states:
            notes = space.notes(state)
            assert notes[: len(before)] == before
            for note in notes[len(before) :]:
                assert 0 < len(note.kind) <= 64
                canonical.encode(note.body)
            before = notes


def test_notes_wait_for_the_end_of_the_turn(plays: Plays) -> None:
    """What is told while a seat still owes a sealed answer could tell of another's."""
    space = plays.space
    for state, decisions, streams, rng in plays.simultaneous(plays.seeds):
        for seat in same_turn(decisions):
            after = space.apply(state, seat, space.random_action(state, seat, rng), streams)
            assert space.notes(after) == space.notes(state)


# ------------------------------------------------------------------ parameters


@pytest.mark.parametrize("raw", [{"no-such-parameter": 1}, {"": None}])
def test_unknown_parameters_are_refused(plays: Plays, raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidParams):
        plays.space.params({**plays.params, **raw})
