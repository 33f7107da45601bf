"""`agon money`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.config import Config
from server.ledger import names
from server.protocol import QueueCard
from server.store import Store
from tests.server.money_world import deposit

Run = Callable[..., Awaitable[Result]]


async def no_queues() -> list[QueueCard]:
    return []


@pytest.fixture
async def agon(store: Store, redis: Redis) -> AsyncIterator[Run]:
    """Runs `agon money …` as the owner of Ember. Nothing crosses a border here: deposits stay on their way."""
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    await store.agents.register("Ember", account.account)
    await store.ledger.require([deposit(names.owner("usdc", account.account), 7_000_000)])
    token, _ = await store.logins.begin(account.account, 86_400_000)
    api = ApiServer(
        create_app(
            config=Config(),
            store=store,
            redis=redis,
            gateway_address=lambda: "ws://127.0.0.1:8601",
            queue_sizes=no_queues,
        ),
        "127.0.0.1",
        0,
    )

    async def run(*arguments: str, token: str = token) -> Result:
        env = {"AGON_URL": api.address, "AGON_TOKEN": token}
        return await asyncio.to_thread(CliRunner().invoke, app, ["money", *arguments], env=env)

    async with asyncio.TaskGroup() as group:
        group.create_task(api.run())
        yield run
        await api.drain()


async def told(agon: Run, *arguments: str) -> str:
    result = await agon(*arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


async def refused(agon: Run, *arguments: str, **env: str) -> str:
    result = await agon(*arguments, **env)
    assert result.exit_code != 0
    return str(result.exception)


async def test_a_statement_calls_what_moved_as_the_commands_do(agon: Run) -> None:
    assert "Ember now has 5.00 USDC" in await told(agon, "fund", "ember", "5")
    assert "your purse now has 4.00 USDC" in await told(agon, "take", "Ember", "2")
    own = (await told(agon, "statement")).splitlines()
    agents = (await told(agon, "statement", "--agent", "Ember")).splitlines()
    for lines, taken, funded in (
        (own, "from Ember", "to Ember"),
        (agents, "to your purse", "from your purse"),
    ):
        rows = [line for line in lines if line.startswith("20") and "USDC" in line]
        assert [row.split()[2] for row in rows[:2]] == ["take", "fund"]
        assert rows[0].endswith(taken)
        assert rows[1].endswith(funded)
    assert "  2 seats: 0.19 USDC, fee 0.01 USDC" in await told(agon, "fees")


async def test_who_has_too_little_is_told_how_much_and_what_to_do(agon: Run) -> None:
    assert await refused(agon, "fund", "Ember", "7.50") == (
        "your purse has 7.00 USDC available, 7.50 USDC is wanted;"
        " bring more in first: `agon money deposit AMOUNT`"
    )
    await told(agon, "fund", "Ember", "5")
    assert await refused(agon, "withdraw", "3") == (
        "your purse has 2.00 USDC available, 3.00 USDC is wanted;"
        " agents' money is taken back by `agon money take AGENT AMOUNT`"
    )
    said = await refused(agon, "take", "Ember", "6")
    assert said == "Ember has 5.00 USDC available, 6.00 USDC is wanted"


async def test_refusals_name_the_argument_and_where_to_look(agon: Run) -> None:
    assert await refused(agon, "fund", "Embr", "1") == (
        "unknown agent 'Embr'; `agon agents list` shows yours"
    )
    said = await refused(agon, "fund", "Ember", "99999999999")
    assert said.startswith("AMOUNT: expected an amount, ")
    assert "micros" not in said


@pytest.mark.parametrize(
    "amount", ["1e999999999999999999", "1e5000", "sNaN", "inf", "0", "0.0000001", "five"]
)
async def test_what_is_no_amount_is_not_sent(agon: Run, amount: str) -> None:
    result = await agon("fund", "Ember", amount)
    assert result.exit_code == 2, (result.output, result.exception)
    assert amount in result.output


async def test_a_token_that_is_not_known_is_named_as_that_of_the_variable(agon: Run) -> None:
    said = await refused(agon, "balance", token="agon_login_" + "x" * 40)
    assert "does not know the token in AGON_TOKEN" in said
    assert "agon login" in said
    assert "AGON_TOKEN holds what is no login" in await refused(agon, "balance", token="secret")
