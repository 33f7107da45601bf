"""A case before the court in plain text, for those who have no screen. Pure."""

from __future__ import annotations

from server.protocol import CaseView, SheetView
from spaces.plain_text import plain_lines

MAX_NOTE = 160


def progress(view: CaseView) -> str:
    """How far it is, in a line: `court: drawn 5 (…), committed 3/5, revealed 0/5`."""
    again = f" hearing {view.hearing + 1}" if view.hearing else ""
    return f"court{again}: {_state(view)}"


def _state(view: CaseView) -> str:
    if view.state == "wanted":
        return "the case waits to be filed on the chain"
    if view.state == "filed":
        return f"filed in batch {view.batch}; a later block draws the judges"
    if view.state == "failed":
        return f"the panel failed: {_plain(view.note)}"
    sitting = [
        each for each in view.panel if each.state != "replaced" and not _waits(view, each.judge)
    ]
    states = [each.state for each in sitting]
    revealed = states.count("revealed")
    committed = revealed + states.count("committed")
    families = ", ".join(_plain(each.family) for each in sitting)
    told = f"drawn {len(sitting)} ({families})"
    if committed or view.state != "committing":
        told += f", committed {committed}/{view.seats}"
    if view.state != "committing":
        told += f", revealed {revealed}/{view.seats}"
    if view.state == "forced":
        return told + "; somebody has put it onto the chain, which decides"
    if view.state == "decided":
        told += ", decided" if view.final else ", decided; may be appealed"
    return told


def _waits(view: CaseView, judge: str) -> bool:
    return any(
        each.judge == judge and each.reserve and each.state == "drawn" for each in view.panel
    )


def panel(view: CaseView, names: list[str]) -> list[str]:
    """Who has judged, what each found, and what it brought."""
    families = {each.judge: _plain(each.family) for each in view.panel}
    width = max((len(family) for family in families.values()), default=0)
    told = [_sheet(sheet, families.get(sheet.judge, ""), width, names) for sheet in view.sheets]
    gone = [each for each in view.panel if each.state in ("absent", "replaced")]
    told += [f"  {_plain(each.family):<{width}} {each.judge[:10]}  {each.state}" for each in gone]
    if view.margin_milli is not None:
        told.append(
            f"  margin {view.margin_milli / 1000:.2f} by medians of {len(view.sheets)} sheets"
        )
    return [f"court   {len(view.sheets)} of {view.seats} judges have revealed", *told]


def _sheet(sheet: SheetView, family: str, width: int, names: list[str]) -> str:
    lines = len(sheet.scores_milli) or 1
    totals = [
        sum(line[at] for line in sheet.scores_milli) / lines / 1000 for at in range(len(names))
    ]
    scores = "  ".join(f"{name} {total:.1f}" for name, total in zip(names, totals, strict=True))
    lost = int(sheet.slash_frac) / 10**18
    slashed = f", loses {lost:,.0f} FRAC" if lost else ""
    return (
        f"  {family:<{width}} {sheet.judge[:10]}  {scores}  skill {sheet.skill_ppm / 10**6:+.2f}"
        f"  pay {sheet.pay_micros / 10**6:+.6f} USDC{slashed}"
    )


def _plain(text: str) -> str:
    return " ".join(plain_lines(text))[:MAX_NOTE]
