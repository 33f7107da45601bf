"""The owner's agents: a row of two lines for each, and the chosen one beside them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from tui_client import theme
from tui_client.owner import arena
from tui_client.owner.agents import (
    AgentsPage,
    agents,
    chosen_agent,
    playing_in,
)
from tui_client.owner.amounts import money
from tui_client.owner.answers import Balance, Balances, OwnAgent, OwnAgents, Session
from tui_client.owner.careers import Stats
from tui_client.owner.page import Known
from tui_client.owner.pixels import Pixels
from tui_client.state import State
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, abreast, fit, frame, line, spread
from tui_client.widgets.desk import standing
from tui_client.widgets.desk.automating import reason, reason_rows, run_rows, state_mark
from tui_client.widgets.desk.face import face
from tui_client.widgets.desk.fields import facts
from tui_client.widgets.pane import Pane
from tui_client.words import NAME_LIMIT, space_title

MINI = 4
"""Cells of the small picture."""
FACE = 16
WIDE = 36
"""Cells that a card needs for the large picture."""
ROWS = 2
"""Lines of an agent in the list."""


def paint_agents(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, AgentsPage):
        return []
    known = state.desk.known(state.now_ms)
    found = agents(known)
    title = line(("AGENTS", theme.TITLE))
    if not found:
        return frame(title, _nobody(known), width, height)
    chosen = chosen_agent(page, known)
    room = max(1, (height - 2) // (ROWS + 1))
    at = next((n for n, agent in enumerate(found) if chosen and agent.agent == chosen.agent), 0)
    first = max(0, min(at - room // 2, len(found) - room))
    rows: list[Text] = []
    for agent in found[first : first + room + 1]:
        mine = chosen is not None and agent.agent == chosen.agent
        rows += [*_agent(agent, known, width - 4, mine), Text()]
    hidden = len(found) - room
    note = line((f"{hidden} more", theme.DIM)) if hidden > 0 else line((str(len(found)), theme.DIM))
    return frame(title, rows, width, height, note)


def _nobody(known: Known) -> list[Text]:
    if known.value(arena.own_agents().path, OwnAgents) is None:
        return [line(("…", theme.DIM))]
    return [
        Text(),
        line(("You have no agent yet: ", theme.DIM), ("n", theme.KEY), (" makes one.", theme.DIM)),
    ]


def _agent(agent: OwnAgent, known: Known, width: int, mine: bool) -> list[Text]:
    automation = arena.automation_of(known, agent.agent)
    pixels = known.value(arena.avatar(agent.agent).path, Pixels)
    gone = agent.archived_ms is not None
    name = theme.FAINT if gone else theme.LIVE if mine else theme.BRIGHT
    pointer = ("▸ ", theme.BRIGHT) if mine else "  "
    top = line(
        pointer, (clean(agent.name, NAME_LIMIT), name), (f" v{agent.number}", theme.DIM), "   "
    )
    state = line("  ", ("archived", theme.FAINT) if gone else state_mark(automation))
    told = known.value(arena.stats(agent.agent).path, Stats)
    top = line(top, standing.headline(told, ""))
    under = spread(_doing(agent, known), _purse(agent, known), width - 2 * MINI + 2 - 1)
    picture = face(pixels, MINI)
    inner = width - MINI - 1
    lines = abreast(
        picture, [line(" ")] * ROWS, [spread(top, state, inner), fit(line("  ", under), inner)]
    )
    return [_highlighted(row) for row in lines] if mine else lines


def _highlighted(row: Text) -> Text:
    """Behind the words only: a picture keeps its colours."""
    marked = row.copy()
    marked.stylize(theme.CURSOR, MINI)
    return marked


def _doing(agent: OwnAgent, known: Known) -> Text:
    """What it does now, or why it does nothing."""
    if agent.frozen_ms is not None:
        return line((f"frozen: {clean(agent.frozen_reason or '', 120)}", theme.ALARM))
    playing = playing_in(known, agent.agent)
    automation = arena.automation_of(known, agent.agent)
    if playing:
        more = f" +{len(playing) - 1}" if len(playing) > 1 else ""
        return line(("▶ ", theme.BRIGHT), _against(playing[0], agent.agent), (more, theme.DIM))
    if told := reason(automation):
        return line((told, theme.ALARM))
    if automation is not None and automation.run.open:
        return line(("… ", theme.BRIGHT), ("in a queue, or being settled", theme.PLAIN))
    if automation is not None and automation.on and automation.waits:
        return line((clean(automation.waits, 160), theme.DIM))
    return line((clean(agent.about, 120) or "idle", theme.FAINT))


def _against(session: Session, agent: str) -> Text:
    others = [seat for seat in session.seats if seat.agent != agent]
    parts: list[Part] = [(space_title(session.space), theme.PLAIN)]
    if others:
        more = f" +{len(others) - 1}" if len(others) > 1 else ""
        parts += [
            (" vs ", theme.FAINT),
            (clean(others[0].name, NAME_LIMIT), theme.BRIGHT),
            (more, theme.DIM),
        ]
    return line(*parts)


def _purse(agent: OwnAgent, known: Known) -> Text:
    """What it has to play with, of both assets."""
    told = known.value(arena.balances().path, Balances)
    found = told.of(agent.agent) if told is not None else ()
    parts: list[Part] = []
    for each in found:
        parts += ["  ", purse(each)]
    return line(*parts)


def purse(balance: Balance) -> Text:
    style = theme.MONEY if balance.available_micros else theme.FAINT
    return line((money(balance.available_micros, balance.asset), style))


# ---------------------------------------------------------------------- the chosen one


def paint_card(state: State, width: int, height: int) -> list[Text]:
    page = state.desk.page
    if not isinstance(page, AgentsPage):
        return []
    known = state.desk.known(state.now_ms)
    agent = chosen_agent(page, known)
    if agent is None:
        return frame(Text(), [], width, height)
    title = line((clean(agent.name, NAME_LIMIT), theme.TITLE), (f" v{agent.number}", theme.DIM))
    rows = _card(agent, known, width - 4)
    return frame(title, rows, width, height, line((agent.kind, theme.DIM)))


def _card(agent: OwnAgent, known: Known, width: int) -> list[Text]:
    pixels = known.value(arena.avatar(agent.agent).path, Pixels)
    picture = face(pixels, FACE if width >= WIDE else FACE // 2)
    beside = [
        line((clean(_played_by(agent), 40), theme.DIM)),
        *(line((space_title(space), theme.PLAIN)) for space in agent.spaces),
    ]
    if len(beside) > len(picture):
        hidden = len(beside) - len(picture) + 1
        beside[len(picture) - 1 :] = [line((f"and {hidden} more", theme.FAINT))]
    inner = max(0, width - picture[0].cell_len - 2)
    rows = abreast(picture, [line("  ")] * len(picture), [fit(each, inner) for each in beside])
    rows.append(Text())
    rows += [line((each, theme.DIM)) for each in wrap(clean(agent.about, 280), width) if each]
    stats = known.value(arena.stats(agent.agent).path, Stats)
    if stats is not None:
        rows += facts(_standing(stats, width), width)
    automation = arena.automation_of(known, agent.agent)
    rows += facts([("automation", state_mark(automation))], width)
    rows += reason_rows(automation, width)
    if automation is not None:
        rows += facts(run_rows(automation, width), width)
    return rows


def _played_by(agent: OwnAgent) -> str:
    if agent.kind == "remote":
        return "your bot"
    spec = agent.spec
    return (spec.model or "arena's model") if spec.brain == "llm" else f"brain {spec.brain}"


def _standing(stats: Stats, width: int) -> list[tuple[str, Text]]:
    return [
        ("record", standing.record(stats.record)),
        ("level", standing.level(stats.level, width - 11)),
        ("win rate", standing.win_rate(stats.record)),
        *(("return", standing.roi(each)) for each in stats.money),
    ]


class AgentsPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_agents(state, width, height)


class CardPane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_card(state, width, height)
