"""What is seen of a session: the brief at once, the texts when all are in.

The observation:

    form, subject, task        `poem`, `a river that sings`, `Write a poem about a river that sings`
    constraints                each the constraint's JSON with `says`, which completes "the text …"
    char_limit, phase          `write` or `over`
    texts                      by seat: `{seat, state, text, met}`; `state` is `writing`, `in` or `forfeited`;
                               `text` and `met` (one truth value for each constraint) are null before
                               the reveal and for a forfeited seat
    your_text                  for a seat: its own text once it is in, else null
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from spaces.seat_names import seat_name
from spaces.writing import brief as briefs
from spaces.writing import rules
from spaces.writing.constraints import Constraint
from spaces.writing.rules import SEATS, State


def observe(state: State, viewer: int | None) -> dict[str, Any]:
    brief = state.brief
    over = not state.waiting
    seen: dict[str, Any] = {
        "form": brief.form,
        "subject": brief.subject,
        "task": brief.task,
        "constraints": [_constraint(each) for each in brief.constraints],
        "char_limit": brief.char_limit,
        "phase": "over" if over else "write",
        "texts": [_text(state, seat, revealed=over) for seat in range(SEATS)],
    }
    if viewer is not None:
        seen["your_text"] = state.texts[viewer]
    return seen


def _constraint(constraint: Constraint) -> dict[str, Any]:
    body: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(constraint))
    return {**body, "says": constraint.says}


def _text(state: State, seat: int, *, revealed: bool) -> dict[str, Any]:
    text = state.texts[seat]
    shown = text if revealed else None
    return {
        "seat": seat,
        "state": _state(state, seat),
        "text": shown,
        "met": None if shown is None else met(state, shown),
    }


def _state(state: State, seat: int) -> str:
    if seat in state.forfeited:
        return "forfeited"
    return "writing" if state.texts[seat] is None else "in"


def met(state: State, text: str) -> list[bool]:
    """For each constraint, whether the text meets it."""
    return [each.met(text) for each in state.brief.constraints]


def constraints_of(view: Mapping[str, Any]) -> tuple[Constraint, ...]:
    """The constraints in an observation, as the Structs that can check a text."""
    bare = [
        {key: value for key, value in each.items() if key != "says"} for each in view["constraints"]
    ]
    return msgspec.convert(bare, tuple[Constraint, ...])


def headline(state: State) -> str:
    """At most 80 characters."""
    outcome = rules.outcome(state)
    if outcome is None:
        lead = f"{SEATS - len(state.waiting)}/{SEATS} in"
    else:
        lead = outcome.termination
    line = f"{lead}, {state.brief.form}: {state.brief.subject}"
    return line if len(line) <= 80 else f"{line[:77]}..."


def render(state: State, names: Sequence[str] = ()) -> str:
    lines = [headline(state), f"{state.brief.task}, at most {state.brief.char_limit} characters."]
    lines += [f"- The text {each.says}." for each in state.brief.constraints]
    for seat in range(SEATS):
        lines += _rendered(state, seat, seat_name(names, seat))
    return "\n".join(lines)


def _rendered(state: State, seat: int, name: str) -> list[str]:
    text, head = state.texts[seat], f"[{name}]"
    if text is None or state.waiting:
        return [f"{head} {_state(state, seat)}"]
    marks = "".join("+" if each else "-" for each in met(state, text))
    return [f"{head} {marks}".rstrip(), *(f"  {line}" for line in text.split("\n"))]


def prompt(state: State, seat: int) -> str:
    """The brief and the answer format; the same for every seat."""
    brief = state.brief
    hint = briefs.form_of(brief.form).hint
    lines = [f"{brief.task}. {hint}", f"It has at most {brief.char_limit} characters."]
    if brief.constraints:
        lines += ["These points will be checked:"]
        lines += [f"- The text {each.says}." for each in brief.constraints]
    lines += [
        f"Your {SEATS - 1} rivals write on the same brief at the same time. Judges compare the texts "
        "without names: does it do what was asked, is it well made, is it fresh, does it work on its "
        "readers?",
        "Answer with the text only: no introduction, no comment, no quotation marks around it.",
    ]
    return "\n".join(lines)
