"""The report as one HTML file and as Markdown: no script, nothing loaded from anywhere. Pure."""

from __future__ import annotations

from html import escape

from judges.bench.figures import Report
from judges.bench.picture import svg
from judges.bench.words import Sheet, chart, sheets

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#20242c;background:#fff}"
    "table{border-collapse:collapse;margin:.5rem 0 2rem;display:block;overflow-x:auto}"
    "th,td{padding:.25rem .75rem .25rem 0;text-align:left;vertical-align:top;border-bottom:1px solid #e3e6ea;font-variant-numeric:tabular-nums}"
    "th{color:#5b6270;font-weight:600}h2{font-size:1.1rem;margin:0}p{color:#5b6270;margin:.2rem 0}"
)


def html(report: Report) -> str:
    title, rows = chart(report)
    body = "".join(_table(sheet) for sheet in sheets(report))
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        f"<h1>{escape(title)}</h1><p>{escape(about(report))}</p>{svg(title, rows)}{body}</body></html>\n"
    )


def about(report: Report) -> str:
    judged = max((each.trials for each in report.figures), default=0)
    return (
        f"The half of the material called {report.half}, {judged} of {report.asked} trials; {report.machine};"
        f" {report.seconds // 60} min {report.seconds % 60} s."
    )


def markdown(report: Report) -> str:
    parts = [about(report)]
    for sheet in sheets(report):
        lines = [_row(sheet.head), _row(tuple("---" for _ in sheet.head)), *map(_row, sheet.rows)]
        note = f"{sheet.note[:1].upper()}{sheet.note[1:]}.\n\n" if sheet.note else ""
        parts.append(f"### {sheet.title}\n\n{note}" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _table(sheet: Sheet) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in sheet.head)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in sheet.rows
    )
    return (
        f"<h2>{escape(sheet.title)}</h2><p>{escape(sheet.note)}</p>"
        f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(each.replace("|", "\\|") for each in cells) + " |"
