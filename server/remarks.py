"""Notes and annotations of a transcript as lines for people.

Replay checks what notes say, but annotations may say anything: their words are anybody's, and one
that is not of a form known here is shown as the JSON that it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from spaces import canonical
from spaces.plain_text import plain_lines
from spaces.transcript import Entry

SHOWN_CHARS = 200
"""Of a note, or of an annotation of unknown form."""
SHOWN_NOTES = 20


class _Ply(msgspec.Struct, frozen=True):
    ply: int
    bid_regret_milli: tuple[int, int]
    value_milli: int
    mark_regret_milli: int | None = None
    forfeit: tuple[int, ...] = ()


class _Regret(msgspec.Struct, frozen=True):
    """`spaces.bid_tac_toe.solver.regret`."""

    table: str
    plies: list[_Ply]
    mean_regret_milli: tuple[int, int]


def notes_told(entries: Sequence[Entry]) -> list[str]:
    """A line for each note; of very many the first."""
    notes = [entry.body for entry in entries if entry.type == "note"]
    lines = [f"note     {_said(body)}" for body in notes[:SHOWN_NOTES]]
    if len(notes) > SHOWN_NOTES:
        lines.append(f"         and {len(notes) - SHOWN_NOTES} more")
    return lines


def annotations_told(entries: Sequence[Entry]) -> list[str]:
    lines: list[str] = []
    for entry in entries:
        if entry.type == "annotation":
            lines += _annotation(entry.body)
    return lines


def _annotation(body: dict[str, Any]) -> list[str]:
    if body.get("kind") == "regret":
        try:
            return _regret(msgspec.convert(body, _Regret))
        except msgspec.ValidationError:
            pass
    return [f"comment  {_said(body)}"]


def _regret(regret: _Regret) -> list[str]:
    mean = regret.mean_regret_milli
    return [
        f"regret   in stakes, by {_plain(regret.table)}; the value is that for seat 0",
        "            ply   value  seat 0's bid  seat 1's bid  the mark",
        *(
            f"         {ply.ply:6} {_stakes(ply.value_milli):>7} {_stakes(ply.bid_regret_milli[0]):>13}"
            f" {_stakes(ply.bid_regret_milli[1]):>13} {_stakes(ply.mark_regret_milli):>9}{_forfeits(ply)}"
            for ply in regret.plies
        ),
        f"           mean         {_stakes(mean[0]):>13} {_stakes(mean[1]):>13}   marks included",
    ]


def _forfeits(ply: _Ply) -> str:
    if not ply.forfeit:
        return ""
    return f"   forfeit by seat {' and '.join(str(seat) for seat in ply.forfeit[:2])}"


def _stakes(milli: int | None) -> str:
    return "-" if milli is None else f"{milli / 1_000:.3f}"


def _said(body: dict[str, Any]) -> str:
    kind = _plain(str(body.get("kind", "")))
    rest = {key: value for key, value in body.items() if key != "kind"}
    rest = rest.get("body", rest) if len(rest) == 1 else rest
    return f"{kind}: {_plain(canonical.encode(rest).decode())}"


def _plain(text: str) -> str:
    told = " ".join(plain_lines(text[: 4 * SHOWN_CHARS]))
    return told if len(told) <= SHOWN_CHARS else told[: SHOWN_CHARS - 1] + "…"
