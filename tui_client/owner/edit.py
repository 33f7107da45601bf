"""Making an agent, or editing one: everything of it as a form, and the helper that writes its prompt. Pure.

A change of what plays makes a new version; the server decides what is a change. Whoever was faster is not
overwritten: an edit says which revision it has seen.
"""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from tui_client.owner import arena, form
from tui_client.owner.answers import (
    Improved,
    OwnAgent,
    OwnAgents,
    Registered,
    Shelf,
    SpaceCard,
    SpaceList,
    Spec,
)
from tui_client.owner.automation import choosing
from tui_client.owner.calls import Problem, Read
from tui_client.owner.draft import Draft, written
from tui_client.owner.form import Form, Option
from tui_client.owner.page import STEPS, Keys, Known, Page, Step
from tui_client.owner.troubles import field_of
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, space_title

replace = msgspec.structs.replace

ABOUT_LIMIT = 280
EVERYWHERE = ""
"""The prompt of every Space that has none of its own."""
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
    revision: int | None = None
    """Of the agent as it was when the form was filled in."""
    form: Form = Form()
    """Empty until what it is filled in with has arrived."""
    saved: Form = Form()
    prompts: dict[str, Draft] = msgspec.field(default_factory=dict)
    """By Space, of those that are not in hand."""
    began: Spec = Spec()
    """What plays as it was."""
    shown: str = EVERYWHERE
    """Whose prompt is in the form."""
    wishing: Form = Form()
    """What the helper is to be told; empty: it is not being asked."""
    offered: Improved | None = None
    """What the helper has written, to be taken or not."""
    scroll: int = 0
    """Rows of the offered prompt that are scrolled away."""
    stale: bool = False
    """The agent was changed by somebody else meanwhile."""
    leaving: bool = False

    @property
    def name(self) -> str:
        return "EDIT" if self.agent else "NEW AGENT"

    def subject(self, known: Known) -> str:
        return arena.name_of(known, self.agent) if self.agent else ""

    @property
    def typing(self) -> bool:
        return self.offered is None and (bool(self.wishing.fields) or self.form.typing)

    @property
    def changed(self) -> bool:
        if not self.form.fields:
            return False
        began = {EVERYWHERE: self.began.prompt, **self.began.prompts}
        return form.changed(self.form, self.saved, but=("prompt", "prompt_for")) or _texts(
            self
        ) != {space: text for space, text in began.items() if text}

    @property
    def leaves(self) -> str:
        if self.offered is not None:
            return "keep yours"
        return "not now" if self.wishing.fields else ""

    def reads(self, known: Known) -> list[Read]:
        return [arena.spaces(), arena.shelf(), arena.own_agents()]

    # ------------------------------------------------------------------ filling in

    def learnt(self, known: Known) -> EditPage:
        spaces = known.value(arena.spaces().path, SpaceList)
        shelf = known.value(arena.shelf().path, Shelf)
        if spaces is None or shelf is None:
            return self
        if not self.agent:
            new = OwnAgent("", kind="hosted")
            return self if self.form.fields else _filled(self, new, spaces, shelf)
        now = _own(known, self.agent)
        if now is None or known.kept(arena.own_agents().path).old:
            return self
        if not self.form.fields:
            return _filled(self, now, spaces, shelf)
        return replace(self, stale=now.revision != self.revision) if not known.busy else self

    def reloaded(self, known: Known) -> EditPage:
        """As the server has it now; what was written here is dropped."""
        return EditPage(self.agent).learnt(known)

    # ------------------------------------------------------------------ keys

    def pasted(self, known: Known, words: str) -> Step:
        if self.offered is not None:
            return Step(self)
        if self.wishing.fields:
            return Step(replace(self, wishing=form.paste(self.wishing, words)))
        page = replace(self, form=form.paste(self.form, words), leaving=False)
        return Step(_counted(page, known))

    def pressed(self, known: Known, key: str, character: str | None) -> Step:
        if self.offered is not None:
            return Step(self._judged(key))
        if self.wishing.fields:
            return self._wished(known, key, character)
        page = replace(self, leaving=False)
        match key:
            case "escape" if self.changed and not self.leaving:
                words = "not saved: esc again leaves it, ctrl+s saves it"
                return Step(replace(self, leaving=True), notice=words)
            case "escape":
                return Step(self)  # the desk leaves it
            case "ctrl+s":
                return page._save(known)
            case "ctrl+r" if self.stale:
                return Step(page.reloaded(known), notice="as it is now")
            case "ctrl+g" if page.form.fields and not known.busy:
                return Step(replace(page, wishing=Form((WISH,))))
            case _:
                width = editor_width(known.columns)
                filled = form.key(page.form, key, character, width)
                return Step(_counted(_turned(replace(page, form=filled)), known))

    def _judged(self, key: str) -> EditPage:
        """What is offered is taken, or not."""
        if key in STEPS:
            return replace(self, scroll=max(0, self.scroll + STEPS[key]))
        if key in ("enter", "y") and self.offered is not None:
            field = replace(self.form["prompt"], draft=written(self.offered.prompt), trouble="")
            taken = replace(self, form=form.with_field(self.form, field))
            return replace(taken, offered=None, scroll=0)
        if key in ("escape", "n"):
            return replace(self, offered=None, scroll=0)
        return self

    def _wished(self, known: Known, key: str, character: str | None) -> Step:
        if key == "escape":
            return Step(replace(self, wishing=Form()))
        if key != "enter":
            told = form.key(self.wishing, key, character, 0)
            return Step(replace(self, wishing=told))
        spaces = self.form["spaces"]
        first = (*spaces.chosen, *(option.value for option in spaces.options))
        space = self.shown or next(iter(first), "")
        wish = arena.improve(self.form["prompt"].text, space, self.wishing["wish"].text.strip())
        return Step(replace(self, wishing=Form()), wish=wish)

    def _save(self, known: Known) -> Step:
        if known.busy or not self.form.fields:
            return Step(self)
        page = replace(self, form=form.without_troubles(self.form))
        body = body_of(page)
        if isinstance(body, Form):
            return Step(replace(page, form=body))
        if not page.agent:
            return Step(page, wish=arena.make(body))
        return Step(page, wish=arena.edit(page.agent, body, page.revision))

    # ------------------------------------------------------------------ answers

    def answered(self, known: Known, value: Any) -> Step:
        if isinstance(value, Improved):
            return Step(replace(self, offered=value, wishing=Form(), scroll=0))
        if isinstance(value, Registered):
            return self._made(value)
        if not isinstance(value, OwnAgent):
            return Step(self, pop=True, notice="saved")
        name = clean(value.name, NAME_LIMIT)
        was = _own(known, self.agent)
        new = was is not None and was.number != value.number
        told = f"version {value.number} plays now" if new else f"still version {value.number}"
        return Step(self, pop=True, notice=f"{name} is saved: {told}")

    def _made(self, value: Registered) -> Step:
        """Of one that its owner's bot plays, the key is shown: the bot needs it."""
        name = clean(value.name, NAME_LIMIT)
        words = f"{name} is made: p sets its automation"
        remote = bool(self.form.fields) and self.form["kind"].value == "remote"
        key = KeyPage(name, value.key) if remote and value.key else None
        return Step(self, pop=True, push=key, notice=words)

    def refused(self, known: Known, problem: Problem) -> Step:
        if problem.status in (409, 412) and problem.code.startswith("stale"):
            words = (
                "it was changed meanwhile: ctrl+r shows it as it is now, and drops what you wrote"
            )
            renews = ("/v1/me/agents",)
            return Step(replace(self, stale=True), notice=words, alarm=True, renews=renews)
        name = field_of(problem, tuple(field.name for field in self.form.fields), CODES, SAID)
        if name is None:
            return Step(self)
        told = form.with_trouble(self.form, name, clean(problem.detail, 200))
        return Step(replace(self, form=told))

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
    told = known.value(arena.own_agents().path, OwnAgents)
    return next((each for each in told.agents if each.agent == agent), None) if told else None


def _filled(page: EditPage, agent: OwnAgent, spaces: SpaceList, shelf: Shelf) -> EditPage:
    spec = agent.spec
    offered = spaces.spaces
    contests = tuple(Option(space.id, space_title(space.id)) for space in offered)
    kinds = (Option("hosted", "hosted by the arena"), Option("remote", "your own bot"))
    whose = (Option(EVERYWHERE, "all Spaces"), *contests)
    names = dict.fromkeys((*(each.brain for each in shelf.brains), spec.brain))
    brains = tuple(Option(name, clean(name, 32)) for name in names)
    models = tuple(dict.fromkeys((*shelf.models, *((spec.model,) if spec.model else ()))))
    whose_model = (
        Option("", "the arena's own"),
        *(Option(name, clean(name, 64)) for name in models),
    )
    filled = Form(
        (
            form.line("name", "name", agent.name, limit=NAME_LIMIT, hint="as everybody sees it"),
            form.line("about", "about", agent.about, limit=ABOUT_LIMIT, hint="a line for its page"),
            form.one("kind", "played", kinds, agent.kind, hint="by whom; may change between sessions"),
            form.some("spaces", "Spaces", contests, spec.spaces, hint="that it plays; none: all it can"),
            form.one("prompt_for", "prompt for", whose, EVERYWHERE,
                     hint="a Space may have a prompt of its own"),
            form.text("prompt", "prompt", spec.prompt, limit=_limit(EVERYWHERE, spec.spaces, offered)),
            form.one("brain", "brain", brains, spec.brain, hint="llm asks a model; the others ask nobody"),
            form.one("model", "model", whose_model, spec.model or ""),
            form.line("temperature", "temperature", _number(spec.temperature), hint="0 to 2; empty: as the model's maker says"),
            form.line("top_p", "top p", _number(spec.top_p), hint="above 0, up to 1"),
            form.line("max_tokens", "max tokens", _number(spec.max_tokens), hint="of one answer"),
        )
    )  # fmt: skip
    prompts = {space: written(words) for space, words in spec.prompts.items()}
    return EditPage(page.agent, agent.revision, filled, filled, prompts, spec)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _limit(shown: str, chosen: tuple[str, ...], offered: tuple[SpaceCard, ...]) -> int:
    """Characters that the shown prompt may have: the least of the Spaces it is for; 0: nobody knows."""
    for_these = (shown,) if shown else chosen
    limits = [space.prompt_limit for space in offered if not for_these or space.id in for_these]
    return min((limit for limit in limits if limit), default=0)


def _counted(page: EditPage, known: Known) -> EditPage:
    """With the limit that holds for the Spaces chosen now."""
    spaces = known.value(arena.spaces().path, SpaceList)
    if spaces is None or not page.form.fields:
        return page
    limit = _limit(page.shown, page.form["spaces"].chosen, spaces.spaces)
    field = page.form["prompt"]
    if field.limit == limit:
        return page
    return replace(page, form=form.with_field(page.form, replace(field, limit=limit)))


def _turned(page: EditPage) -> EditPage:
    """The prompt of the Space that was turned to comes into the form; the other one is kept."""
    wanted = page.form["prompt_for"].value if page.form.fields else page.shown
    if wanted == page.shown:
        return page
    field = page.form["prompt"]
    prompts = {**page.prompts, page.shown: field.draft}
    draft = prompts.pop(wanted, Draft())
    filled = form.with_field(page.form, replace(field, draft=draft, trouble=""))
    return replace(page, form=filled, prompts=prompts, shown=wanted)


def _texts(page: EditPage) -> dict[str, str]:
    """All prompts that say something, by Space."""
    drafts = {**page.prompts, page.shown: page.form["prompt"].draft}
    return {space: draft.text for space, draft in drafts.items() if draft.text.strip()}


def body_of(page: EditPage) -> dict[str, Any] | Form:
    """What is sent, or the form with what cannot be read. The texts go as they were written."""
    filled = troubled = page.form
    spec: dict[str, Any] = {"brain": filled["brain"].value, "spaces": list(filled["spaces"].chosen)}
    texts = _texts(page)
    spec["prompt"] = texts.pop(EVERYWHERE, "")
    spec["prompts"] = texts
    if page.began.build:
        spec["build"] = page.began.build
    if model := filled["model"].value:
        spec["model"] = model
    for name, kind in (("temperature", float), ("top_p", float), ("max_tokens", int)):
        text = filled[name].text.strip()
        if not text:
            continue
        try:
            spec[name] = kind(text)
        except ValueError:
            troubled = form.with_trouble(troubled, name, f"{clean(text, 20)!r} is no number")
    if not filled["name"].text.strip():
        troubled = form.with_trouble(troubled, "name", "an agent needs a name")
    if troubled != filled:
        return troubled
    return {
        "name": filled["name"].text.strip(),
        "about": filled["about"].text.strip(),
        "kind": filled["kind"].value,
        "spec": spec,
    }
