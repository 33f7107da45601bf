"""A verdict over many seats: a table of points, one reason for each seat, and what was computed.

The painter knows nothing of the Space: any verdict over more than two seats can be shown by it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rich.style import Style
from rich.text import Text

from server.protocol import Evidence, RubricLine, SeatCard, SessionView, VerdictView
from tui_client import theme
from tui_client.observed import step_state, undecided
from tui_client.text import clean, wrap
from tui_client.widgets.canvas import Part, centre, fit, frame, line
from tui_client.widgets.court.progress import judged_by, paint_progress
from tui_client.widgets.places import place
from tui_client.words import name_of, points, seat_mark, termination

MAX_LINES = 6
NAME = 18
POINTS = 7
BESIDE = 30
"""Cells that a reason needs to stand beside its seat's points."""
MAX_EVIDENCE = 4
MILLI = 1_000


def _width_of(rubric: RubricLine, narrow: bool) -> int:
    return POINTS if narrow else max(POINTS, len(clean(rubric.name, 12)) + 2)


def _at(values: Sequence[int], seat: int) -> int | None:
    return values[seat] if seat < len(values) else None


def _number(values: Sequence[int], seat: int, width: int) -> Part:
    """A seat's points; the best of all stand out."""
    value = _at(values, seat)
    if value is None:
        return (f"{'':>{width}}", theme.FAINT)
    best = value == max(values) and len(set(values)) > 1
    return (f"{points(value):>{width}}"[:width], theme.BRIGHT if best else theme.DIM)


def _head(verdict: VerdictView, widths: Sequence[int]) -> Text:
    names = zip(verdict.lines[:MAX_LINES], widths, strict=True)
    cells = [f"{clean(rubric.name, width - 1):>{width}}" for rubric, width in names]
    return line((f"{'':<{NAME}}{''.join(cells)}{'total':>{POINTS}}", theme.FAINT))


def _row(view: SessionView, verdict: VerdictView, card: SeatCard, widths: Sequence[int]) -> Text:
    seat = card.seat
    cells = [
        _number(rubric.scores_milli, seat, width)
        for rubric, width in zip(verdict.lines[:MAX_LINES], widths, strict=True)
    ]
    total = _at(verdict.totals_milli, seat)
    bold = Style(bold=_at(verdict.ranks, seat) == 1)
    shown = f"{points(total) if total is not None else '':>{POINTS}}"[:POINTS]
    return line(place(card, verdict.ranks, NAME), *cells, (shown, theme.BRIGHT + bold))


def reason(verdict: VerdictView, seat: int) -> str:
    """The judges' words about a seat on the line that sets it apart most from the others."""
    told: list[tuple[int, str]] = []
    for rubric in verdict.lines[:MAX_LINES]:
        score, words = _at(rubric.scores_milli, seat), ""
        if seat < len(rubric.reasons):
            words = clean(rubric.reasons[seat], 240)
        if words and score is not None:
            mean = sum(rubric.scores_milli) // len(rubric.scores_milli)
            told.append((abs(score - mean), f"{clean(rubric.name, 24)}: “{words}”"))
    return max(told, key=lambda each: each[0], default=(0, ""))[1]


def _in_order(view: SessionView, verdict: VerdictView) -> list[SeatCard]:
    """Best first."""
    last = len(view.seats) + 1
    return sorted(view.seats, key=lambda card: (_at(verdict.ranks, card.seat) or last, card.seat))


def _quoted(said: str, width: int, most: int) -> list[Text]:
    pieces = wrap(said, max(4, width))
    if len(pieces) > most:
        pieces = [*pieces[: most - 1], " ".join(pieces[most - 1 :])]
    return [fit(line((piece, theme.DIM)), width) for piece in pieces]


def _table(
    view: SessionView, verdict: VerdictView, width: int, most: int, quoted: Collection[int]
) -> list[Text]:
    """The points; for the `quoted` seats `most` rows of a reason, beside the points or below."""
    lines = verdict.lines[:MAX_LINES]
    widths = [_width_of(rubric, width < NAME + 11 * len(lines) + POINTS) for rubric in lines]
    used = NAME + sum(widths) + POINTS
    beside = width - used - 3 >= BESIDE
    rows = [_head(verdict, widths)]
    for card in _in_order(view, verdict):
        row = _row(view, verdict, card, widths)
        said = reason(verdict, card.seat) if card.seat in quoted else ""
        if not said:
            rows.append(row)
        elif beside:
            first, *rest = _quoted(said, width - used - 3, most)
            rows += [line(row, "   ", first), *(line(" " * (used + 3), each) for each in rest)]
        else:
            rows += [row, *(line("     ", each) for each in _quoted(said, width - 5, most))]
    return rows


def _value(milli: int) -> str:
    return f"{milli // MILLI}" if milli % MILLI == 0 else f"{milli / MILLI:.2f}"


def _evidence_row(view: SessionView, evidence: Evidence, width: int) -> Text:
    """`words  A 38  B 41  C 29   how many`"""
    values: list[Part] = []
    for card in view.seats:
        value = _at(evidence.values_milli, card.seat)
        if value is not None:
            values += [
                (f"{seat_mark(card.seat)} ", theme.FAINT), (f"{_value(value)}  ", theme.PLAIN),
            ]  # fmt: skip
    name = (f"{clean(evidence.name, 24)}  ", theme.DIM)
    return fit(line(name, *values, (clean(evidence.note, 160), theme.FAINT)), width)


def _banner(view: SessionView, verdict: VerdictView) -> Text:
    first = [card for card in view.seats if _at(verdict.ranks, card.seat) == 1]
    names = [name_of(card).upper() for card in first]
    style = theme.SEATS[0] + Style(bold=True)
    match names:
        case [name]:
            return line((f"{name} WINS", style))
        case [one, other]:
            return line((f"{one} AND {other} SHARE THE FIRST PLACE", style))
        case _:
            return line(("A DRAW", theme.TITLE))


def _decided(
    view: SessionView,
    verdict: VerdictView,
    front: int | None,
    width: int,
    room: int,
    known: Collection[str],
) -> list[Text]:
    """In `room` rows: long reasons give way first, then the note, then what was computed, then all
    reasons but one: that about the seat in front, or about the best."""
    seats = _in_order(view, verdict)
    everybody = [card.seat for card in seats]
    one = [front] if front in everybody else everybody[:1]
    shown = [each for each in verdict.evidence if each.name not in known][:MAX_EVIDENCE]
    evidence = [_evidence_row(view, each, width) for each in shown]
    note = [line((row, theme.FAINT)) for row in wrap(clean(verdict.note, 240), width)]
    after = [*evidence, *(note if verdict.note else [])]
    tried = [
        [*_table(view, verdict, width, most, quoted), *below]
        for most, quoted, below in (
            (3, everybody, after),
            (2, everybody, after),
            (1, everybody, after),
            (1, everybody, evidence),
            (1, everybody, []),
            (2, one, evidence),
            (1, one, evidence),
            (1, one, []),
        )
    ]
    return next((rows for rows in tried if len(rows) <= room), tried[-1])


def _waiting(view: SessionView) -> Text:
    if view.status == "void":
        why = clean(str((view.outcome or {}).get("reason", "")), 160)
        return line(("VOID  ", theme.ALARM), (f"{why}; nobody is scored", theme.DIM))
    if not undecided(view):
        return line((termination(str((view.outcome or {}).get("termination", ""))), theme.PLAIN))
    match step_state(view, "judged"):
        case "failed":
            return line(
                ("the judges failed; there is no verdict and nobody is scored", theme.ALARM)
            )
        case "running":
            return line((f"the judges are reading {len(view.seats)} texts …", theme.PLAIN))
        case _:
            return line(("all texts are in; waiting for the judges", theme.DIM))


def paint_ranking(
    view: SessionView,
    width: int,
    most: int,
    *,
    known: Collection[str] = (),
    front: int | None = None,
    arena_ms: int = 0,
) -> list[Text]:
    """As many rows as it takes, at most `most`; none while the session goes on. Evidence whose name
    is in `known` stands elsewhere and is left out; `front` is the seat that was chosen to be read."""
    if view.status == "live" or most < 3:
        return []
    title = line(("VERDICT", theme.TITLE))
    if view.verdict is None:
        waits = _waiting(view) if view.court is None else paint_progress(view.court, arena_ms)
        return frame(title, [centre(waits, max(0, width - 4))], width, 3)
    rows = _decided(view, view.verdict, front, max(8, width - 4), most - 2, known)
    note = judged_by(view, view.verdict)
    title = line(("VERDICT  ", theme.TITLE), _banner(view, view.verdict))
    return frame(title, rows, width, min(most, len(rows) + 2), note)
