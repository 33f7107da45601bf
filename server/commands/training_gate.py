"""`agon training gate|lineage|rollback`: how a candidate is tested, what came to play by it, and the way back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.asking import AsJson, OwnAgent, Url, ask, tell

if TYPE_CHECKING:
    from bots.owner import OwnerApi

BAR = 40
"""Columns between the two bounds of the test."""
DRAWN = 24
"""Pairs of the test that are drawn, at most."""


def join(app: typer.Typer) -> None:
    """Hang these commands into `agon training`."""
    app.command(epilog="Example: agon training gate 01M8F6DQG2TF9KZE14NQMXFD5G")(gate)
    app.command(epilog="Example: agon training lineage Ember")(lineage)
    app.command(epilog="Example: agon training rollback Ember")(rollback)


def gate(
    gate: Annotated[
        str, typer.Argument(metavar="GATE", help="Its id, as `agon training lineage` lists it.")
    ],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Print a test of a candidate: the sequential test as it is drawn, and the verdict with its reasons."""

    async def work(api: OwnerApi) -> Any:
        return await api.get(f"/v1/gates/{gate}")

    tell(ask(url, work, nobody=True), as_json, gate_lines)


def lineage(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Print which versions came to play by a gate, and which were taken back."""

    async def work(api: OwnerApi) -> Any:
        from bots.owner import own_agent

        return await api.get(f"/v1/agents/{await own_agent(api, agent)}/lineage")

    tell(ask(url, work), as_json, lineage_lines)


def rollback(
    agent: OwnAgent,
    version: Annotated[
        str | None,
        typer.Option(help="The version that shall play no more; default: the one that plays."),
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Have the parent of the version that plays play again, with the rating that it had."""

    async def work(api: OwnerApi) -> Any:
        from bots.owner import own_agent

        path = f"/v1/agents/{await own_agent(api, agent)}/rollback"
        return await api.post(path, {"version": version})

    tell(ask(url, work, options={"version": "--version"}), as_json, lambda row: [_line(row)])


def gate_lines(told: Any) -> list[str]:
    """Pure."""
    card = told["card"]
    candidate, current = told["candidate"], told["current"]
    return [
        f"{_short(card['candidate'])} against {_short(card['current'])} in {card['space']}: "
        + (f"{card['decision']}" if card.get("decision") else "running"),
        f"score    {_share(card['score_milli'])} ({_share(card['low_milli'])} to"
        f" {_share(card['high_milli'])}, 95 %) in {card['pairs']} pairs of at most {card['most']}",
        f"LLR      {card['llr_milli'] / 1_000:+.2f} between {card['lower_milli'] / 1_000:+.2f}"
        f" and {card['upper_milli'] / 1_000:+.2f}",
        *drawn(told["llr_milli"], card["lower_milli"], card["upper_milli"]),
        f"valid    {_valid(candidate)} of its first answers, {_valid(current)} of the current version's",
        f"pool     {told['pool_milli'] / 10:+.1f} % beside the current version in"
        f" {told['pool_pairs']} pairs",
        f"live     {sum(each['state'] == 'live' for each in told['matches'])} matches: "
        + (", ".join(_live(told)) or "none"),
        *(f"- {reason}" for reason in card.get("reasons", [])),
    ]


def drawn(llr_milli: list[int], lower: int, upper: int) -> list[str]:
    """The test as it ran: one line for each pair, or for each so many. Pure."""
    every = -(-len(llr_milli) // DRAWN) or 1
    lines = []
    for number in range(every - 1, len(llr_milli), every):
        share = (llr_milli[number] - lower) / (upper - lower)
        place = min(BAR - 1, max(0, round(share * (BAR - 1))))
        lines.append(f"  {number + 1:>4} |{' ' * place}*{' ' * (BAR - 1 - place)}|")
    return lines


def lineage_lines(told: Any) -> list[str]:
    """Pure."""
    lines = [f"{_short(told['version'])} plays"]
    lines += [_line(each) for each in told["lines"]] or ["nothing was promoted yet"]
    for each in told["gates"]:
        what = each["decision"] or "running"
        lines.append(
            f"gate {each['gate']}  {each['space']}: {_short(each['candidate'])} against"
            f" {_short(each['current'])}: {what}"
        )
    return lines


def _line(row: Any) -> str:
    adapter = f", adapter {row['adapter']}" if row["adapter"] else ", no adapter"
    if row["kind"] == "promoted":
        gate = f", by gate {row['gate']}"
        return f"{row['number']}. {_short(row['version'])} took the place of {_short(row['parent'])}{adapter}{gate}"
    return f"{row['number']}. rolled back from {_short(row['parent'])} to {_short(row['version'])}{adapter}"


def _live(told: Any) -> list[str]:
    return [each["session"] for each in told["matches"] if each["state"] == "live"][:4]


def _short(version: str) -> str:
    """`v3` of `01M8…@v3`."""
    return version.rpartition("@")[2]


def _share(milli: int) -> str:
    return f"{milli / 10:.1f} %"


def _valid(answers: Any) -> str:
    turns = answers["turns"]
    return f"{answers['valid'] / turns:.1%} of {turns:,}" if turns else "none"
