"""Brains that need no model, played through the rules themselves."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

import pytest

from bots import bridged, command
from bots.brains import Brain
from bots.brains.bidder import BidderBrain, BidderSettings, best_cell, completes, swing_of, value
from bots.brains.faults import Reply, diagnose
from bots.brains.random import RandomBrain, RandomSettings
from bots.errors import BotError
from bots.hosted import HostedAgent
from bots.runner import Runner
from bots.turn import Turn
from spaces import registry
from spaces.registry import UnknownSpace, get
from spaces.seed import Streams
from spaces.space import Outcome

VARIANTS = [
    {"payment": payment, "ties": ties, "decided_by": by}
    for payment in ("all-pay", "richman", "poorman")
    for ties in ("coin", "advantage-chip", "rebid")
    for by in ("money", "draw")
]


async def play(space_id: str, params: dict[str, Any], brains: list[Any], seed: int) -> Outcome:
    """One session, straight through the rules; every action must be legal at once."""
    space = get(space_id)
    streams = Streams(random.Random(seed).randbytes(32))
    state = space.initial(space.params(params), streams)
    while (outcome := space.outcome(state)) is None:
        for decision in space.decisions(state):
            view = space.observe(state, decision.seat)
            turn = Turn(
                session="s",
                space=space_id,
                turn=0,
                seat=decision.seat,
                kind=decision.kind,
                view=view,
            )
            answer = await brains[decision.seat].act(turn)
            text = answer if isinstance(answer, str) else json.dumps(answer)
            state = space.apply(state, decision.seat, space.parse(decision.kind, text), streams)
    return outcome


@pytest.mark.parametrize("params", VARIANTS, ids=lambda p: "-".join(p.values()))
async def test_the_bidder_beats_chance_in_every_variant(params: dict[str, Any]) -> None:
    bidder = BidderBrain(BidderSettings(seed=1))
    chance = RandomBrain(RandomSettings(seed=2))
    score, games = 0.0, 100
    for game in range(games):
        seat = game % 2
        brains = [bidder, chance] if seat == 0 else [chance, bidder]
        outcome = await play("bid-tac-toe", params, brains, game)
        assert outcome.returns is not None
        assert outcome.termination != "forfeit"
        score += (1 + outcome.returns[seat]) / 2
    assert score / games >= 0.8, f"{score:.1f} of {games}"


async def test_random_plays_rap_battles_within_the_limits() -> None:
    for seed in range(20):
        brains = [RandomBrain(RandomSettings(seed)), RandomBrain(RandomSettings(seed + 1))]
        params = {"rounds": 2, "bars": 1 + seed % 5, "char_limit": 40 + 30 * seed}
        outcome = await play("rap-battle", params, brains, seed)
        assert outcome.termination == "complete"


def dance(space: str) -> Turn:
    return Turn(session="s", space=space, turn=0, seat=0, kind="dance", view={})


def test_an_unknown_decision_is_said_plainly() -> None:
    with pytest.raises(NotImplementedError, match="dance"):
        asyncio.run(BidderBrain(BidderSettings()).act(dance("bid-tac-toe")))


def test_an_unknown_space_is_said_plainly() -> None:
    with pytest.raises(UnknownSpace, match="no space 'x'; there are bid-tac-toe, rap-battle"):
        asyncio.run(RandomBrain(RandomSettings()).act(dance("x")))


def test_the_random_turn_game_is_fair_and_the_centre_is_worth_most() -> None:
    assert value("." * 9) == 0.5
    assert best_cell("." * 9, 0, random.Random(1)) == 4
    assert best_cell("." * 9, 1, random.Random(1)) == 4


def test_a_win_comes_before_a_block_before_the_rest() -> None:
    rng = random.Random(1)
    assert best_cell("XX.OO....", 0, rng) == 2
    assert best_cell("XX.OO....", 1, rng) == 5
    assert best_cell("XX.......", 1, rng) == 2
    assert completes("XX.OO....", 0)
    assert not completes("XXO......", 0)
    assert swing_of("XX.OO....", 0) == 1.0


async def test_a_certain_win_is_bought_at_the_price_it_costs() -> None:
    bidder = BidderBrain(BidderSettings(seed=1))
    view = {"board": "XX.O.O...", "chips": [60, 40], "payment": "all-pay", "advantage": None}
    turn = Turn(session="s", space="bid-tac-toe", turn=0, seat=0, kind="bid", view=view)
    assert await bidder.act(turn) == {"bid": 41}


async def test_the_bidder_never_goes_broke_without_need() -> None:
    view = {"board": "....X....", "chips": [3, 50], "payment": "all-pay", "advantage": None}
    for seed in range(200):
        bidder = BidderBrain(BidderSettings(seed=seed, boldness=3.0))
        turn = Turn(session="s", space="bid-tac-toe", turn=0, seat=0, kind="bid", view=view)
        assert (await bidder.act(turn))["bid"] < 3


KUHN = "openspiel:kuhn_poker"


def kuhn_turn() -> Turn:
    space = get(KUHN)
    state = space.initial(space.params({}), Streams(bytes(32)))
    return Turn(
        session="s", space=KUHN, turn=0, seat=0, kind="move", view=space.observe(state, 0)
    )  # fmt: skip


def test_a_turn_of_an_arena_loads_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even one that this program could play: only its owner names those (`bots.bridged`)."""
    monkeypatch.setattr(registry, "_registered", {})
    turn, brain = kuhn_turn(), RandomBrain(RandomSettings(seed=1))

    def resolved(_: str) -> None:
        raise AssertionError("a library was asked for")

    with monkeypatch.context() as patch:
        patch.setattr(registry, "get", resolved)
        with pytest.raises(UnknownSpace):
            asyncio.run(brain.act(turn))
        assert diagnose(Reply("action: 7"), turn) is None, "the arena will say"
    bridged.offer(KUHN, "random")
    assert asyncio.run(brain.act(turn)).startswith("action: ")
    assert diagnose(Reply("action: 7"), turn) is not None


def test_a_bridged_game_that_cannot_be_had_stops_the_brains_that_need_its_rules(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    with pytest.raises(BotError, match="OpenSpiel has no game 'poker'"):
        bridged.offer("openspiel:poker", "random")
    assert bridged.offer("openspiel:poker", "llm") == "openspiel:poker"
    assert bridged.offer("a-space-of-tomorrow", "random") == "a-space-of-tomorrow"
    assert registry.offered() == registry.all_spaces()


def test_a_bridged_game_is_known_by_its_id_however_it_was_spelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    assert bridged.offer("openspiel:go(board_size=9)", "random") == "openspiel:go:board_size-9"


def test_the_runner_offers_what_its_agents_play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    Runner("http://127.0.0.1:9", [HostedAgent(name="Chance", space=KUHN, brain="random")])
    assert registry.get_offered(KUHN).id == KUHN


def test_the_bot_command_offers_what_its_user_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})
    monkeypatch.setattr(command, "run", lambda *_, **__: None)
    command.play_brain(
        space=KUHN, brain="random", name="", sessions=1, url="http://127.0.0.1:9", settings={}
    )
    assert registry.get_offered(KUHN).id == KUHN


def test_who_has_the_runner_may_dress_the_brains_of_its_agents() -> None:
    agents = [HostedAgent(name="Dice", space="bid-tac-toe", brain="random")]
    seen: list[tuple[str, type[Brain]]] = []

    def dressed(agent: HostedAgent, brain: Brain) -> Brain:
        seen.append((agent.name, type(brain)))
        return brain

    Runner("http://127.0.0.1:9", agents, dressed=dressed)
    assert seen == [("Dice", RandomBrain)]
