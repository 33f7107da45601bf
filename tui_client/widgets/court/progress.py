"""How far the court is, in one line: `court  drawn 5  committed 3/5  revealed 0/5  0:12`."""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import BenchSeat, CaseView, SessionView, VerdictView
from tui_client import theme
from tui_client.text import clean
from tui_client.widgets.canvas import Part, line
from tui_client.words import clock, names, points

MAX_PANEL = 48
"""Judges of a panel, reserves among them, that are looked at."""


def sitting(court: CaseView) -> list[BenchSeat]:
    """Who has a seat now: reserves only where they sit in somebody's place."""
    panel = court.panel[:MAX_PANEL]
    return [seat for seat in panel if _sits(seat)]


def _sits(seat: BenchSeat) -> bool:
    return seat.state != "replaced" and not (seat.reserve and seat.state == "drawn")


def counted(court: CaseView) -> tuple[int, int]:
    """How many of the panel have committed, and how many have revealed."""
    states = [seat.state for seat in court.panel[:MAX_PANEL]]
    revealed = states.count("revealed")
    return revealed + states.count("committed"), revealed


def paint_progress(court: CaseView, arena_ms: int, *, titled: bool = True) -> Text:
    """One line, whatever the court is at."""
    parts: list[Part] = [("court  " if titled else "", theme.DIM), *_hearing(court)]
    match court.state:
        case "wanted":
            parts.append(("the case waits to be filed on the chain", theme.PLAIN))
        case "filed":
            parts.append(("filed; a later block draws the judges", theme.PLAIN))
        case "failed":
            parts.append((clean(court.note, 160) or "the panel failed", theme.ALARM))
        case "forced":
            parts.append(("somebody has put it onto the chain, which decides", theme.PLAIN))
        case _:
            committed, revealed = counted(court)
            told = (
                ("drawn ", court.seats, 0),
                ("committed ", committed, court.seats),
                ("revealed ", revealed, court.seats),
            )
            for word, count, of in told:
                parts += [
                    (word, theme.DIM),
                    (f"{count}{f'/{of}' if of else ''}", theme.BRIGHT),
                    "  ",
                ]
            parts += _until(court, arena_ms)
    return line(*parts)


def judged_by(view: SessionView, verdict: VerdictView) -> Text:
    """Under a verdict: by whom; `c` shows more where it was the court."""
    court = view.court
    if court is not None and court.panel:
        said = f"by {len(sitting(court))} judges with a stake"
        return line((said, theme.DIM), ("   c ", theme.KEY), ("court", theme.DIM))
    judges = ", ".join(clean(judge, 40) for judge in verdict.judges[:5])
    return line((f"judged by {judges}" if judges else "", theme.DIM))


def found_banner(view: SessionView, court: CaseView) -> Text:
    """Who wins by what the panel has found, and whether that is final; `CASE` before."""
    if not court.totals_milli or court.state not in ("decided", "forced"):
        return line(("CASE", theme.TITLE))
    totals = " : ".join(points(total) for total in court.totals_milli[:8])
    parts: list[Part] = []
    best = [seat for seat, rank in enumerate(court.ranks) if rank == 1]
    if len(best) == 1:
        name = clean(names(view).get(best[0], f"seat {best[0] + 1}"), 24).upper()
        parts.append((f"{name} WINS", theme.seat_style(best[0]) + Style(bold=True)))
    else:
        parts.append(("A DRAW", theme.TITLE))
    parts.append((f"   {totals}", theme.BRIGHT))
    if court.margin_milli is not None:
        parts.append((f"   by {court.margin_milli / 1000:.2f}", theme.DIM))
    if not court.final:
        parts.append(("   not final yet", theme.DIM))
    return line(*parts)


def _hearing(court: CaseView) -> Sequence[Part]:
    return [(f"hearing {court.hearing + 1}  ", theme.MONEY)] if court.hearing else []


def _until(court: CaseView, arena_ms: int) -> Sequence[Part]:
    ends = {
        "committing": court.commit_by_ms,
        "revealing": court.reveal_by_ms,
        "decided": None if court.final else court.appeal_by_ms,
    }.get(court.state)
    if ends is None or ends < arena_ms:
        return []
    word = "to appeal " if court.state == "decided" else ""
    return [(word, theme.DIM), (clock(ends - arena_ms), theme.BRIGHT)]
