"""One judge: its standing and stake, what it has earned and lost, how reliable it was, and each hearing it was drawn for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.text import Text

from server.protocol import JudgeHearing, JudgeView
from tui_client import theme
from tui_client.docket import trouble
from tui_client.owner.amounts import money, signed
from tui_client.state import State
from tui_client.text import clean
from tui_client.widgets.canvas import Part, fit, frame, line
from tui_client.widgets.court.bench import frac
from tui_client.widgets.pane import Pane
from tui_client.words import moment, space_title

MAX_HISTORY = 50
MAX_FIGURES = 8
_STATES = {"revealed": theme.BRIGHT, "absent": theme.ALARM, "replaced": theme.ALARM}


def paint_judge(state: State, width: int, height: int) -> list[Text]:
    docket = state.docket
    if docket is None or docket.judge is None or height < 3:
        return []
    judge = docket.page()
    title = line(("JUDGE ", theme.TITLE), (f" {clean(docket.judge, 42)}", theme.DIM))
    if judge is None:
        why = clean(trouble(docket), 160)
        rows = [line((why, theme.ALARM) if why else ("waiting for the arena …", theme.DIM))]
        return frame(title, rows, width, height)
    rows = [*_standing(judge), *_reliability(judge.reliability or {}), Text(end="")]
    rows += _history(judge.history[:MAX_HISTORY])
    room = height - 2
    first = min(docket.scroll, max(0, len(rows) - room))
    hidden = len(rows) - first - room
    note = line((f"↓ {hidden} more", theme.DIM)) if hidden > 0 else None
    return frame(title, [fit(row, width - 4) for row in rows[first:]], width, height, note)


def _standing(judge: JudgeView) -> list[Text]:
    stands = judge.standing == "standing"
    first: list[Part] = [
        (clean(judge.family, 40), theme.BRIGHT),
        ("   "),
        (clean(judge.standing, 16), theme.PLAIN if stands else theme.ALARM),
        ("   staked ", theme.DIM),
        (f"{frac(judge.bonded_frac)} FRAC", theme.PLAIN),
    ]
    if (lost := frac(judge.slashed_frac)) != "0":
        first += [("   lost ", theme.DIM), (f"{lost} FRAC", theme.ALARM)]
    skill = "no hearing yet"
    if judge.mean_skill_ppm is not None:
        skill = f"{judge.mean_skill_ppm / 1_000_000:+.2f} over its last 20"
    second = line(
        ("hearings ", theme.DIM),
        (f"{judge.hearings}", theme.PLAIN),
        ("   revealed ", theme.DIM),
        (f"{judge.revealed}", theme.PLAIN),
        ("   absent ", theme.DIM),
        (f"{judge.absent}", theme.ALARM if judge.absent else theme.PLAIN),
        ("   skill ", theme.DIM),
        (skill, theme.PLAIN),
        ("   earned ", theme.DIM),
        (money(judge.earned_micros, "usdc"), theme.MONEY),
    )
    operator = line(("operator ", theme.DIM), (clean(judge.operator, 42), theme.PLAIN))
    return [line(*first), second, operator]


def _reliability(figures: Mapping[str, object]) -> list[Text]:
    """Whatever is published, by its own names: a diagnostic, no part of the rules."""
    parts: list[Part] = []
    for name, value in list(figures.items())[:MAX_FIGURES]:
        if isinstance(value, int | str) and not isinstance(value, bool):
            parts += [
                (f"{clean(name.replace('_', ' '), 24)} ", theme.DIM),
                (clean(str(value), 24), theme.PLAIN),
                "   ",
            ]
    return [line(("reliability   ", theme.FAINT), *parts)] if parts else []


def _history(hearings: Sequence[JudgeHearing]) -> list[Text]:
    if not hearings:
        return [line(("it was not drawn yet", theme.DIM))]
    head = f"{'drawn':<14}{'':<14}{'session':<28}{'':<12}{'skill':>7}  USDC"
    return [line((head, theme.FAINT)), *(_hearing(each) for each in hearings)]


def _hearing(each: JudgeHearing) -> Text:
    skill = "" if each.skill_ppm is None else f"{each.skill_ppm / 1_000_000:+.2f}"
    paid = "" if each.skill_ppm is None else signed(each.pay_micros)
    parts: list[Part] = [
        (f"{moment(each.drawn_ms):<14}", theme.DIM),
        (f"{space_title(each.space):<14}", theme.PLAIN),
        fit(line((clean(each.session, 26), theme.FAINT)), 28),
        (f"{clean(each.state, 10):<12}", _STATES.get(each.state, theme.DIM)),
        (f"{skill:>7}  ", theme.BRIGHT),
        (paid, theme.MONEY if each.pay_micros >= 0 else theme.ALARM),
    ]
    if (lost := frac(each.slash_frac)) != "0":
        parts.append((f"  loses {lost} FRAC", theme.ALARM))
    return line(*parts)


class JudgePane(Pane):
    def paint(self, state: State, width: int, height: int) -> Sequence[Text]:
        return paint_judge(state, width, height)
