"""The solver as a player: by the table, in every variant that has one, and honest where none is."""

from __future__ import annotations

import asyncio
import json
import random
import sys
from collections import Counter
from typing import Any

import pytest

from bots import brains
from bots.brains.bidder import BidderBrain, BidderSettings
from bots.brains.random import RandomBrain, RandomSettings
from bots.brains.solver import CannotSolve, SolverBrain, SolverSettings
from bots.errors import BotError
from bots.turn import Turn
from spaces.bid_tac_toe.solver import tables
from spaces.bid_tac_toe.solver.table import Position
from spaces.bid_tac_toe.variants import Params
from spaces.registry import get
from spaces.seed import Streams

VARIANTS = [
    {"payment": payment, "ties": ties, "decided_by": by, "chips": 3}
    for payment in ("all-pay", "richman", "poorman")
    for ties in ("coin", "advantage-chip", "rebid")
    for by in ("money", "draw")
]


def turn_of(view: dict[str, Any], seat: int, kind: str) -> Turn:
    return Turn(session="s", space="bid-tac-toe", turn=0, seat=seat, kind=kind, view=view)


async def play(params: dict[str, Any], players: list[Any], seed: int) -> tuple[int, ...]:
    """One session, straight through the rules; every action must be legal at once."""
    space = get("bid-tac-toe")
    streams = Streams(random.Random(seed).randbytes(32))
    state = space.initial(space.params(params), streams)
    while (outcome := space.outcome(state)) is None:
        for decision in space.decisions(state):
            view = space.observe(state, decision.seat)
            answer = await players[decision.seat].act(turn_of(view, decision.seat, decision.kind))
            text = answer if isinstance(answer, str) else json.dumps(answer)
            state = space.apply(state, decision.seat, space.parse(decision.kind, text), streams)
    assert outcome.returns is not None
    assert outcome.termination != "forfeit"
    return outcome.returns


async def score(params: dict[str, Any], rival: Any, games: int) -> float:
    """The solver's mean return in stakes; the seats are swapped every other game."""
    solver = SolverBrain(SolverSettings(seed=1))
    total = 0
    for game in range(games):
        seat = game % 2
        players = [solver, rival] if seat == 0 else [rival, solver]
        total += (await play(params, players, game))[seat]
    return total / games


@pytest.mark.parametrize("params", VARIANTS, ids=lambda p: "-".join(map(str, p.values())))
async def test_the_solver_beats_chance_in_every_variant(params: dict[str, Any]) -> None:
    assert await score(params, RandomBrain(RandomSettings(seed=2)), 60) >= 0.4


async def test_the_solver_does_not_lose_to_the_bidder_in_the_default_session() -> None:
    # The equilibrium guarantees 0 in the mean; 200 sessions have a standard error of 0.07.
    assert await score({}, BidderBrain(BidderSettings(seed=3)), 200) >= -0.1


async def test_the_solver_beats_chance_in_the_default_session() -> None:
    assert await score({}, RandomBrain(RandomSettings(seed=4)), 60) >= 0.7


async def test_bids_are_drawn_from_the_mix() -> None:
    space = get("bid-tac-toe")
    view = space.observe(space.initial(space.params({}), Streams(b"d" * 32)), 0)
    brain = SolverBrain(SolverSettings(seed=5))
    bids = Counter([(await brain.act(turn_of(view, 0, "bid")))["bid"] for _ in range(1_500)])
    mix = tables.find(Params()).play(Position("." * 9, (100, 100))).mixes[0]
    assert set(bids) <= set(mix)
    for bid, chance in mix.items():
        # Four standard deviations and a little.
        assert abs(bids[bid] / 1_500 - chance) <= 4 * (chance / 1_500) ** 0.5 + 0.003


async def test_a_tied_bid_is_bid_again_by_its_own_mix() -> None:
    """What the log tells of free ties reaches the table."""
    params = Params(ties="rebid", chips=3)
    table = tables.find(params)
    space = get("bid-tac-toe")
    log = [{"ply": 0, "bids": [0, 0], "winner": None, "tie": "rebid", "cell": None}]
    state = space.initial(space.params({"ties": "rebid", "chips": 3}), Streams(b"t" * 32))
    for rebids in range(4):
        view = space.observe(state, 0) | {"log": log * rebids}
        brain = SolverBrain(SolverSettings(seed=6))
        drawn = {(await brain.act(turn_of(view, 0, "bid")))["bid"] for _ in range(60)}
        mix = table.play(Position("." * 9, (3, 3), rebids=rebids)).mixes[0]
        assert drawn <= set(mix)


async def test_a_variant_without_a_table_names_the_command() -> None:
    space = get("bid-tac-toe")
    params = space.params({"chips": 9_999})
    view = space.observe(space.initial(params, Streams(b"n" * 32)), 0)
    brain = SolverBrain(SolverSettings())
    with pytest.raises(CannotSolve, match=r"python -m spaces.bid_tac_toe.solver table .*9999"):
        await brain.act(turn_of(view, 0, "bid"))
    assert issubclass(CannotSolve, BotError)


async def test_reading_the_table_does_not_stop_the_event_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    read = asyncio.Event()
    loop = asyncio.get_running_loop()
    find = tables.find

    def slow(params: Params) -> Any:
        # Waits for the loop, so it must not be the loop's own thread.
        asyncio.run_coroutine_threadsafe(read.wait(), loop).result(timeout=10)
        return find(params)

    monkeypatch.setattr(tables, "find", slow)
    space = get("bid-tac-toe")
    view = space.observe(space.initial(space.params({}), Streams(b"l" * 32)), 0)
    acting = asyncio.create_task(SolverBrain(SolverSettings()).act(turn_of(view, 0, "bid")))
    await asyncio.sleep(0)
    read.set()
    assert "bid" in await acting


def test_an_unknown_decision_is_said_plainly() -> None:
    with pytest.raises(NotImplementedError, match="dance"):
        asyncio.run(SolverBrain(SolverSettings()).act(turn_of({}, 0, "dance")))


def test_the_solver_is_a_brain_of_its_space() -> None:
    assert isinstance(brains.make("solver", "bid-tac-toe", {"seed": 1}), SolverBrain)
    with pytest.raises(brains.BadSettings, match="plays bid-tac-toe"):
        brains.make("solver", "rap-battle")


def test_naming_the_brains_does_not_load_numpy() -> None:
    import subprocess

    code = "import sys, bots.brains, spaces.registry; print('numpy' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "False"
