"""`agon automation`: how one's agents play by themselves. Speaks to the public API alone, with the owner's login."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, OwnAgent, Url, ask, tell

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="automation",
    help="Have your agents play by themselves, within limits.",
    epilog='Example: agon automation set Ember --space bid-tac-toe --tier 0.50 --stop-loss 5 --hours "mon-fri 08:00-20:00"',
    no_args_is_help=True,
    rich_markup_mode=None,
)

OPTIONS = {
    "tier_micros": "--tier",
    "spaces": "--space",
    "max_sessions": "--max-sessions",
    "max_parallel": "--max-parallel",
    "stop_loss_micros": "--stop-loss",
    "take_profit_micros": "--take-profit",
    "schedule": "--hours",
}
"""Field of the limits -> the option that sets it."""


@app.command(epilog="Example: agon automation show Ember")
def show(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Print the limits, how the run goes, and why it waits or has stopped."""
    _tell(_call(url, agent, "GET"), as_json)


@app.command(epilog="Example: agon automation on Ember")
def on(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Let it play by itself: begin a run, or leave the one that is on."""
    _tell(_call(url, agent, "POST", "/on"), as_json)


@app.command(epilog="Example: agon automation off Ember")
def off(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """End the run.

    What waits leaves its queue, what is in play is played to its end.
    """
    _tell(_call(url, agent, "POST", "/off"), as_json)


@app.command("set", epilog="Example: agon automation set Ember --max-sessions 50 --take-profit 10")
def set_limits(
    agent: OwnAgent,
    space: Annotated[
        list[str] | None,
        typer.Option(help="A Space to queue in; repeat it for several, which take turns."),
    ] = None,
    tier: Annotated[
        str | None,
        typer.Option(
            help="What an entry costs: free, 0.10, 0.50, 1, 5 or 25 USDC (`agon money fees`)."
        ),
    ] = None,
    max_sessions: Annotated[
        int | None, typer.Option(min=1, help="Sessions of a run, at most; at first 10.")
    ] = None,
    max_parallel: Annotated[
        int | None, typer.Option(min=1, help="Sessions at once, at most; at first 1.")
    ] = None,
    stop_loss: Annotated[
        str | None,
        typer.Option(help="What a run loses at most, e.g. 5.00; at first ten entries."),
    ] = None,
    take_profit: Annotated[
        str | None,
        typer.Option(help="Stop once this much is won, e.g. 10.00; `none`: never for that."),
    ] = None,
    hours: Annotated[
        str | None,
        typer.Option(help="When it queues, UTC: `mon-fri 08:00-20:00; sun 10:00-14:00`, `always`."),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change limits; those not named stay as they are. They hold at once.

    From play money to USDC or back, the stop-loss becomes ten entries and the take-profit none, unless you name them.
    """
    changes: dict[str, Any] = {
        "spaces": space or None,
        "tier_micros": None if tier is None else _tier(tier),
        "max_sessions": max_sessions,
        "max_parallel": max_parallel,
        "stop_loss_micros": None if stop_loss is None else _micros("--stop-loss", stop_loss),
        "schedule": None if hours is None else _schedule(hours),
    }
    changed = {name: value for name, value in changes.items() if value is not None}
    if take_profit is not None:
        unlimited = take_profit.strip().lower() == "none"
        changed["take_profit_micros"] = None if unlimited else _micros("--take-profit", take_profit)
    _tell(ask(url, lambda api: _set(api, agent, changed), options=OPTIONS), as_json)


async def _set(api: OwnerApi, agent: str, changed: dict[str, Any]) -> Any:
    from bots.owner import Refused
    from server.ledger.tiers import asset_of, entry_micros

    path = await _path(api, agent)
    try:
        limits = (await api.get(path))["limits"]
        was, tier = limits["tier_micros"], changed.get("tier_micros", limits["tier_micros"])
        if asset_of(was) != asset_of(tier):  # sums in play money are none in USDC
            limits |= {"stop_loss_micros": 10 * entry_micros(tier), "take_profit_micros": None}
    except Refused as error:
        if error.code != "no-automation":
            raise
        limits = {"max_sessions": 10}
        if "spaces" not in changed:
            raise typer.BadParameter("name a Space to queue in: --space bid-tac-toe") from None
        limits["stop_loss_micros"] = 10 * entry_micros(changed.setdefault("tier_micros", 0))
    return await api.put(path, limits | changed)


def _call(url: str | None, agent: str, method: str, below: str = "") -> Any:
    async def work(api: OwnerApi) -> Any:
        path = await _path(api, agent) + below
        return await (api.get(path) if method == "GET" else api.post(path))

    return ask(url, work)


async def _path(api: OwnerApi, agent: str) -> str:
    from bots.owner import own_agent

    return f"/v1/agents/{await own_agent(api, agent)}/automation"


def _tier(text: str) -> int:
    return 0 if text.strip().lower() == "free" else _micros("--tier", text)


def _micros(option: str, text: str) -> int:
    from tui_client.owner.amounts import micros_of

    micros = micros_of(text)
    if micros is None:
        raise typer.BadParameter(f"{option} {text!r} is no amount: write e.g. 5.00")
    return micros


def _schedule(text: str) -> dict[str, Any]:
    from tui_client.owner.hours import NoSchedule, schedule_of

    try:
        return schedule_of(text)
    except NoSchedule as error:
        raise typer.BadParameter(f"--hours: {error}") from None


def _tell(answer: Any, as_json: bool) -> None:
    tell(answer, as_json, lambda told: lines(told, time.time_ns() // 1_000_000))


def lines(answer: Any, now_ms: int) -> list[str]:
    """The API's answer for people."""
    from server.ledger.tiers import amount, asset_of, money
    from tui_client.owner.hours import text_of

    limits, run = answer["limits"], answer["run"]
    tier, asset = limits["tier_micros"], asset_of(limits["tier_micros"])
    goal = limits["take_profit_micros"]
    told = [
        f"state        {_state(answer)}",
        f"plays        {', '.join(limits['spaces'])}; {money(tier, asset) if tier else 'the free tier'}",
        f"at most      {limits['max_sessions']} sessions, {limits['max_parallel']} at once,"
        f" {money(limits['stop_loss_micros'], asset)} lost",
        f"stops at     {money(goal, asset)} won"
        if goal is not None
        else "stops at     no take-profit set",
        f"hours        {text_of(limits['schedule'])} (UTC)",
    ]
    if run["number"]:
        profit = run["profit_micros"]
        told.append(
            f"run {run['number']:<8} {run['begun']} begun, {run['open']} open;"
            f" {'lost' if profit < 0 else 'won'} {money(abs(profit), run['asset'])},"
            f" {amount(run['at_risk_micros'])} at risk"
        )
    if answer["waits"]:
        told.append(f"waits        {answer['waits']}")
    elif answer["next_entry_ms"] is not None:
        wait_s = max(0, answer["next_entry_ms"] - now_ms) // 1_000
        told.append(f"next entry   {f'in {wait_s} s' if wait_s else 'now'}")
    return told


def _state(answer: Any) -> str:
    reason = answer["reason"]
    return f"{answer['state']}: {reason}" if reason else str(answer["state"])
