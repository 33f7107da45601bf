"""OpenSpiel's games as Spaces. What every Space promises is tested by the conformance suite."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spaces.bridges.theirs.openspiel import OpenSpielSpace, chance, positions
from spaces.registry import UnknownSpace, get
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidAction

SECRETIVE = ["kuhn_poker", "leduc_poker", "liars_dice"]


def seeded(number: int) -> Streams:
    return Streams(number.to_bytes(32, "big"))


def playthrough(space: Any, number: int) -> list[Any]:
    """The states of a random session, from the first to the last."""
    rng, streams = random.Random(number), seeded(number)
    states = [space.initial(space.params({}), streams)]
    while space.outcome(states[-1]) is None:
        seat = rng.choice(space.decisions(states[-1])).seat
        action = space.random_action(states[-1], seat, rng)
        states.append(space.apply(states[-1], seat, action, streams))
    return states


@pytest.mark.parametrize(
    ("asked", "given_id", "seats", "returns_sum"),
    [
        ("kuhn_poker", "openspiel:kuhn_poker", 2, 0),
        ("leduc_poker(players=2)", "openspiel:leduc_poker", 2, 0),
        ("kuhn_poker:players-3", "openspiel:kuhn_poker:players-3", 3, 0),
        ("go(komi=6.5,board_size=9)", "openspiel:go:board_size-9:komi-6.5", 2, 0),
        ("goofspiel:num_cards-4", "openspiel:goofspiel:num_cards-4", 2, 0),
        ("matrix_pd", "openspiel:matrix_pd", 2, None),
    ],
)
def test_a_game_has_one_id_however_it_is_asked_for(
    asked: str, given_id: str, seats: int, returns_sum: int | None
) -> None:
    space = get(f"openspiel:{asked}")
    assert (space.id, space.seats, space.returns_sum) == (given_id, seats, returns_sum)
    assert get(space.id) is space
    assert space.rules.startswith(f"{space.id}/1-")
    assert len(space.rules) <= 64


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("", "no game's name"),
        ("poker", "OpenSpiel has no game 'poker'"),
        ("2048", "has 1 players"),
        ("tarok", "no seed replays it"),
        ("mfg_garnet", "has 1 players"),
        ("nfg_game:filename-x", "an id cannot name"),
        ("crossword:word_list_file-x", "that an id may set"),
        ("phantom_ttt", "hides moves from rivals"),
        ("hearts", "hides moves from rivals"),
        ("goofspiel:imp_info-true", "hides moves from rivals"),
        ("go:board_size-big", "go's board_size is like 19, got 'big'"),
        ("kuhn_poker:players-60", "refuses its parameters"),
        ("kuhn_poker:players-0", "kuhn_poker's players is 1 to 64 in an id"),
        ("mnk:m-65", "mnk's m is 1 to 64 in an id"),
        ("oshi_zumo:horizon-1001", "oshi_zumo's horizon is 1 to 1000 in an id"),
        ("go:komi-1e300", "go's komi is 0 to 64 in an id"),
        ("nim:pile_sizes-99999999", "nim's pile_sizes is 0 to 64 in an id"),
        ("blotto:fields-6", "blotto's fields is 1 to 5 in an id"),
        ("connect_four:rows-0", "connect_four's rows is 1 to 64 in an id"),
        ("universal_poker:numRounds-3", "takes no parameters in an id"),
        ("go:board_size-40", "go does not start: The current Go"),
        ("leduc_poker:starting_player-2", "starting_player is 0 to 1 in an id"),
        ("hex:board_size-1", "goes on where nobody has a move"),
        ("hanabi", "hides moves from rivals now and then"),
        ("go:depth-3", "no parameter 'depth'"),
        ("go:board_size", "a parameter is `key-value`"),
        ("x" * 500, "longer than an id may be"),
        ("\x1b[2J", "no game's name"),
    ],
)
def test_a_game_that_cannot_be_a_space_says_why(name: str, why: str) -> None:
    with pytest.raises(UnknownSpace) as caught:
        get(f"openspiel:{name}")
    assert why in str(caught.value)
    assert str(caught.value).isascii()
    assert len(str(caught.value)) <= 200


@pytest.mark.parametrize("name", SECRETIVE)
def test_neither_the_public_nor_the_rival_sees_a_private_card(name: str) -> None:
    """Two deals in which only seat 0's card differs look alike to all but seat 0, to the last."""
    space = OpenSpielSpace(name)
    for number in range(60):
        for state in playthrough(space, number)[:-1]:
            for card in range(6):
                other = _with_another_card(space, state, card)
                if other is None:
                    continue
                for viewer in (None, 1):
                    assert _seen(space, state, viewer) == _seen(space, other, viewer)
                assert _seen(space, state, 0) != _seen(space, other, 0)


def _with_another_card(space: Any, state: Any, card: int) -> Any:
    """The state if seat 0 had been dealt `card`; None where it could not have been."""
    history = (card, *state.history[1:])
    position = space._game.rules.new_initial_state()
    for action in history:
        if action not in position.legal_actions():
            return None
        position.apply_action(action)
    if card == state.history[0] or position.is_terminal():
        return None
    return type(state)(history, state.pending, state.forfeited, state.plies)


def _seen(space: Any, state: Any, viewer: int | None) -> list[Any]:
    seen = [space.observe(state, viewer), space.headline(state), space.render(state)]
    if any(decision.seat == viewer for decision in space.decisions(state)):
        seen.append(space.prompt(state, viewer))
    return seen


def test_the_end_reveals_everything() -> None:
    space = get("openspiel:kuhn_poker")
    last = playthrough(space, 3)[-1]
    cards = " ".join(map(str, last.history[:2]))
    assert space.observe(last, None)["position"].startswith(cards)


def test_a_move_may_be_told_by_its_number_or_its_name() -> None:
    space, streams = get("openspiel:kuhn_poker"), seeded(0)
    state = space.initial(space.params({}), streams)
    told = [
        "action: 1",
        '{"action": 1}',
        "I think.\naction: 0\n**Action:** Bet",
        '{"action": "Bet"}',
        "`action: 1.`",
    ]
    after = {space.apply(state, 0, space.parse("move", text), streams) for text in told}
    assert len(after) == 1
    assert space.observe(after.pop(), None)["moves"] == [[0, "Bet"]]


@pytest.mark.parametrize(
    "text", ["", "Bet", "I take action 1", "action:", '{"action": 1.5}', "action: \ud800"]
)
def test_what_is_no_answer_is_not_guessed(text: str) -> None:
    with pytest.raises(InvalidAction):
        get("openspiel:kuhn_poker").parse("move", text)


@pytest.mark.parametrize("text", ["action: 7", "action: raise", "action: -1"])
def test_an_illegal_move_names_the_legal_ones(text: str) -> None:
    space, streams = get("openspiel:kuhn_poker"), seeded(0)
    state = space.initial(space.params({}), streams)
    with pytest.raises(IllegalAction, match="legal: 0 Pass, 1 Bet"):
        space.apply(state, 0, space.parse("move", text), streams)
    with pytest.raises(IllegalAction):
        space.check_answer("move", text, space.observe(state, 0), 0)


def test_a_position_that_was_forgotten_is_replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    space = get("openspiel:goofspiel:num_cards-5")
    kept = playthrough(space, 9)
    monkeypatch.setattr(positions, "KEPT", 0)
    forgotten = playthrough(space, 9)
    assert kept == forgotten
    assert space.render(kept[-1]) == space.render(forgotten[-1])


@pytest.mark.parametrize(
    ("name", "gone", "returns"),
    [
        ("kuhn_poker", [0], (-2_000, 2_000)),
        ("kuhn_poker:players-3", [1], None),
        ("matrix_pd", [0], (0, 10_000)),
        ("matrix_pd", [1, 0], (0, 0)),
        ("matrix_mp", [0, 1], (0, 0)),
        ("tiny_hanabi", [0], (0, 0)),
    ],
)
def test_who_forfeits_gets_the_least_and_nobody_gains_by_it(
    name: str, gone: list[int], returns: tuple[int, ...] | None
) -> None:
    space, streams = get(f"openspiel:{name}"), seeded(1)
    state = space.initial(space.params({}), streams)
    while space.decisions(state)[0].seat != min(gone):
        seat = space.decisions(state)[0].seat
        state = space.apply(state, seat, space.parse("move", "action: 0"), streams)
    for seat in gone:
        state = space.forfeit(state, seat, streams)
    outcome = space.outcome(state)
    assert outcome is not None
    assert outcome.returns is not None
    assert outcome.termination == "forfeit"
    if returns is None:
        assert sum(outcome.returns) == 0
        assert min(outcome.returns) == outcome.returns[gone[0]]
    else:
        assert outcome.returns == returns


def test_an_endless_game_is_cut_off_as_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spaces.bridges.theirs.openspiel.rules.MAX_MOVES", 30)
    space = get("openspiel:chess")
    outcome = space.outcome(playthrough(space, 1)[-1])
    assert outcome is not None
    assert (outcome.termination, outcome.returns) == ("ply-limit", (0, 0))


def test_terminal_colours_of_a_board_are_taken_away() -> None:
    space = get("openspiel:twixt")
    shown = space.render(space.initial(space.params({}), seeded(0)))
    assert "\x1b" not in shown
    assert "[0m" not in shown


@pytest.mark.parametrize(
    ("probabilities", "whole"),
    [
        ([1 / 6] * 6, [1] * 6),
        ([0.25, 0.5, 0.25], [1, 2, 1]),
        ([0.0, 1.0], [0, 1]),
        ([1e-30, 1.0], [1, 2**53]),
    ],
)
def test_probabilities_become_whole_numbers(probabilities: list[float], whole: list[int]) -> None:
    assert chance.weights(probabilities) == whole


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9).filter(any), st.integers(0, 2**32))
def test_chance_never_draws_what_cannot_happen(probabilities: list[float], number: int) -> None:
    outcomes = [(10 + index, p) for index, p in enumerate(probabilities)]
    assert dict(outcomes)[chance.draw(outcomes, seeded(number), "chance:0")] > 0


def test_chance_is_fair() -> None:
    outcomes = [(0, 0.25), (1, 0.75)]
    drawn = [chance.draw(outcomes, seeded(number), "chance:0") for number in range(4_000)]
    assert 920 <= drawn.count(0) <= 1_080
