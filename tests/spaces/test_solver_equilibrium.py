"""The equilibria of sealed bids, against linear programmes, other methods, and the rules themselves."""

from __future__ import annotations

import functools
import itertools
import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver import boards, equilibrium, induction, matrix_game, regret_matching
from spaces.bid_tac_toe.solver import tables as table_sources
from spaces.bid_tac_toe.solver.induction import Settings
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.solver.table import Position, Table, contents
from spaces.bid_tac_toe.state import CELLS, EMPTY, Pair, State
from spaces.bid_tac_toe.variants import MAX_REBIDS, Params
from spaces.seed import Streams
from tests.spaces.coin_falls import coin_falls

EMPTY_BOARD = EMPTY * CELLS
RULES = list(
    itertools.product(
        ("all-pay", "richman", "poorman"), ("coin", "advantage-chip", "rebid"), ("money", "draw")
    )
)


@functools.cache
def table_of(payment: Any, ties: Any, decided_by: Any, chips: int) -> Table:
    return table_sources.solved(Variant(payment, ties, decided_by, chips))


matrices = st.integers(0, 2**32 - 1).map(
    lambda seed: (
        np.random.default_rng(seed).integers(
            -3, 4, size=np.random.default_rng(seed + 1).integers(1, 9, size=2)
        )
        / 3
    )
)


@given(matrices)
@settings(max_examples=60, deadline=None)
def test_simplex_linear_programme_and_regret_matching_agree(matrix: np.ndarray[Any, Any]) -> None:
    by_programme = matrix_game.by_linear_programme(matrix)
    by_simplex = matrix_game.solve(matrix)
    by_regret = regret_matching.solve(matrix)
    assert by_simplex.gap <= 1e-6
    assert by_regret.gap <= regret_matching.TOLERANCE
    assert by_simplex.value == pytest.approx(by_programme.value, abs=1e-6)
    assert by_regret.value == pytest.approx(by_programme.value, abs=1e-4)
    for game in (by_simplex, by_regret):
        assert game.row.sum() == pytest.approx(1)
        assert game.column.sum() == pytest.approx(1)
        assert min(game.row.min(), game.column.min()) >= 0


def test_the_gap_is_measured_not_assumed() -> None:
    stone_paper_scissors = np.array([[0.0, -1.0, 1.0], [1.0, 0.0, -1.0], [-1.0, 1.0, 0.0]])
    always_stone = np.array([1.0, 0.0, 0.0])
    assert matrix_game.judged(stone_paper_scissors, always_stone, always_stone).gap == 2.0
    assert matrix_game.solve(stone_paper_scissors).row == pytest.approx([1 / 3] * 3, abs=1e-6)


def test_a_basis_gives_the_mixes_back() -> None:
    matrix = np.random.default_rng(5).uniform(-1, 1, size=(12, 9))
    game = matrix_game.solve(matrix)
    assert game.basis is not None
    again = matrix_game.from_basis(matrix, game.basis)
    assert again is not None
    assert again.row == pytest.approx(game.row, abs=1e-5)
    assert again.gap <= 1e-6


def test_classes_hold_every_open_board_once_and_marks_lead_to_earlier_ones() -> None:
    every = ("".join(cells) for cells in itertools.product(".XO", repeat=CELLS))
    open_boards = [board for board in every if boards.is_open(board)]
    assert {boards.place(board).board for board in open_boards} == set(boards.classes())
    number = {board: index for index, board in enumerate(boards.classes())}
    for board in boards.classes():
        assert boards.place(board) == (board, False)
        for seat in (0, 1):
            for child in boards.children(board, seat):
                assert child.place is None or number[child.place.board] < number[board]


@pytest.mark.parametrize("rules_of", RULES, ids="-".join)
def test_every_small_value_is_that_of_the_rules(rules_of: tuple[str, str, str]) -> None:
    """Brute force: expand positions by `rules` alone, solve each stage by linear programmes."""
    payment, ties, decided_by = rules_of
    for chips in (1,) if ties == "rebid" else (1, 2):
        table = table_of(payment, ties, decided_by, chips)
        force = BruteForce(Params(payment, ties, chips, decided_by))  # type: ignore[arg-type]
        # Few free cells, all symmetric forms: the whole tree from the empty board takes minutes.
        rng = random.Random(f"{rules_of} {chips}")
        every = ["".join(cells) for cells in itertools.product(".XO", repeat=CELLS)]
        few = [board for board in every if boards.is_open(board) and board.count(EMPTY) in (2, 3)]
        for board in rng.sample(few, 4):
            for position in force.positions(board):
                exact = force.value(position)
                assert table.value(position) == pytest.approx(exact, abs=1e-5), position


@functools.cache
def programmed(shape: tuple[int, ...], matrix: bytes) -> float:
    """The value of a matrix of doubles; near the end of a game the same few come again and again."""
    return matrix_game.by_linear_programme(np.frombuffer(matrix).reshape(shape)).value


class BruteForce:
    """No symmetry, no dominated bids, no table: states of `rules`, one linear programme each."""

    def __init__(self, params: Params) -> None:
        self.params = params
        self.known: dict[Position, float] = {}

    def positions(self, board: str) -> list[Position]:
        n = self.params.chips
        if self.params.payment == "richman":
            purses: list[Pair] = [(x, 2 * n - x) for x in range(2 * n + 1)]
        else:
            purses = [(x, o) for x in range(1, n + 1) for o in range(1, n + 1)]
        chips = (0, 1) if self.params.ties == "advantage-chip" else (None,)
        rebids = range(MAX_REBIDS + 1) if self.params.ties == "rebid" else (0,)
        return [Position(board, purse, a, r) for purse in purses for a in chips for r in rebids]

    def value(self, position: Position) -> float:
        if position not in self.known:
            state = self.state(position)
            outcome = rules.outcome(state)
            self.known[position] = (
                float(outcome.returns[0])
                if outcome is not None and outcome.returns is not None
                else self.solve(position)
            )
        return self.known[position]

    def state(self, position: Position) -> State:
        state = State(self.params, position.board, position.chips, position.advantage)
        for _ in range(position.rebids):
            for seat in (0, 1):
                state = rules.place_bid(state, seat, 0, Streams(b"s" * 32))
        return state

    def solve(self, position: Position) -> float:
        x, o = position.chips
        matrix = np.array(
            [[self.after(position, i, j) for j in range(o + 1)] for i in range(x + 1)]
        )
        return programmed(matrix.shape, matrix.tobytes())

    def after(self, position: Position, i: int, j: int) -> float:
        """Both sides of a coin."""
        before = self.state(position)
        falls = coin_falls(before.ply) if i == j else coin_falls(before.ply)[:1]
        reached = {
            rules.place_bid(rules.place_bid(before, 0, i, streams), 1, j, streams)
            for streams in falls
        }
        return sum(map(self.marked, reached)) / len(reached)

    def marked(self, state: State) -> float:
        winner = state.bid_winner
        if winner is None:
            return self.value(Position(state.board, state.chips, state.advantage, state.rebids))
        after = (rules.place_mark(state, winner, cell) for cell in state.free_cells)
        values = [self.value(Position(each.board, each.chips, each.advantage)) for each in after]
        return max(values) if winner == 0 else min(values)


@pytest.mark.parametrize("chips", [1, 2, 3, 7])
@pytest.mark.parametrize("ties", ["coin", "rebid"])
def test_the_start_is_fair(chips: int, ties: str) -> None:
    table = table_of("all-pay", ties, "money", chips)
    assert table.value(Position(EMPTY_BOARD, (chips, chips))) == pytest.approx(0, abs=1e-6)


def test_the_advantage_chip_is_worth_having_and_the_same_to_both() -> None:
    table = table_of("all-pay", "advantage-chip", "money", 4)
    x = table.value(Position(EMPTY_BOARD, (4, 4), 0))
    o = table.value(Position(EMPTY_BOARD, (4, 4), 1))
    assert x > 0.1
    assert o == pytest.approx(-x, abs=1e-6)


def test_more_chips_are_never_worse() -> None:
    table = table_of("all-pay", "coin", "money", 7)
    for board in boards.classes()[::7]:
        for x, o in itertools.product(range(1, 7), repeat=2):
            here = table.value(Position(board, (x, o)))
            assert table.value(Position(board, (x + 1, o))) >= here - 1e-6
            assert table.value(Position(board, (x, o + 1))) <= here + 1e-6


@given(st.sampled_from(boards.classes()), st.integers(1, 7), st.integers(1, 7), st.randoms())
@settings(max_examples=50, deadline=None)
def test_symmetric_positions_are_played_alike(
    board: str, x: int, o: int, rng: random.Random
) -> None:
    table = table_of("all-pay", "coin", "money", 7)
    symmetry = rng.choice(boards.SYMMETRIES)
    turned = "".join(board[cell] for cell in symmetry)
    exchanged = board.translate(str.maketrans("XO", "OX"))
    play = table.play(Position(board, (x, o)))
    assert table.play(Position(turned, (x, o))) == play
    other = table.play(Position(exchanged, (o, x)))
    assert other.value == pytest.approx(-play.value, abs=1e-6)
    cell = table.best_cell(Position(board, (x, o)), 0)
    mirrored = table.best_cell(Position(turned, (x, o)), 0)
    assert table.marked(Position(board, (x, o)), 0, cell) == pytest.approx(
        table.marked(Position(turned, (x, o)), 0, mirrored), abs=1e-9
    )


def test_a_seat_sees_its_own_bids_and_value() -> None:
    params = Params(chips=6)
    position = Position("X........", (5, 6))
    x, o = (equilibrium.solve(position, params, seat) for seat in (0, 1))
    assert (x.value, x.bids, x.rival_bids) == (-o.value, o.rival_bids, o.bids)
    assert sum(x.bids.values()) == pytest.approx(1)
    assert x.exploitability <= 1e-4


@pytest.mark.parametrize(
    "position",
    [
        Position("XXX......", (3, 3)),
        Position("XOXXOOOXX", (3, 3)),
        Position(EMPTY_BOARD, (0, 3)),
        Position(EMPTY_BOARD, (3, 5_000)),
    ],
)
def test_a_position_that_is_not_played_is_refused(position: Position) -> None:
    with pytest.raises(LookupError, match="no bids over"):
        equilibrium.solve(position, Params(chips=6))


@pytest.mark.slow
def test_regret_matching_solves_the_whole_game_within_its_tolerance() -> None:
    variant = Variant("all-pay", "coin", "money", 4)
    learned = induction.solve(variant, Settings("regret-matching", tolerance=1e-4))
    exact = table_of("all-pay", "coin", "money", 4)
    table = Table(contents(learned, rounded=False), "learned", 0.0)
    for board in boards.classes()[::5]:
        for x, o in itertools.product(range(1, 5), repeat=2):
            position = Position(board, (x, o))
            assert table.value(position) == pytest.approx(exact.value(position), abs=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("rules_of", RULES, ids="-".join)
@pytest.mark.parametrize("method", ["simplex", "regret-matching"])
def test_machine_code_solves_the_same(rules_of: tuple[str, str, str], method: Any) -> None:
    pytest.importorskip("numba")
    variant = Variant(*rules_of, chips=4)  # type: ignore[arg-type]
    boards_below = boards.classes()[:200]
    plain, compiled = (
        induction.solve(variant, Settings(method, 1e-4, compiled=way), boards_below)
        for way in (False, True)
    )
    for where, grid in plain.which.items():
        assert compiled.grids[compiled.which[where]] == pytest.approx(plain.grids[grid], abs=5e-4)
