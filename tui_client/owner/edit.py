"""Making an agent, or editing one: its form, and the helper that writes its prompt. Pure.

A change of what plays makes a new version; the server decides what is a change. Whoever was faster is not
overwritten: an edit says which revision it has seen.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from tui_client.owner import arena, form
from tui_client.owner.agent_form import AgentForm, body_of, filled_in
from tui_client.owner.answers import Improved, OwnAgent, OwnAgents, Registered, Shelf, SpaceList
from tui_client.owner.automation import choosing
from tui_client.owner.calls import Problem, Read
from tui_client.owner.form import Form
from tui_client.owner.page import STEPS, Keys, Known, Page, Step
from tui_client.owner.troubles import field_of
from tui_client.text import clean
from tui_client.words import NAME_LIMIT

replace = msgspec.structs.replace

MAX_EDITOR = 100
CODES = {"name-taken": "name", "bad-name": "name"}
SAID = (
    ("about", "about"),
    ("the prompt", "prompt"),
    ("no brain", "brain"),
    ("the brain", "spaces"),
    ("no space", "spaces"),
    ("no model", "model"),
)
"""How the server's words begin, and which field they are about."""
WISH = form.line("wish", "wish", hint="what should be different; may stay empty", limit=500)


def editor_width(columns: int) -> int:
    """Cells of a row of the prompt."""
    return max(10, min(MAX_EDITOR, columns - 6))


class KeyPage(Page, frozen=True):
    """A new agent's key, which nobody is shown again."""

    view: ClassVar[str] = "key"
    agent: str
    """Its name, safe to paint."""
    key: str

    @property
    def name(self) -> str:
        return "ITS KEY"

    def subject(self, known: Known) -> str:
        return self.agent


class EditPage(Page, frozen=True):
    view: ClassVar[str] = "edit"
    agent: str = ""
    """Empty: a new one."""
    sheet: AgentForm = AgentForm()
    wishing: Form = Form()
    """What the helper is to be told; empty: it is not being asked."""
    offered: Improved | None = None
    """What the helper has written, to be taken or not."""
    scroll: int = 0
    """Rows of the offered prompt that are scrolled away."""
    stale: bool = False
    """The agent was changed by somebody else meanwhile."""
    saving: bool = False
    """It is on its way to the server: what would be written now would be lost."""
    leaving: bool = False
    """`esc` was pressed once, with something unsaved."""

    @property
    def form(self) -> Form:
        return self.sheet.form

    @property
    def name(self) -> str:
        return "EDIT" if self.agent else "NEW AGENT"

    def subject(self, known: Known) -> str:
        return arena.name_of(known, self.agent) if self.agent else ""

    @property
    def typing(self) -> bool:
        return self.offered is None and (bool(self.wishing.fields) or self.form.typing)

    @property
    def leaves(self) -> str:
        if self.offered is not None:
            return "keep yours"
        return "not now" if self.wishing.fields else ""

    def reads(self, known: Known) -> list[Read]:
        return [arena.spaces(), arena.shelf(), arena.own_agents()]

    def learnt(self, known: Known) -> EditPage:
        """The form is filled in once, when everything for it is there."""
        now = OwnAgent("") if not self.agent else _own(known, self.agent)
        if now is None:
            return self
        if self.form.fields:
            newer = bool(self.agent) and now.revision != self.sheet.began.revision
            return self if known.busy else replace(self, stale=newer)
        spaces = known.value(arena.spaces().path, SpaceList)
        shelf = known.value(arena.shelf().path, Shelf)
        if spaces is None or shelf is None:
            return self
        return replace(self, sheet=filled_in(now, spaces.spaces, shelf))

    # ------------------------------------------------------------------ keys

    def pasted(self, known: Known, words: str) -> Step:
        if self.offered is not None or not self.form.fields or self.saving:
            return Step(self)
        if self.wishing.fields:
            return Step(replace(self, wishing=form.paste(self.wishing, words)))
        return Step(replace(self, leaving=False)._with(known, form.paste(self.form, words)))

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if self.offered is not None:
            return Step(self._judged(key))
        if self.wishing.fields:
            return self._wished(known, key, character)
        page = replace(self, leaving=False)
        match key:
            case "escape" if self.sheet.changed and not self.leaving:
                words = "not saved: esc again leaves it, ctrl+s saves it"
                return Step(replace(self, leaving=True), notice=words)
            case "escape":
                return Step(self)  # the desk leaves it
            case _ if not self.form.fields or self.saving:
                return Step(self)
            case "ctrl+s" if not known.busy:
                return page._save()
            case "ctrl+r" if self.stale:
                return Step(EditPage(self.agent).learnt(known), notice="as it is now")
            case "ctrl+g" if not known.busy:
                return Step(replace(page, wishing=Form((WISH,))))
            case _:
                filled = form.key(page.form, key, character, editor_width(known.columns))
                return Step(page._with(known, filled))

    def _with(self, known: Known, filled: Form) -> EditPage:
        spaces = known.value(arena.spaces().path, SpaceList) or SpaceList()
        return replace(self, sheet=self.sheet.with_form(filled).with_limit(spaces.spaces))

    def _judged(self, key: str) -> EditPage:
        """What is offered is taken, or not."""
        assert self.offered is not None
        if key in STEPS:
            return replace(self, scroll=max(0, self.scroll + STEPS[key]))
        if key in ("enter", "y"):
            taken = self.sheet.with_prompt(self.offered.prompt)
            return replace(self, sheet=taken, offered=None, scroll=0)
        if key in ("escape", "n"):
            return replace(self, offered=None, scroll=0)
        return self

    def _wished(self, known: Known, key: str, character: str | None) -> Step:
        if key == "escape":
            return Step(replace(self, wishing=Form()))
        if key != "enter":
            told = form.key(self.wishing, key, character, 0)
            return Step(replace(self, wishing=told))
        wish = self.wishing["wish"].text.strip()
        asked = arena.improve(self.form["prompt"].text, self.sheet.space, wish)
        return Step(replace(self, wishing=Form()), wish=asked)

    def _save(self) -> Step:
        cleared = replace(self.sheet, form=form.without_troubles(self.form))
        body = body_of(cleared)
        if isinstance(body, Form):
            return Step(replace(self, sheet=replace(cleared, form=body)))
        page = replace(self, sheet=cleared, saving=True)
        if not self.agent:
            return Step(page, wish=arena.make(body))
        return Step(page, wish=arena.edit(self.agent, body, self.sheet.began.revision))

    # ------------------------------------------------------------------ answers

    def answered(self, known: Known, value: Any) -> Step:
        match value:
            case Improved():
                return Step(replace(self, offered=value, wishing=Form(), scroll=0))
            case Registered():
                return self._made(value)
            case OwnAgent():
                name = clean(value.name, NAME_LIMIT)
                same = value.number == self.sheet.began.number
                told = (
                    f"still version {value.number}" if same else f"version {value.number} plays now"
                )
                return Step(self, pop=True, notice=f"{name} is saved: {told}")
            case _:
                return Step(self, pop=True, notice="saved")

    def _made(self, value: Registered) -> Step:
        """Of one that its owner's bot plays, the key is shown: the bot needs it."""
        name = clean(value.name, NAME_LIMIT)
        words = f"{name} is made: p sets its automation"
        remote = bool(self.form.fields) and self.form["kind"].value == "remote"
        key = KeyPage(name, value.key) if remote and value.key else None
        return Step(self, pop=True, push=key, notice=words, chosen=value.agent)

    def refused(self, known: Known, problem: Problem) -> Step:
        page = replace(self, saving=False)
        if problem.status in (409, 412) and problem.code.startswith("stale"):
            words = (
                "it was changed meanwhile: ctrl+r shows it as it is now, and drops what you wrote"
            )
            renews = (arena.OWN_AGENTS,)
            return Step(replace(page, stale=True), notice=words, alarm=True, renews=renews)
        name = field_of(problem, tuple(field.name for field in self.form.fields), CODES, SAID)
        if name is None:
            return Step(page)
        told = form.with_trouble(self.form, name, clean(problem.detail, 200))
        return Step(replace(page, sheet=replace(self.sheet, form=told)))

    def keys(self, known: Known) -> Keys:
        if self.offered is not None:
            return (("enter", "take it"), ("↑↓", "scroll"))
        if self.wishing.fields:
            return (("enter", "ask the helper"),)
        stale = (("ctrl+r", "reload"),) if self.stale else ()
        return (
            *stale,
            ("ctrl+s", "save"),
            ("ctrl+g", "write the prompt"),
            ("tab", "next field"),
            *choosing(self.form),
        )


def _own(known: Known, agent: str) -> OwnAgent | None:
    """As it is now; None while that is being read again."""
    told = known.value(arena.OWN_AGENTS, OwnAgents)
    return None if told is None or known.kept(arena.OWN_AGENTS).old else told.get(agent)
