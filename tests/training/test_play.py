"""Many matches in lockstep, by scripted players: the arena's rules of faults, seeds, scores and intervals."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from server.training.rivals import ScriptedPlayer, scripted
from spaces import registry
from spaces.bid_tac_toe import BidTacToe
from training.play import Ask, Played, Said, play, seeds
from training.play.evaluate import evaluate
from training.play.interval import of_pairs, wilson
from training.play.legal import legal_answers
from training.play.match import whole_lines
from training.play.trie import allowed, forced, trie

SPACE = BidTacToe()


class Fixed:
    """Says the same to the same kind of question, and keeps what it was asked."""

    def __init__(self, system: str = "", whole: bool = True, **says: str) -> None:
        self.system, self.whole, self.says = system, whole, says
        self.asked: list[Ask] = []
        self.batches: list[int] = []

    def answers(self, asks: Sequence[Ask]) -> list[Said]:
        self.asked += asks
        self.batches.append(len(asks))
        return [Said(text=self._say(each), whole=self.whole) for each in asks]

    def _say(self, ask: Ask) -> str:
        assert ask.legal is not None
        return self.says.get(ask.kind) or ask.legal[0]


def one(players: dict[str, Fixed | ScriptedPlayer], x: str, o: str) -> Played:
    return play(SPACE, {}, [(x, o)], seeds("test", 1), players)[0]


def test_what_is_asked_in_a_tick_is_one_batch_for_each_player() -> None:
    a, b = Fixed(bid='{"bid": 9}'), Fixed(bid='{"bid": 1}')
    games = play(SPACE, {}, [("a", "b"), ("b", "a")] * 3, seeds("test", 6), {"a": a, "b": b})
    assert a.batches[:3] == [6, 6, 6], "bids, the winner's marks, bids"
    assert b.batches[:2] == [6, 6]
    assert [game.returns for game in games] == [(1, -1), (-1, 1)] * 3
    assert {game.outcome.termination for game in games} == {"line"}


def test_a_refused_answer_may_be_given_once_more_with_the_reason_and_then_forfeits() -> None:
    bad, good = Fixed(system="be bold", bid="I bid a lot"), Fixed()
    game = one({"bad": bad, "good": good}, "good", "bad")
    assert game.outcome.termination == "forfeit"
    assert game.returns == (1, -1)
    first, second = game.of_seat(1)
    assert (first.attempt, second.attempt) == (1, 2)
    assert first.number == second.number == 1
    assert not first.legal
    assert not second.legal
    assert second.messages[0].content == "be bold"
    assert f"Your first answer did not count: {first.reason}" in second.messages[-1].content
    assert len(game.of_seat(0)) == 1, "who has answered waits"


def test_seats_that_fail_at_once_forfeit_at_once() -> None:
    bad = Fixed(bid="nothing")
    assert one({"bad": bad}, "bad", "bad").returns == (0, 0)


def test_an_illegal_answer_tells_what_is_legal() -> None:
    game = one({"rich": Fixed(bid='{"bid": 101}'), "good": Fixed()}, "rich", "good")
    assert game.of_seat(0)[0].reason == "a bid is 0 to 100, your chips, got 101"


def test_of_an_answer_that_was_cut_off_only_whole_lines_count() -> None:
    assert whole_lines("bid: 1") == ""
    assert whole_lines("bid: 18\n") == "bid: 18"
    assert whole_lines("bid: 18\nI am su") == "bid: 18"
    game = one({"cut": Fixed(whole=False, bid="bid: 1"), "good": Fixed()}, "cut", "good")
    assert game.outcome.termination == "forfeit"


def test_a_run_is_a_function_of_its_seeds_and_copies_differ() -> None:
    def run(count: int) -> list[Played]:
        seat = [("random", "bidder")] * count
        return play(SPACE, {}, seat, seeds("test", 1) * count, scripted())

    three = run(3)
    assert run(3) == three
    assert run(1) == three[:1], "a match does not depend on what is played beside it"
    assert len({game.match for game in three}) == 3
    assert len({str(game.attempts) for game in three}) == 3


def test_every_answer_of_the_scripted_players_is_legal_and_the_better_one_wins() -> None:
    report = evaluate(SPACE, {}, scripted(), "bidder", "random", pairs=20)
    assert report.matches == 40
    assert report.a.first_answers.value == report.b.first_answers.value == 1
    assert report.win_rate.low > 0.5
    assert "bidder vs random" in str(report)


def test_evaluation_tells_how_far_it_is_and_gives_both_sides_both_seats() -> None:
    told: list[tuple[int, int]] = []
    players = {"a": Fixed(bid='{"bid": 9}'), "b": Fixed(bid='{"bid": 1}')}
    report = evaluate(
        *(SPACE, {}, players, "a", "b"),
        pairs=3,
        at_once=4,
        progress=lambda done, total, left_s: told.append((done, total)),
    )
    assert report.by_seat == (1, 1)
    assert (report.wins, report.draws, report.losses) == (6, 0, 0)
    assert told == [(4, 6), (6, 6)]
    with pytest.raises(ValueError, match="second name"):
        evaluate(SPACE, {}, players, "a", "a", pairs=1)


def test_other_seats_and_other_players_are_refused() -> None:
    with pytest.raises(ValueError, match="seats 2 of"):
        play(SPACE, {}, [("a",)], seeds("test", 1), {"a": Fixed()})
    with pytest.raises(ValueError, match="no scripted player 'llm'"):
        ScriptedPlayer("llm")
    with pytest.raises(ValueError, match="asks an oracle"):
        play(registry.get("prediction"), {}, [], [], {})


def test_a_match_becomes_records_of_its_seats() -> None:
    game = one({"bad": Fixed(bid="nothing"), "good": Fixed()}, "good", "bad")
    won, lost = game.records()
    assert (won.return_milli, lost.return_milli) == (1_000, -1_000)
    assert won.rivals == ("bad",)
    assert [turn.legal for turn in lost.turns] == [False, False]
    assert won.session == lost.session == f"play:{game.match}"


def test_training_and_evaluation_never_share_a_seed() -> None:
    assert not set(seeds("training", 500)) & set(seeds("evaluation", 500))
    assert seeds("training", 5, first=3)[:2] == seeds("training", 5)[3:]


def test_legal_answers_are_counted_up_where_they_can_be() -> None:
    integers = {"type": "integer", "minimum": 0, "maximum": 2}
    whole = {"type": "object", "properties": {"bid": integers}, "required": ["bid"]}
    assert legal_answers(whole) == ('{"bid": 0}', '{"bid": 1}', '{"bid": 2}')
    for text in legal_answers(whole) or ():
        assert SPACE.answer_text(SPACE.parse("bid", text)) == text, "the text that is learnt from"
    assert legal_answers(None) is None
    free = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
    assert legal_answers(free) is None
    many = {**whole, "properties": {"bid": {**integers, "maximum": 10**9}}}
    assert legal_answers(many) is None


def test_the_tree_of_answers_knows_what_may_come_next() -> None:
    tree = trie([(7, 1, 0, 9), (7, 1, 9), (7, 2, 9)])
    path, node = forced(tree)
    assert path == (7,)
    assert set(node) == {1, 2}
    assert forced(node[2]) == ((9,), {})
    assert allowed(tree, (7, 1, 0, 9)) == [(7,), (1, 2), (0, 9), (9,)]


def test_intervals_hold_what_they_should() -> None:
    rate = wilson(8, 10)
    assert (round(rate.low, 3), round(rate.high, 3)) == (0.490, 0.943)
    assert wilson(0, 0) == wilson(0, 0, 5)
    assert of_pairs([1.0] * 20).low == wilson(20, 20).low
    # Pairs that always split their two matches tell more than as many free matches, but are not counted for more.
    assert of_pairs([0.5] * 50) == wilson(25, 50, 100)
    # Pairs whose two matches always go alike are one match each.
    alike = of_pairs([0.0, 1.0] * 50)
    assert alike.high - alike.low == pytest.approx(
        wilson(50, 100).high - wilson(50, 100).low, rel=0.02
    )
