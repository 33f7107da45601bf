"""An owner's desk: what the HTTP API answers, by path. Made up, in the shapes of `owner.arena`."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tui_client.director import step
from tui_client.owner import arena, desk
from tui_client.owner.answers import (
    Automation,
    Balance,
    Balances,
    Brain,
    Crossing,
    Crossings,
    Escrow,
    EscrowLimits,
    Fees,
    Improved,
    Limits,
    Line,
    OwnAgent,
    OwnAgents,
    Run,
    Seat,
    Session,
    Sessions,
    Shelf,
    SpaceCard,
    SpaceList,
    Spec,
    Statement,
    Table,
    Taken,
    Tier,
)
from tui_client.owner.calls import Answered
from tui_client.owner.desk import OpenDesk, Pressed
from tui_client.owner.logins import SignedIn
from tui_client.owner.pixels import Colour, Pixels
from tui_client.recording import career, learning
from tui_client.recording.arena import lobby_start
from tui_client.recording.cast import RAP, START_MS
from tui_client.state import Connected, State, Tick

ME = SignedIn("01KOWNER", "0x52908400098527886E0F7030069857D2E4169EE7", START_MS + 86_400_000)
FROSTBITE, SOLVER, QUILL = "agent-frostbite", "agent-solver", "agent-quill"
TIERS = (0, 100_000, 500_000, 1_000_000, 5_000_000, 25_000_000)
PROMPT = """You are Frostbite, a battle rapper made of winter. Answer your opponent's last bars directly.
Every couplet rhymes on its last stressed vowel; internal rhymes are better. No slurs, no clichés about ice \
cubes. Eight bars, at most 110 characters each."""
IMPROVED = """You are Frostbite, a battle rapper made of winter. First quote one word of your opponent's last \
bars and turn it against them. Every couplet rhymes on its last stressed vowel; internal rhymes are better. \
No slurs, no clichés about ice cubes. Keep to the topic you are given. Eight bars, at most 110 characters each."""

HELPED = Improved(
    IMPROVED,
    (
        "It says how to answer: by a word of the opponent's.",
        "Judges look whether bars keep to the topic.",
    ),
)
AGENTS = OwnAgents(
    (
        OwnAgent(FROSTBITE, "Frostbite", "hosted", "Winter on the block.", f"{FROSTBITE}@v3", 3,
                 Spec(prompt=PROMPT, temperature=0.9, spaces=("rap-battle", "writing")), ("rap-battle", "writing"), 7),
        OwnAgent(SOLVER, "Solver", "remote", "Plays the exact solution.", f"{SOLVER}@v2", 2,
                 Spec(brain="solver", spaces=("bid-tac-toe",), build="4f2a91c"), ("bid-tac-toe",), 3),
        OwnAgent(QUILL, "Quill", "hosted", "", f"{QUILL}@v2", 2, Spec(spaces=("rap-battle",)), ("rap-battle",), 2),
    )
)  # fmt: skip
SPACES = SpaceList(
    (
        SpaceCard("rap-battle", "Rap Battle", 2, 2_000, TIERS),
        SpaceCard("bid-tac-toe", "Bid Tac Toe", 2, 2_000, TIERS),
        SpaceCard("writing", "Writing", 5, 4_000, TIERS),
        SpaceCard("logic", "Logic", 5, 2_000, TIERS),
        SpaceCard("prediction", "Prediction", 5, 2_000, TIERS),
        SpaceCard("trade-wars", "Trade Wars", 5, 2_000, TIERS),
    )
)
BALANCES = Balances(
    (
        Balance("owner", "usdc", "", 8_250_000, 0, 5_000_000),
        Balance("owner", "play", "", 25_000_000),
        Balance(FROSTBITE, "play", "Frostbite", 12_400_000, 1_000_000),
        Balance(SOLVER, "usdc", "Solver", 3_150_000),
    ),
    "simulated",
)
FEES = Fees(
    tuple(
        Tier(tier, "usdc" if tier else "play", entry, True,
             (Table(2, 2 * entry, Taken(entry // 25, entry // 25, entry // 50), (2 * entry * 95 // 100, 0)),
              Table(5, 5 * entry, Taken(entry // 10, entry // 10, entry // 20),
                    tuple(entry * share // 1_000 for share in (2_375, 1_425, 950, 0, 0)))))
        for tier, entry in ((tier, tier or 1_000_000) for tier in TIERS)
    ),
    "simulated",
)  # fmt: skip
SHELF = Shelf(
    (Brain("llm", ("rap-battle", "bid-tac-toe", "writing")), Brain("random"), Brain("solver", ("bid-tac-toe",))),
    ("SmolLM2-135M-Instruct", "Qwen3-4B"),
)  # fmt: skip
CROSSINGS = Crossings(
    (
        Crossing("c3", "deposit", 5_000_000, "pending", None, START_MS - 20_000),
        Crossing("c2", "withdrawal", 40_000_000, "failed", "the simulated chain was told to refuse it", START_MS - 7_200_000),
        Crossing("c1", "deposit", 10_000_000, "confirmed", None, START_MS - 86_000_000),
    )
)  # fmt: skip


ESCROW = Escrow(
    "chain", ME.wallet, 12_000_000, 1_000_000, 3_800_000, 4_000_000, 0, 3_000_000,
    EscrowLimits(5_000_000, 20_000_000, START_MS // 1_000 + 29 * 86_400), 600,
)  # fmt: skip
REFUSED = Escrow(
    "chain", ME.wallet, 12_000_000, 0, 0, 0, 0, 0, None, 600, "limits-missing",
    f"the escrow takes nothing from {ME.wallet} before its owner has signed limits: `agon wallet limits` sets them",
)  # fmt: skip


def on_chain(escrow: Escrow) -> dict[str, Any]:
    """The same answers where the money is on a chain; two sessions of the chosen purse were void."""
    balances = msgspec.structs.replace(BALANCES, settlement="chain")
    void = (
        Line(92, START_MS - 30_000, "refund", "posted", "01KVOID0000000000000000002", "usdc:pot:01KVOID", 500_000, 500_000, 3_650_000),
        Line(91, START_MS - 90_000, "entry", "post", "t1", "usdc:queue:bid-tac-toe", 500_000, -500_000, 3_150_000),
    )  # fmt: skip
    return {
        **answers(),
        arena.balances().path: balances,
        arena.escrow().path: escrow,
        arena.statement(SOLVER, "usdc").path: Statement(void),
    }


def statement(holder: str) -> Statement:
    """The last lines of a purse, newest first."""
    told: tuple[tuple[str, str, str | None, str, int, int], ...]
    if holder == "owner":
        told = (
            ("deposit", "pending", "c3", "usdc:chain", 5_000_000, 0),
            ("fund", "posted", None, f"usdc:agent:{SOLVER}", 5_000_000, -5_000_000),
            ("deposit", "post", "c1", "usdc:chain", 10_000_000, 10_000_000),
        )
    else:
        told = (
            ("entry", "pending", "t9", "play:queue:rap-battle", 1_000_000, 0),
            (
                "winnings",
                "posted",
                "01KRAPBATTLE00000000000009",
                "play:pot:01K9",
                1_900_000,
                1_900_000,
            ),
            ("entry", "post", "t8", "play:queue:rap-battle", 1_000_000, -1_000_000),
            ("entry", "void", "t7", "play:queue:writing", 1_000_000, 0),
            ("grant", "posted", None, "play:mint", 10_000_000, 10_000_000),
        )
    balance, lines = 8_250_000 if holder == "owner" else 12_400_000, []
    for at, (code, kind, about, other, amount, micros) in enumerate(told):
        lines.append(
            Line(
                90 - at, START_MS - at * 340_000, code, kind, about, other, amount, micros, balance
            )
        )
        balance -= micros
    return Statement(tuple(lines))


AUTOMATIONS = {
    FROSTBITE: Automation(
        "on",
        Limits(0, ("rap-battle", "writing"), 50, 2, 5_000_000, 10_000_000),
        Run(4, "play", 23, 1, 1_000_000, 2_650_000),
        None,
        changed_ms=START_MS - 3_600_000,
    ),
    SOLVER: Automation(
        "stopped",
        Limits(500_000, ("bid-tac-toe",), 200, 1, 2_000_000, None, {"windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "opens": "08:00", "closes": "20:00"}]}),
        Run(2, "usdc", 31, 0, 0, -1_850_000),
        "stop-loss reached: lost 1.85 of at most 2.00 USDC, and an entry costs 0.50",
        changed_ms=START_MS - 600_000,
    ),
    QUILL: Automation(),
}  # fmt: skip
BATTLE = Session(
    RAP,
    "rap-battle",
    "live",
    (Seat(0, FROSTBITE, "Frostbite", f"{FROSTBITE}@v3"), Seat(1, "agent-ember", "Ember", "v1")),
    0,
    START_MS - 48_000,
    "round 3/3, seat 1: winter on the block",
)


def picture(agent: str) -> Pixels:
    """Eight by eight, mirrored, each cell two pixels."""
    digest = hashlib.sha256(agent.encode()).digest()
    ground: Colour = (22 + digest[0] % 24, 26 + digest[1] % 24, 34 + digest[2] % 24)
    main: Colour = (80 + digest[3] % 150, 80 + digest[4] % 150, 80 + digest[5] % 150)
    half = [
        [main if digest[6 + y * 3 + x] < 120 + 20 * x else ground for x in range(3)]
        for y in range(6)
    ]
    inner = [[ground, *row, *reversed(row), ground] for row in half]
    cells = [[ground] * 8, *inner, [ground] * 8]
    return Pixels(tuple(tuple(cells[y // 2][x // 2] for x in range(16)) for y in range(16)))


def learnt(*, testing: bool = False) -> dict[str, Any]:
    """The same answers, of an agent that trains, or whose candidate is in the gate."""
    return {**answers(), **learning.answers(testing=testing)}


def answers() -> dict[str, Any]:
    """What each path is answered with."""
    found: dict[str, Any] = {
        **career.answers(),
        **learning.answers(),
        arena.versions(FROSTBITE).path: career.VERSIONS,
        arena.own_agents().path: AGENTS,
        arena.spaces().path: SPACES,
        arena.balances().path: BALANCES,
        arena.shelf().path: SHELF,
        arena.fees().path: FEES,
        arena.crossings().path: CROSSINGS,
        **{
            arena.statement(each.holder, each.asset).path: statement(each.holder)
            for each in BALANCES.balances
        },
    }
    for agent in AGENTS.agents:
        found[arena.automation(agent.agent).path] = AUTOMATIONS[agent.agent]
        playing = (BATTLE,) if agent.agent == FROSTBITE else ()
        found[arena.live_sessions(agent.agent).path] = Sessions(playing)
        found[arena.avatar(agent.agent).path] = picture(agent.agent)
    return found


def served(state: State, known: Mapping[str, Any] | None = None) -> State:
    """The state once everything that it asks for is answered."""
    known = answers() if known is None else known
    while calls := desk.wanted(state.desk, state.now_ms):
        for call in calls:
            state = step(state, Answered(call.id, known.get(call.path)))
    return state


def at_desk(*keys: str, known: Mapping[str, Any] | None = None) -> State:
    """The desk after these keys, pressed one by one while everything is answered at once."""
    state = step(State(arena="http://127.0.0.1:8600"), Tick(START_MS))
    for happened in (Connected(), *lobby_start(), ME, OpenDesk()):
        state = step(state, happened)
    state = served(state, known)
    for key in keys:
        state = served(step(state, pressed(key)), known)
    return state


def pressed(key: str) -> Pressed:
    return Pressed(key, key if len(key) == 1 else " " if key == "space" else None)


def written(words: str) -> Sequence[str]:
    """The keys that write some words."""
    named = {" ": "space", "\n": "enter"}
    return [named.get(character, character) for character in words]
