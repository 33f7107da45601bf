"""`agon automation`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.commands.automation import lines
from server.config import Config
from server.protocol import QueueCard
from server.store import Store

Run = Callable[..., Awaitable[Result]]


async def no_queues() -> list[QueueCard]:
    return []


@pytest.fixture
async def agon(store: Store, redis: Redis) -> AsyncIterator[Run]:
    """Runs `agon automation …` as Ann, who owns Ember."""
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    await store.agents.register("Ember", account.account)
    api = ApiServer(
        create_app(
            config=Config(tiers_open=(0, 500_000)),
            store=store,
            redis=redis,
            gateway_address=lambda: "ws://127.0.0.1:8601",
            queue_sizes=no_queues,
        ),
        "127.0.0.1",
        0,
    )

    async def run(*arguments: str) -> Result:
        env = {"AGON_URL": api.address, "AGON_TOKEN": token}
        return await asyncio.to_thread(CliRunner().invoke, app, ["automation", *arguments], env=env)

    async with asyncio.TaskGroup() as group:
        group.create_task(api.run())
        yield run
        await api.drain()


async def limits(agon: Run, *arguments: str) -> dict[str, Any]:
    result = await agon(*arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    answer = result.stdout[result.stdout.index("{\n") :]  # behind what the API logs
    found: dict[str, Any] = json.loads(answer)["limits"]
    return found


async def test_limits_are_set_one_by_one_and_the_others_stay(agon: Run) -> None:
    first = await limits(agon, "set", "ember", "--space", "logic", "--tier", "0.50")
    assert first == {
        "tier_micros": 500_000,
        "spaces": ["logic"],
        "max_sessions": 10,
        "max_parallel": 1,
        "stop_loss_micros": 5_000_000,
        "take_profit_micros": None,
        "schedule": {"windows": []},
    }
    second = await limits(
        agon,
        "set",
        "Ember",
        "--take-profit",
        "2.5",
        "--hours",
        "sat 22:00-06:00",
        "--max-parallel",
        "3",
    )
    window = {"days": ["sat"], "opens": "22:00", "closes": "06:00"}
    assert second == first | {
        "take_profit_micros": 2_500_000,
        "schedule": {"windows": [window]},
        "max_parallel": 3,
    }
    third = await limits(agon, "set", "Ember", "--take-profit", "none", "--hours", "always")
    assert third == first | {"max_parallel": 3}


async def test_sums_of_play_money_do_not_become_sums_of_usdc(agon: Run) -> None:
    free = ("--tier", "free", "--stop-loss", "50", "--take-profit", "80")
    await limits(agon, "set", "Ember", "--space", "logic", *free)
    paid = await limits(agon, "set", "Ember", "--tier", "0.50")
    assert (paid["stop_loss_micros"], paid["take_profit_micros"]) == (5_000_000, None)
    named = await limits(agon, "set", "Ember", "--tier", "free", "--stop-loss", "20")
    assert named["stop_loss_micros"] == 20_000_000
    dearer = await limits(agon, "set", "Ember", "--tier", "free", "--take-profit", "9")
    assert (dearer["stop_loss_micros"], dearer["take_profit_micros"]) == (20_000_000, 9_000_000)


async def test_it_is_turned_on_and_off_and_shown(agon: Run) -> None:
    await agon("set", "Ember", "--space", "logic", "--tier", "free")
    assert "state        on" in (await agon("on", "Ember")).stdout
    shown = (await agon("show", "Ember")).stdout
    assert "plays        logic; the free tier" in shown
    assert "10.00 play dollars lost" in shown
    assert "run 1        0 begun, 0 open; won 0.00 play dollars" in shown
    assert "next entry   now" in shown
    assert "state        off" in (await agon("off", "Ember")).stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("show", "Ember"), "have not been set"),
        (("on", "Nobody"), "unknown agent 'Nobody'"),
        (("set", "Ember"), "name a Space"),
        (("set", "Ember", "--space", "chess"), "chess"),
        (("set", "Ember", "--space", "logic", "--stop-loss", "0.50"), "does not cover one entry"),
        (("set", "Ember", "--stop-loss", "much"), "'much' is no amount"),
        (("set", "Ember", "--hours", "noon"), "'noon' is no day"),
    ],
)
async def test_what_cannot_be_done_fails_with_its_reason(
    agon: Run, arguments: tuple[str, ...], said: str
) -> None:
    result = await agon(*arguments)
    assert result.exit_code != 0
    assert said in result.output + str(result.exception)


def test_a_stop_is_shown_with_its_reason() -> None:
    answer = {
        "state": "stopped",
        "reason": "stop-loss reached: lost 5.00 of at most 5.00 USDC",
        "limits": {
            "tier_micros": 500_000,
            "spaces": ["logic", "writing"],
            "max_sessions": 20,
            "max_parallel": 2,
            "stop_loss_micros": 5_000_000,
            "take_profit_micros": 10_000_000,
            "schedule": {"windows": [{"days": ["mon"], "opens": "08:00", "closes": "20:00"}]},
        },
        "run": {
            "number": 2,
            "asset": "usdc",
            "begun": 12,
            "open": 0,
            "at_risk_micros": 0,
            "profit_micros": -5_000_000,
        },
        "waits": None,
        "next_entry_ms": None,
    }
    assert lines(answer, 0) == [
        "state        stopped: stop-loss reached: lost 5.00 of at most 5.00 USDC",
        "plays        logic, writing; 0.50 USDC",
        "at most      20 sessions, 2 at once, 5.00 USDC lost",
        "stops at     10.00 USDC won",
        "hours        mon 08:00-20:00 (UTC)",
        "run 2        12 begun, 0 open; lost 5.00 USDC, 0.00 at risk",
    ]
