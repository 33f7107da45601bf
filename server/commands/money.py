"""`agon money`: what one has, every line of it, and moving it. Speaks to the public API alone."""

from __future__ import annotations

import asyncio
import secrets
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation, Overflow
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, OwnAgent, Url, ask, tell

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="money",
    help="See what you have, fund agents, deposit, withdraw.",
    epilog="Example: agon money fund Ember 5",
    no_args_is_help=True,
    rich_markup_mode=None,
)

PAGE = 100
MICROS = 1_000_000
SENT_MICROS = 2**63 - 1
"""What an arena can be asked for; what it allows is for it to say."""
CROSSING_S = 120.0
"""How long a deposit or withdrawal is waited for."""
SIMULATED = "(simulated: no chain and no real money is behind it)"

OPTIONS = {"micros": "AMOUNT", "holder": "--agent", "limit": "--lines"}
"""Field of a request -> what sets it."""
DEPOSIT = {"unfunded": "bring more in first: `agon money deposit AMOUNT`"}
TAKE = {"unfunded": "agents' money is taken back by `agon money take AGENT AMOUNT`"}

Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="USDC, as in 5 or 0.50.")]


@app.command(epilog="Example: agon money balance")
def balance(url: Url = None, as_json: AsJson = False) -> None:
    """Print what you and each of your agents have."""
    tell(ask(url, lambda api: api.get("/v1/me/balances")), as_json, _balances)


@app.command(epilog="Example: agon money fund Ember 5")
def fund(agent: OwnAgent, amount: Amount, url: Url = None, as_json: AsJson = False) -> None:
    """Give an agent USDC from your own purse."""
    micros = _micros(amount)
    moved = ask(url, lambda api: _move(api, None, agent, micros), options=OPTIONS, help_=DEPOSIT)
    tell(moved, as_json, _moved)


@app.command(epilog="Example: agon money take Ember 2.50")
def take(agent: OwnAgent, amount: Amount, url: Url = None, as_json: AsJson = False) -> None:
    """Take USDC back from an agent."""
    micros = _micros(amount)
    moved = ask(url, lambda api: _move(api, agent, None, micros), options=OPTIONS)
    tell(moved, as_json, _moved)


@app.command(epilog="Example: agon money deposit 20")
def deposit(amount: Amount, url: Url = None, as_json: AsJson = False) -> None:
    """Bring USDC in from your wallet, and wait until it is there."""
    micros = _micros(amount)
    crossed = ask(url, lambda api: _cross(api, "/v1/deposits", micros), options=OPTIONS)
    tell(crossed, as_json, _crossed)


@app.command(epilog="Example: agon money withdraw 20")
def withdraw(amount: Amount, url: Url = None, as_json: AsJson = False) -> None:
    """Take USDC out to your wallet, and wait until it has left."""
    micros = _micros(amount)
    crossed = ask(
        url, lambda api: _cross(api, "/v1/withdrawals", micros), options=OPTIONS, help_=TAKE
    )
    tell(crossed, as_json, _crossed)


@app.command(epilog="Example: agon money statement --agent Ember --csv > ember.csv")
def statement(
    agent: Annotated[
        str | None, typer.Option(help="An agent of yours; without it, your own purse.")
    ] = None,
    play: Annotated[bool, typer.Option("--play", help="Play money instead of USDC.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="All of it as CSV.")] = False,
    lines: Annotated[int, typer.Option(min=1, max=PAGE, help="How many, the newest.")] = 30,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print every line of a purse, newest first.

    When (UTC), why, how much, what was left then, and what it was about. [Brackets] reserve and move nothing yet.
    """
    asset = "play" if play else "usdc"

    async def work(api: OwnerApi) -> Any:
        path = "/v1/me/statement.csv" if as_csv else "/v1/me/statement"
        found = await api.get(path, holder=await _holder(api, agent), asset=asset, limit=lines)
        purses = [] if as_csv or as_json else (await api.get("/v1/me/balances"))["balances"]
        return found, {each["account"]: each["name"] or "your purse" for each in purses}

    answer, names = ask(url, work)
    if as_csv:
        sys.stdout.write(answer.decode())
    else:
        tell(answer, as_json, lambda told: _statement(told, names, own=agent is None))


@app.command(epilog="Example: agon money fees")
def fees(url: Url = None, as_json: AsJson = False) -> None:
    """Print what each tier costs and what each place gets."""
    tell(ask(url, lambda api: api.get("/v1/fees"), nobody=True), as_json, _fees)


async def _holder(api: OwnerApi, agent: str | None) -> str:
    from bots.owner import own_agent

    return "owner" if agent is None else await own_agent(api, agent)


async def _move(api: OwnerApi, source: str | None, to: str | None, micros: int) -> Any:
    body = {
        "source": await _holder(api, source),
        "to": await _holder(api, to),
        "micros": micros,
    }
    return await api.post("/v1/transfers", body, idempotency_key=secrets.token_hex(16))


async def _cross(api: OwnerApi, path: str, micros: int) -> Any:
    """The crossing as it ended, or as it stands after CROSSING_S."""
    key = secrets.token_hex(16)
    crossing = await api.post(path, {"micros": micros}, idempotency_key=key)
    answer: Any = None
    waited_s = 0.0
    while waited_s < CROSSING_S:
        answer = await api.get("/v1/me/crossings")
        crossing = next(
            (each for each in answer["crossings"] if each["id"] == crossing["id"]), crossing
        )
        if crossing["state"] != "pending":
            break
        await asyncio.sleep(0.5)
        waited_s += 0.5
    return crossing | {"settlement": answer["settlement"] if answer else ""}


def _micros(amount: str) -> int:
    """An amount as people write it, in micros. Raises typer.BadParameter."""
    try:
        micros = Decimal(amount.strip().removesuffix("USDC").strip()) * MICROS
    except (InvalidOperation, Overflow):
        raise typer.BadParameter(f"{amount!r} is no amount; write 5 or 0.50") from None
    if not micros.is_finite() or micros != micros.to_integral_value() or micros <= 0:
        raise typer.BadParameter(f"{amount!r}: an amount is above 0, with six decimals at most")
    if micros > SENT_MICROS:
        raise typer.BadParameter(f"{amount!r} is more than there is")
    return int(micros)


def _money(micros: int, asset: str) -> str:
    from server.ledger.tiers import money

    return money(micros, asset)


def _balances(answer: Any) -> list[str]:
    rows = []
    for each in answer["balances"]:
        asset = each["asset"]
        more = [
            f"{_money(each[name], asset)} {words}"
            for name, words in (("held_micros", "held"), ("incoming_micros", "on its way in"))
            if each[name]
        ]
        beside = f"  ({', '.join(more)})" if more else ""
        rows.append(
            f"{each['name'] or 'your purse':<24}  {_money(each['available_micros'], asset):>22}{beside}"
        )
    return rows + ([f"USDC here is {SIMULATED}"] if answer["settlement"] == "simulated" else [])


def _moved(answer: Any) -> list[str]:
    return [
        f"{each['name'] or 'your purse'} now has {_money(each['available_micros'], each['asset'])}"
        for each in (answer["source"], answer["to"])
    ]


def _crossed(answer: Any) -> list[str]:
    amount = _money(answer["micros"], answer["asset"])
    beside = f" {SIMULATED}" if answer["settlement"] == "simulated" else ""
    match answer["state"]:
        case "confirmed":
            return [f"{answer['direction']} of {amount} confirmed{beside}: {answer['reference']}"]
        case "failed":
            raise typer.BadParameter(f"the {answer['direction']} failed: {answer['reason']}")
        case _:
            return [f"{answer['direction']} of {amount} is still on its way{beside}"]


def _statement(answer: Any, names: Mapping[str, str], *, own: bool) -> list[str]:
    """`names` are those of one's purses by their accounts; `own`: it is of one's own, not of an agent's."""
    asset = answer["asset"]
    told = [_line(line, asset, names, own) for line in answer["lines"]]
    return [_HEADINGS, *told] if told else ["nothing has happened yet"]


_ROW = "{:<19}  {:<10}  {:>30}  {:>22}  {}"
_HEADINGS = _ROW.format("WHEN (UTC)", "WHY", "AMOUNT", "LEFT", "ABOUT")


def _line(line: Any, asset: str, names: Mapping[str, str], own: bool) -> str:
    at = datetime.fromtimestamp(line["made_ms"] / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    amount = _money(line["micros"], asset)
    if line["kind"] == "pending":
        amount = f"[{_money(line['amount_micros'], asset)} reserved]"
    elif line["kind"] == "void":
        amount = f"[{_money(line['amount_micros'], asset)} free again]"
    left = _money(line["balance_micros"], asset)
    why, about = line["code"], line["about"] or ""
    if why == "fund":
        out = line["micros"] < 0
        why = "fund" if out == own else "take"  # as the command is called
        about = f"{'to' if out else 'from'} {names.get(line['other'], line['other'])}"
    return _ROW.format(at, why, amount, left, about).rstrip()


def _fees(answer: Any) -> list[str]:
    told = []
    for tier in answer["tiers"]:
        asset = tier["asset"]
        opened = "" if tier["open"] else "  (closed here)"
        free = "" if tier["tier_micros"] else "free tier: "
        told.append(f"{free}entry {_money(tier['entry_micros'], asset)}{opened}")
        for table in tier["tables"]:
            paid = [_money(each, asset) for each in table["places_micros"] if each]
            fee = _money(sum(table["fees"].values()), asset)
            told.append(f"    {table['seats']} seats: {' / '.join(paid)}, fee {fee}")
    told.append("ties share the places they span; a full tie and a void session cost nothing")
    return told
