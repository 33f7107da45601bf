"""Forced results in whole chips, against a search through the rules that knows none of the shortcuts."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver.discrete import Holding, Question, forced
from spaces.bid_tac_toe.solver.position import least_form
from spaces.bid_tac_toe.solver.real import Goal
from spaces.bid_tac_toe.state import State, line_of
from spaces.bid_tac_toe.variants import FullBoard, Params, Payment, Ties
from tests.spaces.coin_falls import coin_falls

EMPTY_BOARD = "." * 9
Variant = tuple[Payment, Ties, FullBoard]
VARIANTS: list[Variant] = list(
    itertools.product(
        ("richman", "poorman"), ("advantage-chip", "coin", "rebid"), ("draw", "money")
    )
)
PAYMENTS: tuple[Payment, ...] = ("richman", "poorman")
GOALS: tuple[Goal, ...] = ("win", "not-lose")


@functools.cache
def boards(free: int) -> list[str]:
    """Every open board with so many free cells, one of each symmetric eight."""
    every = ("".join(cells) for cells in itertools.product("XO.", repeat=9))
    return sorted(
        {
            least_form(board)
            for board in every
            if board.count(".") == free and line_of(board) is None
        }
    )


def state(variant: Variant, board: str, own: int, rival: int, advantage: int | None) -> State:
    payment, ties, decided_by = variant
    params = Params(payment=payment, ties=ties, decided_by=decided_by)
    holder = advantage if ties == "advantage-chip" else None
    return State(params=params, board=board, chips=(own, rival), advantage=holder)


def after_bids(now: State, own: int, rival: int) -> Iterator[State]:
    """What the rules make of two bids, for either fall of a coin that decides a tie."""
    for winner in (0, 1) if own == rival else (0,):
        streams = coin_falls(now.ply)[winner]
        yield rules.place_bid(rules.place_bid(now, 0, own, streams), 1, rival, streams)


def marks(now: State, seat: int) -> Iterator[State]:
    for cell in now.free_cells:
        yield msgspec.structs.replace(rules.place_mark(now, seat, cell), log=())


class Brute:
    """Whether X forces a goal: every own bid, against every reply and coin, through the rules."""

    def __init__(self, goal: Goal) -> None:
        self.least_return = 1 if goal == "win" else 0
        self.memo: dict[object, bool] = {}

    def forces(self, now: State) -> bool:
        over = rules.outcome(now)
        if over is not None:
            assert over.returns is not None
            return over.returns[0] >= self.least_return
        key = (now.params, least_form(now.board), now.chips, now.advantage, now.rebids)
        if key not in self.memo:
            self.memo[key] = any(self.holds(now, bid) for bid in range(now.chips[0] + 1))
        return self.memo[key]

    def holds(self, now: State, bid: int) -> bool:
        return all(
            self.reached(then)
            for reply in range(now.chips[1] + 1)
            for then in after_bids(now, bid, reply)
        )

    def reached(self, then: State) -> bool:
        match then.bid_winner:
            case 0:
                return any(self.forces(marked) for marked in marks(then, 0))
            case 1:
                return all(self.forces(marked) for marked in marks(then, 1))
            case _:
                return self.forces(then)


@functools.cache
def brute(goal: Goal) -> Brute:
    return Brute(goal)


def question(variant: Variant, board: str, total: int, **more: object) -> Question:
    payment, ties, decided_by = variant
    base = Question(board, "X", payment, ties, decided_by, total)
    return msgspec.structs.replace(base, **more)


def least_by_brute(variant: Variant, board: str, total: int, goal: Goal) -> Holding | None:
    holders = (False, True) if variant[1] == "advantage-chip" else (False,)
    return min(
        (
            Holding(own, chip)
            for own in range(total + 1)
            for chip in holders
            if brute(goal).forces(state(variant, board, own, total - own, 0 if chip else 1))
        ),
        default=None,
    )


@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_thresholds_agree_with_brute_force_near_the_end(variant: Variant) -> None:
    totals = {"advantage-chip": (0, 1, 2, 5, 8), "coin": (1, 3, 6), "rebid": (1, 3)}[variant[1]]
    for free, total, goal in itertools.product((1, 2), totals, GOALS):
        for board in boards(free):
            found = forced(question(variant, board, total), goal)
            assert found.least == least_by_brute(variant, board, total, goal), (board, total, goal)


@pytest.mark.parametrize("variant", VARIANTS, ids="-".join)
def test_bids_agree_with_brute_force(variant: Variant) -> None:
    """After a tie that is bid again the player may bid otherwise; listed are the bids that need not."""
    total = 6
    payment, ties, decided_by = variant
    as_if: Variant = (payment, "coin" if ties == "rebid" else ties, decided_by)
    for board, goal in itertools.product(boards(3)[::5], GOALS):
        for own, chip in itertools.product(range(total + 1), (False, True)):
            now = state(as_if, board, own, total - own, 0 if chip else 1)
            if (chip and ties != "advantage-chip") or rules.outcome(now) is not None:
                continue
            expected = tuple(bid for bid in range(own + 1) if brute(goal).holds(now, bid))
            found = forced(question(variant, board, total, holding=Holding(own, chip)), goal)
            assert found.bids == expected, (board, own, chip, goal)


@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("total", [0, 1, 2, 3])
def test_the_empty_board_agrees_with_brute_force(payment: Payment, total: int) -> None:
    variant: Variant = (payment, "advantage-chip", "draw")
    for goal in GOALS:
        found = forced(question(variant, EMPTY_BOARD, total), goal)
        assert found.least == least_by_brute(variant, EMPTY_BOARD, total, goal)


class Play:
    """Every game in which X follows the answers and O does all it may."""

    def __init__(self, variant: Variant, goal: Goal) -> None:
        self.variant, self.goal = variant, goal
        self.seen: set[object] = set()
        self.ends = 0

    def through(self, now: State) -> None:
        key = (least_form(now.board), now.chips, now.advantage)
        over = rules.outcome(now)
        if over is not None:
            assert over.returns is not None
            assert over.returns[0] >= (1 if self.goal == "win" else 0), now
            self.ends += 1
        elif key not in self.seen:
            self.seen.add(key)
            self.turn(now)

    def turn(self, now: State) -> None:
        own, rival = now.chips
        asked = question(
            self.variant, now.board, own + rival, holding=Holding(own, now.advantage == 0)
        )
        answer = forced(asked, self.goal)
        for reply in range(rival + 1):
            for then in after_bids(now, answer.bids[0], reply):
                nexts = marks(then, 1)
                if then.bid_winner == 0:
                    nexts = (
                        msgspec.structs.replace(rules.place_mark(then, 0, cell), log=())
                        for cell in answer.squares
                    )
                for next_ in nexts:
                    self.through(next_)


@pytest.mark.parametrize("goal", GOALS)
@pytest.mark.parametrize("ties", ["advantage-chip", "coin"])
@pytest.mark.parametrize("payment", PAYMENTS)
@pytest.mark.parametrize("decided_by", ["draw", "money"])
def test_the_answers_force_their_goal_against_every_reply(
    payment: Payment, ties: Ties, decided_by: FullBoard, goal: Goal
) -> None:
    variant: Variant = (payment, ties, decided_by)
    for board, total in (("X...O....", 5), ("XO.OX....", 8), ("OX.......", 4)):
        least = forced(question(variant, board, total), goal).least
        if least is None:
            continue
        play = Play(variant, goal)
        play.through(
            state(variant, board, least.chips, total - least.chips, 0 if least.chip else 1)
        )
        assert play.ends > 0


@settings(max_examples=60, deadline=None)
@given(
    board=st.sampled_from([board for free in (2, 3, 4, 6) for board in boards(free)]),
    total=st.integers(0, 40),
    goal=st.sampled_from(GOALS),
    decided_by=st.sampled_from(["draw", "money"]),
)
def test_the_advantage_is_worth_something_between_nothing_and_a_chip(
    board: str, total: int, goal: Goal, decided_by: FullBoard
) -> None:
    """Develin & Payne (2010), section 3.1."""
    asked = question(("richman", "advantage-chip", decided_by), board, total)
    forces = [
        bool(forced(msgspec.structs.replace(asked, holding=Holding(own, chip)), goal).bids)
        for own in range(total + 1)
        for chip in (False, True)
    ]
    assert forces == sorted(forces)


@settings(max_examples=60, deadline=None)
@given(
    board=st.sampled_from([board for free in (2, 3, 5, 7) for board in boards(free)]),
    total=st.integers(0, 30),
    goal=st.sampled_from(GOALS),
    payment=st.sampled_from(PAYMENTS),
)
def test_x_and_o_are_asked_alike(board: str, total: int, goal: Goal, payment: Payment) -> None:
    asked = question((payment, "advantage-chip", "draw"), board, total)
    exchanged = board.translate(str.maketrans("XO", "OX"))
    assert forced(asked, goal) == forced(
        msgspec.structs.replace(asked, board=exchanged, player="O"), goal
    )


def test_many_chips_repeat_the_real_threshold() -> None:
    """133/256 of all chips: 256 more in the game are 133 more to hold (Develin & Payne, section 3.6)."""
    for total in (300, 411, 1000):
        fewer, more = (
            forced(question(("richman", "advantage-chip", "draw"), EMPTY_BOARD, chips), "win").least
            for chips in (total, total + 256)
        )
        assert fewer is not None
        assert more == Holding(fewer.chips + 133, fewer.chip)


def test_kalais_question_in_whole_dollars() -> None:
    """101.84 against 100: 102 force the win, 101 do not, with or without the advantage."""
    asked = question(("poorman", "advantage-chip", "draw"), EMPTY_BOARD, 202, rival=100)
    assert forced(asked, "win").least == Holding(102)


def test_out_of_reach_is_none() -> None:
    found = forced(question(("richman", "advantage-chip", "draw"), "XOXXOOOX.", 10), "win")
    assert found.least is None
    assert found.bids == ()


@pytest.mark.parametrize(
    ("variant", "more", "told"),
    [
        (("all-pay", "coin", "draw"), {}, "all-pay has no forced results"),
        (("richman", "coin", "draw"), {"holding": Holding(3, True)}, "no advantage with ties by"),
        (("richman", "coin", "draw"), {"holding": Holding(11)}, "more than the 10 chips there are"),
        (("richman", "coin", "draw"), {"rival": 3}, "the rest of the total"),
        (("poorman", "coin", "draw"), {"rival": 11}, "a rival holds 0 to 10 chips, got 11"),
        (("poorman", "coin", "draw"), {"total": 100_000}, "solved up to"),
    ],
)
def test_questions_that_do_not_fit_are_refused(
    variant: Variant, more: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        forced(msgspec.structs.replace(question(variant, EMPTY_BOARD, 10), **more), "win")


@pytest.mark.parametrize("text", ["", "*", "-1", "1.5", "3**", "12 *", "²", "1" * 10])
def test_holdings_are_read_strictly(text: str) -> None:
    with pytest.raises(ValueError, match="a holding is"):
        Holding.read(text)


def test_holdings_are_ordered_by_chips_then_advantage() -> None:
    texts = ["0", "0*", "1", "1*", "12", "12*"]
    assert [str(each) for each in sorted(map(Holding.read, reversed(texts)))] == texts


@settings(max_examples=60, deadline=None)
@given(
    board=st.sampled_from([board for free in (1, 2, 3, 5, 8) for board in boards(free)]),
    total=st.integers(1, 30),
    payment=st.sampled_from(PAYMENTS),
    decided_by=st.sampled_from(["draw", "money"]),
)
def test_with_the_advantage_one_forces_a_win_or_the_other_forces_not_to_lose(
    board: str, total: int, payment: Payment, decided_by: FullBoard
) -> None:
    """The games are determined: what the one lacks the other has."""
    asked = question((payment, "advantage-chip", decided_by), board, total)
    for own in range(1, total):
        for chip in (False, True):
            x = msgspec.structs.replace(asked, holding=Holding(own, chip))
            o = msgspec.structs.replace(asked, holding=Holding(total - own, not chip), player="O")
            assert bool(forced(x, "win").bids) != bool(forced(o, "not-lose").bids)
