"""The rules of Bid Tac Toe, told as short games."""

from __future__ import annotations

from typing import Any

import pytest

from spaces.bid_tac_toe import BidTacToe
from spaces.bid_tac_toe.answers import Bid, Mark
from spaces.bid_tac_toe.state import State
from spaces.bid_tac_toe.variants import MAX_REBIDS
from spaces.seed import Streams
from spaces.space import IllegalAction, InvalidParams, Outcome

SPACE = BidTacToe()


def coins(ply: int, winner: int) -> Streams:
    """A seed whose coin of this ply falls to `winner`."""
    return next(
        streams
        for streams in (Streams(bytes([n]) * 32) for n in range(256))
        if streams.coin(f"coin:{ply}") == winner
    )


class Game:
    """A game in the making: `bid(x, o)`, `mark(cell)` by whoever won the bid."""

    def __init__(self, streams: Streams | None = None, **params: Any) -> None:
        self.streams = streams or Streams(bytes(32))
        self.state: State = SPACE.initial(SPACE.params(params), self.streams)

    def bid(self, x: int, o: int) -> Game:
        self.state = SPACE.apply(self.state, 0, Bid(x), self.streams)
        self.state = SPACE.apply(self.state, 1, Bid(o), self.streams)
        return self

    def mark(self, cell: int) -> Game:
        winner = self.state.bid_winner
        assert winner is not None
        self.state = SPACE.apply(self.state, winner, Mark(cell), self.streams)
        return self

    def turn(self, x: int, o: int, cell: int) -> Game:
        return self.bid(x, o).mark(cell)

    def forfeit(self, *seats: int) -> Game:
        for seat in seats:
            self.state = SPACE.forfeit(self.state, seat, self.streams)
        return self

    @property
    def outcome(self) -> Outcome | None:
        return SPACE.outcome(self.state)

    def sees(self, viewer: int | None = None) -> dict[str, Any]:
        return SPACE.observe(self.state, viewer)


# ------------------------------------------------------------------ payment


@pytest.mark.parametrize(
    ("payment", "x_wins", "o_wins"),
    [
        ("all-pay", (70, 80), (80, 70)),
        ("richman", (70, 130), (130, 70)),
        ("poorman", (70, 100), (100, 70)),
    ],
)
def test_who_pays_what(payment: str, x_wins: tuple[int, int], o_wins: tuple[int, int]) -> None:
    assert Game(payment=payment).bid(30, 20).state.chips == x_wins
    assert Game(payment=payment).bid(20, 30).state.chips == o_wins


@pytest.mark.parametrize(
    ("payment", "chips"),
    [("all-pay", (75, 75)), ("richman", (125, 75)), ("poorman", (100, 75))],
)
def test_a_coin_charges_as_if_its_winner_had_bid_more(payment: str, chips: tuple[int, int]) -> None:
    game = Game(coins(0, winner=1), payment=payment).bid(25, 25)
    assert game.state.bid_winner == 1
    assert game.state.chips == chips
    assert game.sees()["log"][0]["tie"] == "coin"


# ------------------------------------------------------------------ ties


def test_each_ply_has_its_own_coin() -> None:
    for winner in (0, 1):
        game = Game(coins(1, winner)).turn(10, 0, 4).bid(7, 7)
        assert game.state.bid_winner == winner


def test_nothing_is_bid_by_both_and_the_coin_still_decides() -> None:
    game = Game(coins(0, winner=0)).turn(0, 0, 4)
    assert game.state.chips == (100, 100)
    assert game.state.board == "....X...."


def test_the_advantage_chip_wins_a_tie_and_changes_hands() -> None:
    game = Game(ties="advantage-chip")
    holder = game.state.advantage
    assert holder == game.streams.coin("advantage")
    game.turn(10, 10, 0)
    assert game.sees()["log"][0] == {
        "ply": 0, "bids": [10, 10], "winner": holder, "tie": "chip", "cell": 0,
    }  # fmt: skip
    assert game.state.advantage == 1 - holder
    game.turn(10, 10, 1)
    assert game.sees()["log"][1]["winner"] == 1 - holder
    assert game.state.advantage == holder


def test_the_advantage_chip_stays_where_it_is_without_a_tie() -> None:
    game = Game(ties="advantage-chip")
    holder = game.state.advantage
    assert game.turn(10, 20, 0).state.advantage == holder


def test_a_tie_that_is_bid_again_costs_nothing() -> None:
    game = Game(ties="rebid").bid(50, 50)
    assert game.state.chips == (100, 100)
    assert [decision.kind for decision in SPACE.decisions(game.state)] == ["bid", "bid"]
    assert game.bid(10, 20).state.bid_winner == 1
    assert [row["tie"] for row in game.sees()["log"]] == ["rebid", None]


def test_a_coin_ends_endless_rebidding_and_is_paid() -> None:
    game = Game(coins(0, winner=1), ties="rebid")
    for _ in range(MAX_REBIDS):
        assert game.bid(50, 50).state.bid_winner is None
    assert game.bid(50, 50).state.bid_winner == 1
    assert game.state.chips == (50, 50)
    game.mark(4).bid(1, 1)
    assert game.state.bid_winner is None, "the next ply has rebids of its own"


# ------------------------------------------------------------------ how it ends


def test_a_line_wins() -> None:
    game = Game().turn(10, 0, 0).turn(10, 0, 1).turn(10, 0, 2)
    assert game.outcome == Outcome("line", (1, -1))
    assert game.sees()["line"] == [0, 1, 2]
    assert game.sees()["winner"] == 0
    assert game.sees()["phase"] == "over"


def test_an_all_in_bid_that_makes_a_line_beats_bankruptcy() -> None:
    game = Game().turn(0, 30, 0).turn(0, 30, 4)
    game.bid(0, 40)
    assert game.state.chips == (100, 0)
    assert game.outcome is None, "broke, but a mark is owed"
    assert game.mark(8).outcome == Outcome("line", (-1, 1))


def test_a_seat_without_chips_has_lost() -> None:
    assert Game().turn(100, 1, 0).outcome == Outcome("bankruptcy", (-1, 1))
    assert Game().turn(100, 99, 0).outcome == Outcome("bankruptcy", (-1, 1))
    assert Game(payment="poorman").turn(1, 100, 0).outcome == Outcome("bankruptcy", (1, -1))


def test_both_broke_without_a_line_is_a_draw() -> None:
    assert Game().turn(100, 100, 0).outcome == Outcome("bankruptcy", (0, 0))


def test_a_broke_seat_plays_on_where_chips_only_change_hands() -> None:
    game = Game(payment="richman").turn(100, 0, 4)
    assert game.state.chips == (0, 200)
    assert game.outcome is None
    assert game.turn(0, 10, 0).state.chips == (10, 190)


FULL_BOARD = (0, 1, 2, 4, 3, 5, 7, 6, 8)
"""X takes the even turns, O the odd ones: no line."""


def full_board(x_last: int = 1, **params: Any) -> Game:
    game = Game(**params)
    for turn, cell in enumerate(FULL_BOARD):
        x, o = (1, 0) if turn % 2 == 0 else (0, 1)
        game.turn(x_last if turn == 8 else x, o, cell)
    assert game.state.free_cells == ()
    return game


def test_a_full_board_goes_to_the_seat_with_more_chips() -> None:
    game = full_board()  # X paid five, O four
    assert game.state.chips == (95, 96)
    assert game.outcome == Outcome("board-full", (-1, 1))


def test_a_full_board_is_a_draw_where_money_does_not_decide() -> None:
    assert full_board(decided_by="draw").outcome == Outcome("board-full", (0, 0))


def test_a_full_board_with_equal_chips_is_a_draw() -> None:
    game = Game(coins(8, winner=0), chips=50)
    for turn, cell in enumerate(FULL_BOARD[:8]):
        game.turn(*((1, 0) if turn % 2 == 0 else (0, 1)), cell)
    assert game.turn(0, 0, 8).outcome == Outcome("board-full", (0, 0))


def test_a_full_board_is_looked_at_before_bankruptcy() -> None:
    """X is broke, and still the full board is why it ends: where money does not decide, a draw."""
    game = full_board(x_last=96)
    assert game.state.chips == (0, 96)
    assert game.outcome == Outcome("board-full", (-1, 1))
    assert full_board(x_last=96, decided_by="draw").outcome == Outcome("board-full", (0, 0))


def test_a_line_on_the_last_cell_beats_the_count_of_money() -> None:
    game = Game()
    for turn, cell in enumerate((0, 2, 1, 3, 4, 5, 6, 7)):  # X: 0 1 4 6, O: 2 3 5 7
        game.turn(*((5, 0) if turn % 2 == 0 else (0, 1)), cell)
    assert game.turn(5, 0, 8).outcome == Outcome("line", (1, -1))


# ------------------------------------------------------------------ forfeits


@pytest.mark.parametrize(("seat", "returns"), [(0, (-1, 1)), (1, (1, -1))])
def test_a_forfeited_bid_loses(seat: int, returns: tuple[int, int]) -> None:
    game = Game().forfeit(seat)
    assert game.outcome == Outcome("forfeit", returns)
    assert SPACE.decisions(game.state) == ()


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_two_forfeits_in_one_turn_are_a_draw_in_any_order(order: tuple[int, int]) -> None:
    assert Game().forfeit(*order).outcome == Outcome("forfeit", (0, 0))


def test_a_forfeited_mark_loses_although_its_bid_won() -> None:
    game = Game().bid(10, 0).forfeit(0)
    assert game.outcome == Outcome("forfeit", (-1, 1))


def test_a_seat_that_has_bid_cannot_forfeit_that_turn() -> None:
    game = Game()
    game.state = SPACE.apply(game.state, 0, Bid(10), game.streams)
    with pytest.raises(ValueError, match="owes no decision"):
        game.forfeit(0)
    assert game.forfeit(1).outcome == Outcome("forfeit", (1, -1))


# ------------------------------------------------------------------ what is refused


@pytest.mark.parametrize(
    ("seat", "action", "fact"),
    [
        (0, Bid(101), "a bid is 0 to 100, your chips, got 101"),
        (1, Bid(-1), "got -1"),
        (0, Mark(4), "no mark"),
    ],
)
def test_illegal_bids(seat: int, action: Any, fact: str) -> None:
    with pytest.raises(IllegalAction, match=fact):
        SPACE.apply(Game().state, seat, action, Streams(bytes(32)))


def test_a_second_bid_is_refused() -> None:
    game = Game()
    game.state = SPACE.apply(game.state, 0, Bid(10), game.streams)
    with pytest.raises(IllegalAction, match="no bid to place"):
        SPACE.apply(game.state, 0, Bid(20), game.streams)


def test_illegal_marks() -> None:
    game = Game().turn(10, 0, 4).bid(10, 0)
    for cell in (4, 9, -1):
        with pytest.raises(IllegalAction, match=f"cell {cell} .*free cells: 0, 1, 2, 3, 5"):
            game.mark(cell)
    with pytest.raises(IllegalAction, match="no mark"):
        SPACE.apply(game.state, 1, Mark(0), game.streams)
    with pytest.raises(IllegalAction, match="no bid"):
        SPACE.apply(game.state, 0, Bid(0), game.streams)


def test_nothing_is_legal_after_the_end() -> None:
    game = Game().turn(100, 100, 0)
    with pytest.raises(IllegalAction, match="over"):
        SPACE.apply(game.state, 0, Bid(0), game.streams)


@pytest.mark.parametrize(
    "raw",
    [
        {"payment": "free"},
        {"ties": "dice"},
        {"chips": 0},
        {"chips": 10_001},
        {"chips": "100"},
        {"chips": 1.5},
        {"decided_by": None},
    ],
)
def test_bad_parameters(raw: dict[str, Any]) -> None:
    with pytest.raises(InvalidParams, match="bid-tac-toe"):
        SPACE.params(raw)


# ------------------------------------------------------------------ what is seen


def test_a_sealed_bid_is_seen_by_its_seat_alone() -> None:
    game = Game()
    game.state = SPACE.apply(game.state, 0, Bid(42), game.streams)
    assert game.sees(0)["your_bid"] == 42
    assert game.sees(1)["your_bid"] is None
    assert "your_bid" not in game.sees(None)
    assert game.sees(1)["bids_in"] == [True, False]
    for viewer in (None, 1):
        assert "42" not in str(game.sees(viewer))
    assert "42" not in SPACE.prompt(game.state, 1) + SPACE.headline(game.state)


def test_the_public_view_is_the_documented_shape() -> None:
    game = Game(coins(1, winner=0)).turn(30, 10, 4).bid(5, 5)
    assert game.sees() == {
        "board": "....X....",
        "chips": [65, 85],
        "ply": 1,
        "phase": "mark",
        "bids_in": [False, False],
        "bid_winner": 0,
        "payment": "all-pay",
        "ties": "coin",
        "decided_by": "money",
        "start_chips": 100,
        "advantage": None,
        "log": [
            {"ply": 0, "bids": [30, 10], "winner": 0, "tie": None, "cell": 4},
            {"ply": 1, "bids": [5, 5], "winner": 0, "tie": "coin", "cell": None},
        ],
        "line": None,
        "winner": None,
        "termination": None,
    }


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({}, "Both players lose what they bid"),
        ({"payment": "richman"}, "pays it to the other player"),
        ({"payment": "poorman"}, "the loser keeps its chips"),
        ({"ties": "rebid"}, "bid again; after three ties a coin decides"),
        ({"ties": "advantage-chip"}, "chip that wins a tie"),
        ({"decided_by": "draw"}, "Full board without a line: a draw."),
    ],
)
def test_the_prompt_tells_the_variant(params: dict[str, Any], sentence: str) -> None:
    assert sentence in SPACE.prompt(Game(**params).state, 0)


def test_the_prompt_of_a_variant_without_bankruptcy_does_not_speak_of_it() -> None:
    assert "Out of chips" in SPACE.prompt(Game().state, 0)
    assert "Out of chips" not in SPACE.prompt(Game(payment="richman").state, 0)
