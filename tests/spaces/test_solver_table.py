"""Tables: files that cannot lie unnoticed, look-ups, and the certificate of how good they are."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from spaces.bid_tac_toe import rules
from spaces.bid_tac_toe.solver import induction, table_command, table_file, tables
from spaces.bid_tac_toe.solver.boards import children, classes, is_open, place
from spaces.bid_tac_toe.solver.certificate import certify
from spaces.bid_tac_toe.solver.induction import Settings
from spaces.bid_tac_toe.solver.stage import Variant
from spaces.bid_tac_toe.solver.table import Position, Table
from spaces.bid_tac_toe.state import CELLS, EMPTY, State
from spaces.bid_tac_toe.variants import Params
from tests.spaces.coin_falls import coin_falls

SMALL = Params(chips=4)
DEFAULT = Params()


@pytest.fixture
def interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the half minute that compiling takes; for so few chips it gains nothing."""
    monkeypatch.setattr(induction, "has_compiler", lambda: False)


@pytest.fixture
def built(tmp_path: Path, interpreted: None) -> Path:
    return table_command.build_table(SMALL, folder=tmp_path, certified=False)


def positions(chips: int) -> list[Position]:
    purses = [(x, o) for x in range(1, chips + 1) for o in range(1, chips + 1)]
    return [Position(board, purse) for board in classes()[::9] for purse in purses]


def test_a_built_table_is_read_back_as_it_was_solved(built: Path) -> None:
    table = table_file.read(built)
    assert not table.measured, "nobody has"
    exact = tables.solved(Variant.of(SMALL))
    unit = 1 / 32_767
    for position in positions(4):
        assert table.value(position) == pytest.approx(exact.value(position), abs=9 * unit)
        play = table.play(position)
        assert play.gap <= 2 * unit
        assert play.value == pytest.approx(table.value(position), abs=unit)
        assert all(sum(mix.values()) == pytest.approx(1) for mix in play.mixes)
    assert table.name.startswith("all-pay-coin-money-4@")


def test_building_twice_gives_the_same_table(built: Path, tmp_path: Path) -> None:
    again = table_command.build_table(SMALL, folder=tmp_path / "again", workers=2, certified=False)
    assert again.read_bytes() == built.read_bytes()


@pytest.mark.parametrize("at", ["magic", "header", "contents", "end"])
def test_a_damaged_file_is_refused(built: Path, at: str) -> None:
    raw = bytearray(built.read_bytes())
    match at:
        case "magic":
            raw[3] ^= 1
        case "header":
            raw[len(table_file.MAGIC) + 2] ^= 0x80
        case "contents":
            raw[len(raw) // 2] ^= 1
        case "end":
            del raw[-40:]
    built.write_bytes(raw)
    with pytest.raises(table_file.BadTable, match="all-pay-coin-money-4"):
        table_file.read(built)


def test_other_contents_under_the_same_header_are_refused(built: Path, tmp_path: Path) -> None:
    richman = table_command.build_table(
        Params(payment="richman", chips=4), folder=tmp_path, certified=False
    )
    header, contents = (path.read_bytes().split(b"\n", 2) for path in (built, richman))
    built.write_bytes(b"\n".join([header[0], header[1], contents[2]]))
    with pytest.raises(table_file.BadTable, match="not what it states"):
        table_file.read(built)


def test_a_table_of_other_rules_is_refused(built: Path) -> None:
    raw = built.read_bytes().replace(b"bid-tac-toe/1", b"bid-tac-toe/0")
    built.write_bytes(raw)
    with pytest.raises(table_file.BadTable, match=r"bid-tac-toe/0, not bid-tac-toe/1; build it"):
        table_file.read(built)


def test_tables_are_found_where_they_are_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreted: None
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tables, "CHEAP", 0)
    monkeypatch.setattr(tables, "SHIPPED", tmp_path / "none")
    with pytest.raises(tables.NoTable, match="table --payment all-pay --ties coin"):
        tables.find(SMALL)
    path = table_command.build_table(SMALL, certified=False)
    assert path.parent == tmp_path / "agon" / "tables"
    assert tables.find(SMALL).variant == Variant.of(SMALL)
    assert tables.find(Params(chips=3)) is tables.find(SMALL), "more chips cover fewer"
    with pytest.raises(tables.NoTable):
        tables.find(Params(chips=5))


@pytest.fixture
def shipped_and_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interpreted: None
) -> tuple[Path, Path]:
    """Folders without a table, and nothing that is solved in passing."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tables, "CHEAP", 0)
    monkeypatch.setattr(tables, "SHIPPED", tmp_path / "shipped")
    return tmp_path / "shipped", tables.cache_folder()


def test_junk_is_passed_over_for_the_next_table(shipped_and_cached: tuple[Path, Path]) -> None:
    shipped, cached = shipped_and_cached
    cached.mkdir(parents=True)
    junk = cached / "all-pay-coin-money-4.table"
    junk.write_bytes(b"junk")
    good = table_command.build_table(Params(chips=5), folder=cached, certified=False)
    torn = cached / "all-pay-coin-money-3.table"
    torn.write_bytes(good.read_bytes()[:-40])  # its header is whole
    with pytest.warns(RuntimeWarning, match="all-pay-coin-money-4.table is no table"):
        assert tables.find(Params(chips=4)).variant.chips == 5
    assert tables.locate(Variant.of(Params(chips=4)), (shipped, cached)) == good
    junk.unlink()
    with pytest.warns(RuntimeWarning, match="is damaged"):
        assert tables.find(Params(chips=3)).variant.chips == 5


def test_junk_alone_is_named_where_nothing_else_is_found(
    shipped_and_cached: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, cached = shipped_and_cached
    cached.mkdir(parents=True)
    (cached / "all-pay-coin-money-4.table").write_bytes(b"junk")
    (cached / "all-pay-coin-money-6.table").mkdir()
    with (
        pytest.warns(RuntimeWarning, match="passed over"),
        pytest.raises(tables.NoTable, match=r"passed over .*is no table.*build it with"),
    ):
        tables.find(SMALL)
    monkeypatch.setattr(tables, "CHEAP", 450)
    with pytest.warns(RuntimeWarning, match="passed over"):
        assert not tables.find(SMALL).measured, "solved in passing"


@pytest.mark.parametrize(
    "other", [Params(chips=4, decided_by="draw"), Params("poorman", chips=4), Params(chips=2)]
)
def test_a_file_is_not_believed_for_its_name(
    other: Params, shipped_and_cached: tuple[Path, Path]
) -> None:
    _, cached = shipped_and_cached
    path = table_command.build_table(other, folder=cached, certified=False)
    path.rename(cached / "all-pay-coin-money-4.table")
    assert tables.locate(Variant.of(SMALL), (cached,)) is None
    with (
        pytest.warns(RuntimeWarning, match=f"holds {Variant.of(other).name}, which does not cover"),
        pytest.raises(tables.NoTable),
    ):
        tables.find(SMALL)


def test_what_is_shipped_goes_before_what_lies_in_the_cache(
    shipped_and_cached: tuple[Path, Path],
) -> None:
    shipped, cached = shipped_and_cached
    table_command.build_table(SMALL, folder=cached, certified=False)
    table_command.build_table(Params(chips=5), folder=shipped, certified=False)
    assert tables.find(SMALL).variant.chips == 5


def test_a_table_that_fits_no_memory_is_refused_before_it_is_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(induction, "solve", lambda *_, **__: pytest.fail("it was begun"))
    with pytest.raises(
        ValueError, match=r"all-pay-coin-money-1000 would take about \d+ GiB.* 8 GiB"
    ):
        table_command.build_table(Params(chips=1_000), folder=tmp_path)
    assert table_command.estimated_bytes(Variant.of(DEFAULT)) < 2**28
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_written_is_told_before_solving(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(induction, "solve", lambda *_, **__: pytest.fail("it was begun"))
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        table_command.build_table(SMALL, folder=tmp_path / "file" / "folder")
    (tmp_path / "all-pay-coin-money-4.table").mkdir()
    with pytest.raises(IsADirectoryError):
        table_command.build_table(SMALL, folder=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2, "nothing is left behind"


def test_a_richman_table_covers_its_own_total_alone(tmp_path: Path, interpreted: None) -> None:
    params = Params(payment="richman", chips=4)
    table_command.build_table(params, folder=tmp_path, certified=False)
    assert tables.locate(Variant.of(params), (tmp_path,)) is not None
    fewer = Variant("richman", "coin", "money", 3)
    assert tables.locate(fewer, (tmp_path,)) is None


def test_the_certificate_is_printed_and_kept_in_the_header(
    tmp_path: Path, interpreted: None, capsys: pytest.CaptureFixture[str]
) -> None:
    path = table_command.build_table(SMALL, folder=tmp_path)
    told = json.loads(capsys.readouterr().out)
    found = told["certificate"]
    assert 0 <= found["exploitability"] <= 1e-4
    assert told["exploitability_micro"] == table_file.read_header(path).exploitability_micro
    assert told["measured"] is True
    assert table_file.read(path).measured
    assert table_file.read(path).exploitability <= 1e-4
    table_command.print_certificate(SMALL, path)
    again = json.loads(capsys.readouterr().out)
    assert again["exploitability"] == found["exploitability"]
    assert again["table"] == told["table"]


class Uniform(Table):
    """Any bid, any first cell: what nobody should play."""

    def bids(self, board: str, mode: int) -> tuple[Any, Any]:
        size = self.variant.shape[0]
        mixes = np.zeros((2, size, *self.variant.shape))
        for x, o in itertools.product(range(size), repeat=2):
            mixes[0, : x + 1, x, o] = 1 / (x + 1)
            mixes[1, : o + 1, x, o] = 1 / (o + 1)
        return mixes[0], mixes[1]

    def alike(self, board: str, mode: int) -> int:
        return 0

    def cells(self, board: str, seat: int, mode: int) -> Any:
        return np.full(self.variant.shape, children(board, seat)[0].cell)


def test_the_certificate_finds_out_a_bad_strategy() -> None:
    contents = tables.solved(Variant("all-pay", "coin", "money", 5)).contents
    found = certify(Uniform(contents, "uniform", 0.0))
    assert found["exploitability"] > 0.5


@pytest.mark.parametrize(
    ("player", "ties"),
    [
        pytest.param("table", "coin", marks=pytest.mark.slow),  # seconds; by look-ups below as well
        ("table", "advantage-chip"),
        ("uniform", "coin"),
        ("uniform", "advantage-chip"),
    ],
)
def test_the_certificate_agrees_with_the_rules(player: str, ties: Any) -> None:
    """Brute force: the best response of X to O's strategy, expanded by `rules` alone."""
    table = tables.solved(Variant("all-pay", ties, "money", 2))
    strategy = table if player == "table" else Uniform(table.contents, "uniform", 0.0)
    responses = BestResponse(strategy, Params(ties=ties, chips=2))
    holders = (0, 1) if ties == "advantage-chip" else (None,)
    starts = [responses.value(EMPTY * CELLS, (2, 2), holder) for holder in holders]
    found = certify(strategy)
    assert found["best_response"]["X"] == pytest.approx(sum(starts) / len(starts), abs=1e-9)


class BestResponse:
    """Of X."""

    def __init__(self, strategy: Table, params: Params) -> None:
        self.strategy, self.params = strategy, params
        self.known: dict[State, float] = {}

    def value(self, board: str, chips: tuple[int, int], holder: int | None) -> float:
        state = State(self.params, board, chips, holder)
        if state not in self.known:
            self.known[state] = self.expand(state)
        return self.known[state]

    def expand(self, state: State) -> float:
        outcome = rules.outcome(state)
        if outcome is not None:
            assert outcome.returns is not None
            return float(outcome.returns[0])
        mix = self.rival_mix(state)
        return max(
            sum(chance * self.after(state, i, j) for j, chance in mix.items())
            for i in range(state.chips[0] + 1)
        )

    def rival_mix(self, state: State) -> dict[int, float]:
        where = place(state.board)
        x, o = state.chips[::-1] if where.exchanged else state.chips
        mode = self.strategy.variant.mode(state.advantage, 0)
        if where.exchanged:
            mode = self.strategy.variant.exchanged_mode(mode)
        mixes = self.strategy.bids(where.board, mode)[0 if where.exchanged else 1]
        return {j: float(mixes[j, x, o]) for j in range(state.chips[1] + 1) if mixes[j, x, o]}

    def after(self, state: State, i: int, j: int) -> float:
        falls = coin_falls(state.ply) if i == j else coin_falls(state.ply)[:1]
        reached = {
            rules.place_bid(rules.place_bid(state, 0, i, streams), 1, j, streams)
            for streams in falls
        }
        return sum(map(self.marked, reached)) / len(reached)

    def marked(self, state: State) -> float:
        if state.bid_winner == 1:
            position = Position(state.board, state.chips, state.advantage)
            cells: tuple[int, ...] = (self.strategy.best_cell(position, 1),)
        else:
            cells = state.free_cells
        assert state.bid_winner is not None
        after = [rules.place_mark(state, state.bid_winner, cell) for cell in cells]
        return max(self.value(each.board, each.chips, each.advantage) for each in after)


@pytest.mark.parametrize("seat", [pytest.param(0, marks=pytest.mark.slow), 1])
def test_the_certificate_agrees_with_play_by_look_ups(built: Path, seat: int) -> None:
    """Brute force as above, but without classes of boards: whoever plays asks `play` and `best_cell`
    for the very board, as the solver brain does."""
    table = table_file.read(
        table_command.build_table(Params(chips=2), folder=built.parent, certified=False)
    )
    response = LookedUp(table, Params(chips=2), seat)
    found = certify(table)["best_response"]["XO"[seat]]
    sign = 1 - 2 * seat
    assert sign * response.value(EMPTY * CELLS, (2, 2), None) == pytest.approx(found, abs=1e-9)
    assert len(response.known) > 4_000, "boards are not reduced"


class LookedUp(BestResponse):
    """Of either seat, to the look-ups of a table."""

    def __init__(self, table: Table, params: Params, seat: int) -> None:
        super().__init__(table, params)
        self.seat = seat
        self.best = min if seat else max

    def expand(self, state: State) -> float:
        outcome = rules.outcome(state)
        if outcome is not None:
            assert outcome.returns is not None
            return float(outcome.returns[0])
        position = Position(state.board, state.chips, state.advantage)
        mix = self.strategy.play(position).mixes[1 - self.seat]
        return self.best(
            sum(
                chance * self.after(state, *((own, bid) if self.seat == 0 else (bid, own)))
                for bid, chance in mix.items()
            )
            for own in range(state.chips[self.seat] + 1)
        )

    def marked(self, state: State) -> float:
        winner = state.bid_winner
        assert winner is not None
        cells = state.free_cells
        if winner != self.seat:
            position = Position(state.board, state.chips, state.advantage)
            cells = (self.strategy.best_cell(position, winner),)
        after = [rules.place_mark(state, winner, cell) for cell in cells]
        return self.best(self.value(each.board, each.chips, each.advantage) for each in after)


@pytest.fixture(scope="module")
def shipped() -> Table:
    path = tables.locate(Variant.of(DEFAULT), (tables.SHIPPED,))
    assert path is not None, "the default variant's table ships with the program"
    return table_file.read(path)


def test_the_shipped_table_is_of_the_default_session_and_states_less_than_one_per_cent(
    shipped: Table,
) -> None:
    assert shipped.variant == Variant.of(DEFAULT)
    assert 0 < shipped.exploitability < 0.01
    assert shipped.measured


def test_the_shipped_table_answers_at_once_and_in_equilibrium(shipped: Table) -> None:
    rng = np.random.default_rng(7)
    every = ["".join(cells) for cells in itertools.product(".XO", repeat=CELLS)]
    open_boards = [board for board in every if is_open(board)]
    for _ in range(300):
        x, o = (int(chips) for chips in rng.integers(1, 101, size=2))
        play = shipped.play(Position(open_boards[rng.integers(len(open_boards))], (x, o)))
        assert play.gap <= 4 / 32_767
        assert max(play.mixes[0]) <= x
        assert max(play.mixes[1]) <= o
    assert abs(shipped.value(Position(EMPTY * CELLS, (100, 100)))) <= 1e-4


def test_the_shipped_table_follows_from_its_own_values(shipped: Table) -> None:
    """Whatever solved it: over some boards every stage, solved anew, has the value that it states."""
    fresh = induction.solve(Variant.of(Params(chips=9)), Settings(), classes())
    for board in classes()[::11]:
        grid = fresh.grids[fresh.which[board, 0]]
        for x, o in itertools.product(range(1, 10), repeat=2):
            assert shipped.value(Position(board, (x, o))) == pytest.approx(grid[x, o], abs=2e-4)
