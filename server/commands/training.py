"""`agon training`: how one's agents learn. Speaks to the public API alone, with the owner's login."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

from server.commands import training_gate
from server.commands.asking import AsJson, OwnAgent, Url, ask, tell
from server.commands.training_demo import demo

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="training",
    help="Have your agents learn from their sessions.",
    epilog="Example: agon training consent Ember --space bid-tac-toe --on --budget 1800",
    no_args_is_help=True,
    rich_markup_mode=None,
)

training_gate.join(app)
app.command(epilog="Example: agon training demo --sessions 60 --out learned")(demo)

Space = Annotated[str, typer.Option("--space", help="In which Space, e.g. bid-tac-toe.")]
OnlySpace = Annotated[
    str | None, typer.Option("--space", help="Only this Space; default: all that it plays.")
]
OPTIONS = {"space": "--space", "budget_s": "--budget"}
"""Field of the body -> the option that sets it."""
BAR = 24


@app.command(epilog="Example: agon training status Ember --space rap-battle")
def status(
    agent: OwnAgent, space: OnlySpace = None, url: Url = None, as_json: AsJson = False
) -> None:
    """Print what is allowed, whether a training may begin and why not yet, what runs, and what came of those before."""
    answer = _call(url, agent, "GET")
    tell(answer, as_json, lambda told: lines(told, _now_ms(), space))


@app.command(epilog="Example: agon training consent Ember --space bid-tac-toe --off")
def consent(
    agent: OwnAgent,
    space: Space,
    on: Annotated[
        bool | None,
        typer.Option("--on/--off", help="Let trainings begin by themselves, or no more."),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            min=60,
            help="Seconds of a training device that they may use in any seven days; at first 3600.",
        ),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Allow trainings in a Space, or no more; set their budget."""
    if on is None and budget is None:
        raise typer.BadParameter("say what to change: --on, --off or --budget SECONDS")
    body = {"space": space, "on": on, "budget_s": budget}
    answer = _call(url, agent, "PUT", body={k: v for k, v in body.items() if v is not None})
    tell(answer, as_json, lambda told: lines(told, _now_ms(), space))


@app.command(epilog="Example: agon training start Ember --space bid-tac-toe")
def start(agent: OwnAgent, space: Space, url: Url = None, as_json: AsJson = False) -> None:
    """Begin a training now, where it may begin."""
    answer = _call(url, agent, "POST", "/start", {"space": space})
    tell(answer, as_json, lambda told: job_lines(told, _now_ms()))


@app.command(epilog="Example: agon training cancel Ember --space bid-tac-toe")
def cancel(agent: OwnAgent, space: Space, url: Url = None, as_json: AsJson = False) -> None:
    """End the training that is under way; the agent stays as it is."""
    answer = _call(url, agent, "POST", "/cancel", {"space": space})
    tell(answer, as_json, lambda told: job_lines(told, _now_ms()))


@app.command(epilog="Example: agon training adapters Ember --json")
def adapters(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """List the adapters that came of trainings, newest first."""
    answer = _call(url, agent, "GET")["adapters"]
    tell(answer, as_json, adapter_lines)


@app.command(
    epilog="Example: agon training retire bafkreigaknpexyvxt76zgkitavbwx6ejgfheup5oybpm77f3pxzrvwpfdi"
)
def retire(
    adapter: Annotated[
        str,
        typer.Argument(metavar="CID", help="Its card's, as `agon training adapters` lists it."),
    ],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Let the files of an adapter go, for good: it makes room for another. Never one that plays, or that a roll-back leads to."""

    async def work(api: OwnerApi) -> Any:
        return await api.post(f"/v1/adapters/{quote(adapter, safe='')}/retire")

    tell(ask(url, work), as_json, lambda row: adapter_lines([row]))


def _call(
    url: str | None, agent: str, method: str, below: str = "", body: dict[str, Any] | None = None
) -> Any:
    async def work(api: OwnerApi) -> Any:
        from bots.owner import own_agent

        path = f"/v1/agents/{await own_agent(api, agent)}/training{below}"
        if method == "GET":
            return await api.get(path)
        return await (api.put(path, body) if method == "PUT" else api.post(path, body))

    return ask(url, work, options=OPTIONS)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def lines(answer: Any, now_ms: int, only: str | None = None) -> list[str]:
    """The API's answer for people."""
    told = [f"plays as     {answer['version']}"]
    for each in answer["spaces"]:
        if only in (None, each["space"]):
            told += ["", *_space_lines(each, now_ms)]
    past = [job for job in answer["past"] if only in (None, job["space"])]
    if past:
        told += ["", "before"]
        told += [f"  {_past(job, now_ms)}" for job in past]
    return [*told, "", answer["rule"]]


def _space_lines(space: Any, now_ms: int) -> list[str]:
    consent, job = space["consent"], space["job"]
    allowed = "begins by itself" if consent["on"] else "off"
    told = [
        space["space"],
        f"  training   {allowed}; {space['spent_s']:,} of {consent['budget_s']:,} device-seconds used this week",
    ]
    if job is not None:
        return told + [f"  {line}" for line in job_lines(job, now_ms)]
    told.append(f"  next       {space['eligibility']['reason']}")
    if (at := space["eligibility"]["next_ms"]) is not None:
        told.append(f"             not before {_in(at - now_ms)} from now")
    return told


def job_lines(job: Any, now_ms: int) -> list[str]:
    """A training that is under way, or just ended, for people."""
    ending = ", ending" if job["cancelling"] else ""
    told = [f"job        {job['job']}: {job['state']}{ending}, of {job['version']}"]
    if job["steps"]:
        done = BAR * job["step"] // job["steps"]
        loss = "" if job["loss_micro"] is None else f", loss {job['loss_micro'] / 1e6:.3f}"
        eta = "" if job["eta_s"] is None else f", {_in(job['eta_s'] * 1_000)} left"
        bar = "#" * done + "." * (BAR - done)
        told.append(f"steps      [{bar}] {job['step']} of {job['steps']}{loss}{eta}")
    if job["reason"]:
        told.append(f"because    {job['reason']}")
    return told


def _past(job: Any, now_ms: int) -> str:
    became = f" as {job['promoted']}" if job["promoted"] else ""
    ago = _in(now_ms - job["ended_ms"])
    curve = job["curve"]
    loss = f", loss {curve[0][1] / 1e6:.3f} -> {curve[-1][1] / 1e6:.3f}" if curve else ""
    why = f": {job['reason']}" if job["reason"] else ""
    return f"{job['job']}  {job['space']}  {job['state']}{became} {ago} ago, {job['device_s']:,} device-s{loss}{why}"


def adapter_lines(adapters: Any) -> list[str]:
    """Adapters for people."""
    if not adapters:
        return ["no adapter yet: `agon training status` says what a training waits for"]
    return [
        f"{each['adapter']}  {each['space']}  {each['bytes'] / 1e6:.1f} MB"
        f"  {each['name'] or 'not served yet'}{'' if each['retired_ms'] is None else '  retired'}"
        for each in adapters
    ]


def _in(ms: int) -> str:
    seconds = max(0, ms) // 1_000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
