"""An agent's training: what is allowed, what runs, the gate, the versions that came of it, the way back. Pure."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from tui_client.owner import arena, form
from tui_client.owner.calls import Problem, Read
from tui_client.owner.compare import ComparePage
from tui_client.owner.form import Form
from tui_client.owner.learning import Change, Job, Learning, Lineage, Training
from tui_client.owner.lineages import back, number_of
from tui_client.owner.page import STEPS, Copy, Keys, Known, Page, Step, moved
from tui_client.owner.spans import seconds_of, span
from tui_client.owner.training_shown import (
    LISTS,
    OVER,
    SPACES,
    VERSIONS,
    chosen_node,
    chosen_past,
    data_read,
    gate_id,
    gate_read,
    learning_of,
    live_sessions,
    nodes_of,
    past,
    shown_job,
    training_of,
)
from tui_client.text import clean

replace = msgspec.structs.replace

RATED = 8
"""Versions of which ratings and gates are read."""
BUDGET_MIN_S, BUDGET_MAX_S = 60, 7 * 86_400
ID_CHARS = 96


class TrainingPage(Page, frozen=True):
    view: ClassVar[str] = "training"
    agent: str
    space: str = ""
    """The chosen one; empty: where something runs, or the first."""
    focus: str = SPACES
    number: str = ""
    """The chosen version's."""
    job: str = ""
    """The chosen one of the past trainings."""
    watched: str = ""
    """The session of the gate that was watched last."""
    asking: str = ""
    """What has to be confirmed by the same key: `x` cancels, `r` rolls back."""
    about: str = ""
    """What that is about: the training, or the version that shall play no more."""
    form: Form = Form()
    """Of the budget, while it is written."""

    @property
    def name(self) -> str:
        return "TRAINING"

    @property
    def typing(self) -> bool:
        return self.form.typing

    @property
    def leaves(self) -> str:
        return "not now" if self.form.fields or self.asking else ""

    def subject(self, known: Known) -> str:
        told = known.value(arena.training(self.agent).path, Training)
        number = number_of(told.version) if told is not None else None
        name = arena.name_of(known, self.agent)
        return name if number is None else f"{name} v{number}"

    # ------------------------------------------------------------------ reads

    def reads(self, known: Known) -> list[Read]:
        told = known.value(arena.training(self.agent).path, Training)
        near = told is not None and any(each.job is not None for each in told.spaces)
        found = [
            arena.own_agents(),
            arena.training(self.agent, near=near),
            arena.lineage(self.agent),
            arena.versions(self.agent),
        ]
        nodes = nodes_of(self, known)[:RATED]
        found += [arena.stats(self.agent, version=node.number) for node in nodes]
        gates = dict.fromkeys([gate_id(self, known), *(node.gate for node in nodes)])
        found += [gate_read(known, gate) for gate in gates if gate]
        job = shown_job(self, known)
        return found + ([data_read(job)] if job is not None and job.data else [])

    # ------------------------------------------------------------------ keys

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if self.form.fields:
            return self._writing(known, key, character)
        asked, about = self.asking, self.about
        page = replace(self, asking="", about="")
        if key == "escape":
            return Step(page)
        if key in STEPS:
            return Step(page._moved(known, STEPS[key]))
        if copied := _copied(page, known, key):
            return Step(page, notice=f"{copied.what} copied: {copied.text}")
        match key:
            case "tab" | "shift+tab":
                at = LISTS.index(self.focus) + (1 if key == "tab" else -1)
                return Step(replace(page, focus=LISTS[at % len(LISTS)]))
            case "w" | "enter":
                return page._watched(known)
            case "c":
                return page._compared(known)
            case "r":
                return page._rolled_back(known, about if asked == "r" else "")
        learning = learning_of(page, known)
        if learning is None or known.busy:
            return Step(page)
        match key:
            case "o":
                wish = arena.allow(self.agent, learning.space, on=not learning.consent.on)
                return Step(page, wish=wish)
            case "b":
                return Step(replace(page, form=_budget(learning)))
            case "s":
                return page._started(learning)
            case "x":
                return page._cancelled(learning, about if asked == "x" else "")
            case _:
                return Step(page)

    def pasted(self, known: Known, words: str) -> Step:
        if not self.form.fields or known.busy:
            return Step(self)
        return Step(replace(self, form=form.paste(self.form, words)))

    def _moved(self, known: Known, by: int) -> TrainingPage:
        if self.focus == SPACES:
            names = [each.space for each in training_of(self, known).spaces]
            here = learning_of(self, known)
            return replace(self, space=moved(names, here.space if here else "", by))
        if self.focus == VERSIONS:
            names = [str(node.number) for node in nodes_of(self, known)]
            node = chosen_node(self, known)
            return replace(self, number=moved(names, str(node.number) if node else "", by))
        names = [each.job for each in past(self, known)]
        chosen = chosen_past(self, known)
        return replace(self, job=moved(names, chosen.job if chosen else "", by))

    def _watched(self, known: Known) -> Step:
        """The next of the gate's live sessions after the one that was watched last."""
        live = live_sessions(self, known)
        if not live:
            return Step(self, notice="no match of this gate is being played just now")
        at = live.index(self.watched) + 1 if self.watched in live else 0
        session = live[at % len(live)]
        return Step(replace(self, watched=session), watch=session)

    def _compared(self, known: Known) -> Step:
        """The chosen version beside the one that it came of."""
        node = chosen_node(self, known)
        if node is None or node.parent is None:
            return Step(self, notice="there is no version before this one to compare it with")
        learning = learning_of(self, known)
        one, other = (f"{self.agent}@v{number}" for number in (node.number, node.parent))
        return Step(self, push=ComparePage(one, other, space=learning.space if learning else ""))

    def _rolled_back(self, known: Known, confirmed: str) -> Step:
        told = known.value(arena.lineage(self.agent).path, Lineage)
        to = back(told) if told is not None else None
        if told is None or to is None:
            return Step(
                self, notice="what plays was promoted by no gate: there is no way back but an edit"
            )
        if confirmed == told.version and not known.busy:
            return Step(self, wish=arena.roll_back(self.agent, told.version))
        return Step(replace(self, asking="r", about=told.version))

    def _started(self, learning: Learning) -> Step:
        if learning.job is not None:
            return Step(self, notice="one is under way here; x cancels it")
        return Step(self, wish=arena.train(self.agent, learning.space))

    def _cancelled(self, learning: Learning, confirmed: str) -> Step:
        job = learning.job
        if job is None:
            return Step(self, notice="no training is under way here")
        if confirmed == job.job:
            return Step(self, wish=arena.stop_training(self.agent, learning.space))
        return Step(replace(self, asking="x", about=job.job))

    # ------------------------------------------------------------------ the budget

    def _writing(self, known: Known, key: str, character: str | None) -> Step:
        if key == "escape":
            return Step(replace(self, form=Form()))
        if known.busy:
            return Step(self)  # what is on its way is what stands in the form
        if key not in ("enter", "ctrl+s"):
            return Step(replace(self, form=form.key(self.form, key, character, 0)))
        text = self.form["budget_s"].text
        seconds, learning = seconds_of(text), learning_of(self, known)
        if seconds is None or not BUDGET_MIN_S <= seconds <= BUDGET_MAX_S:
            words = f"{clean(text, 20)!r} is no budget: write 1m to 7d, e.g. 1h30m"
            return Step(replace(self, form=form.with_trouble(self.form, "budget_s", words)))
        if learning is None:
            return Step(self)
        return Step(self, wish=arena.set_budget(self.agent, learning.space, seconds))

    # ------------------------------------------------------------------ answers

    def answered(self, known: Known, value: Any) -> Step:
        page = replace(self, form=Form())
        if isinstance(value, Change):
            return Step(page, notice=f"v{number_of(value.version) or '?'} plays again")
        if isinstance(value, Job):
            word = "is being cancelled" if value.cancelling or value.state in OVER else "is queued"
            return Step(replace(page, space=value.space), notice=f"the training {word}")
        if self.form.fields:
            return Step(page, notice="the budget is set")
        spaces = value.spaces if isinstance(value, Training) else ()
        here = learning_of(self, known)
        on = any(each.consent.on for each in spaces if here and each.space == here.space)
        told = (
            "on: a training begins by itself as soon as it may"
            if on
            else "off: none begins by itself"
        )
        return Step(page, notice=told)

    def refused(self, known: Known, problem: Problem) -> Step:
        if "budget_s" not in self.form:
            return Step(self)
        told = clean(problem.detail, 200)
        return Step(replace(self, form=form.with_trouble(self.form, "budget_s", told)))

    def copies(self, known: Known) -> tuple[Copy, ...]:
        """The content ids of what the shown training has made."""
        job = shown_job(self, known)
        if job is None:
            return ()
        told = (("data card", job.data), ("proof", job.manifest), ("adapter", job.adapter))
        return tuple(Copy(what, clean(cid, ID_CHARS)) for what, cid in told if cid)

    def keys(self, known: Known) -> Keys:
        if self.form.fields:
            return (("enter", "sets the budget"),)
        if self.asking:
            return ((self.asking, "yes, do it"),)
        learning, others = (
            learning_of(self, known),
            LISTS[(LISTS.index(self.focus) + 1) % len(LISTS)],
        )
        lineage = known.value(arena.lineage(self.agent).path, Lineage)
        to = back(lineage) if lineage is not None else None
        node = chosen_node(self, known)
        found: list[tuple[str, str]] = []
        if live_sessions(self, known):
            found.append(("w", "watch a match"))
        if learning is not None:
            if learning.job is not None:
                found.append(("x", "cancel"))
            else:
                found.append(("s", "start"))
            found.append(("o", "off" if learning.consent.on else "on"))
        found.append(("tab", others))
        if to is not None:
            found.append(("r", f"back to v{to}"))
        if learning is not None:
            found.append(("b", "budget"))
        if node is not None and node.parent is not None:
            found.append(("c", f"v{node.number} beside v{node.parent}"))
        if copies := self.copies(known):
            found.append(("1" if len(copies) == 1 else f"1-{len(copies)}", "copy"))
        return (*found, ("↑↓", "choose"))


def _copied(page: TrainingPage, known: Known, key: str) -> Copy | None:
    found = page.copies(known)
    return found[int(key) - 1] if key in ("1", "2", "3") and int(key) <= len(found) else None


def _budget(learning: Learning) -> Form:
    written = span(learning.consent.budget_s)
    hint = "of device time in any seven days, e.g. 1h30m; enter sets it"
    return Form((form.line("budget_s", "budget", written, hint=hint),), 0)
