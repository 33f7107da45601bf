"""What a learner learns from: credit, curriculum, and what is drawn for an update."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from spaces import registry
from spaces.bid_tac_toe import BidTacToe
from spaces.seed import Streams
from tests.training.lucky import Lucky
from training.data.advantage import Baselines
from training.play import Ask, Played, Said, play, seeds
from training.play.curriculum import ALONE, BID_TAC_TOE, Curriculum, Stage, Standing
from training.play.samples import Credit, learned, outcome_reward
from training.recipes.online import Online, bid_tac_toe, logic


class Speaker:
    """Says what a model might: an answer with token ids, under a grammar or without one."""

    system = ""

    def __init__(self, text: str, *, grammar: bool = True) -> None:
        self.text, self.grammar = text, grammar

    def answers(self, asks: Sequence[Ask]) -> list[Said]:
        told = Said(
            text=self.text,
            prompt=(1,),
            completion=(5, 6),
            logprobs=(0.0, -1.0),
            allowed=((5,), (6, 7)) if self.grammar else (),
        )
        return [told for _ in asks]


SEVEN, ONE = '{"bid": 7}', '{"bid": 1}'


def throws(a: Speaker, b: Speaker, count: int = 2) -> list[Played]:
    seatings = [("a", "b"), ("b", "a")] * (count // 2)
    return play(Lucky(), {}, seatings, seeds("test", count), {"a": a, "b": b})


def test_answers_of_a_seat_get_what_it_came_to_less_what_its_role_does() -> None:
    games = throws(Speaker(SEVEN), Speaker(ONE))
    expected = Baselines({"lucky/seat-0": 0.5})
    samples, after, tally = learned(games, {"a"}, Credit(), expected)
    assert [(each.group, each.advantage) for each in samples] == [
        ("lucky/seat-0", 0.5),
        ("lucky/seat-1", 1.0),
    ]
    assert samples[0].allowed == ((5,), (6, 7))
    assert after.values["lucky/seat-0"] > 0.5
    assert (tally.answers, tally.valid, tally.kept, tally.reward) == (2, 2, 2, 1.0)


def test_what_came_out_as_expected_teaches_nothing() -> None:
    samples, _, tally = learned(
        throws(Speaker(ONE), Speaker(ONE)), {"a", "b"}, Credit(), Baselines()
    )
    assert samples == []
    assert (tally.answers, tally.kept) == (4, 0)


def test_a_match_that_a_forfeit_decided_teaches_format_alone() -> None:
    games = throws(Speaker("seven", grammar=False), Speaker(SEVEN, grammar=False))
    samples, after, tally = learned(games, {"a", "b"}, Credit(format_weight=0.5), Baselines())
    assert tally.reward == 0
    assert tally.valid == 2
    assert tally.answers == 6, "two refused answers for each good one"
    assert {each.advantage for each in samples} == {0.5}
    assert set(after.values) == {"lucky/format/bid"}
    again, _, _ = learned(games, {"a", "b"}, Credit(format_weight=0.5), after)
    assert min(each.advantage for each in again) < 0 < max(each.advantage for each in again)


def test_where_seats_have_the_same_puzzle_they_are_compared_with_each_other() -> None:
    players = {"a": Speaker(SEVEN), "b": Speaker(ONE)}
    same = seeds("test", 1) * 3
    games = play(Lucky(), {}, [("a", "b"), ("b", "a"), ("b", "b")], same, players)
    samples, after, _ = learned(games, {"a", "b"}, Credit(baseline="group"), Baselines())
    assert len(samples) == 4, "whoever came to the group's mean teaches nothing"
    assert sum(each.advantage for each in samples) == pytest.approx(0)
    assert not after.values


def test_logic_pays_for_what_is_solved_and_not_for_speed() -> None:
    space = registry.get("logic")
    params = {"rounds": 1, "level": "easy", "topics": ["chain_sum"]}
    seed = seeds("test", 1)[0]
    solution = space.initial(space.params(params), Streams(seed)).puzzle.solution
    players = {
        "right": Speaker(f"answer: {solution}", grammar=False),
        "wrong": Speaker("answer: none", grammar=False),
    }
    (game,) = play(space, params, [("right", *["wrong"] * 4)], [seed], players)
    assert [outcome_reward(game, seat) for seat in range(5)] == [1, 0, 0, 0, 0]


def test_who_wins_often_enough_meets_the_next_opponents() -> None:
    stages = (Stage(opponents={"random": 1}, until=0.75), Stage(opponents={"past": 1}))
    course = Curriculum(stages=stages, window=4)
    standing = course.after(Standing(), [1, 1, 1])
    assert standing.stage == 0, "three matches say nothing yet"
    assert course.after(standing, [0.0]).stage == 1
    assert course.after(standing, [0.0]).recent == ()
    assert course.after(course.after(Standing(), [0, 0, 1, 1]), [1, 1]).stage == 1
    last = Standing(stage=1)
    assert course.after(last, [1.0] * 9).stage == 1
    assert course.opponents(Standing(), 3, "x") == ["random"] * 3
    assert course.opponents(last, 2, "x") == ["base", "base"], "nobody is frozen yet"
    for step in (20, 40, 60, 80, 100):
        last = course.froze(last, step)
    assert last.frozen == (40, 60, 80, 100)
    assert set(course.opponents(last, 50, "x")) == {f"past-{at}" for at in last.frozen}
    assert course.opponents(last, 50, "x") == course.opponents(last, 50, "x")


def test_the_curricula_are_data() -> None:
    for online in (Online(), logic(), bid_tac_toe(matches=4)):
        assert msgspec.json.decode(msgspec.json.encode(online), type=Online) == online
    assert BID_TAC_TOE.meets_past
    assert not ALONE.meets_past
    assert set(BID_TAC_TOE.opponents(Standing(stage=2, frozen=(5,)), 99, "s")) == {
        *("solver", "bidder", "past-5")
    }
    assert BidTacToe.id == Online().space
