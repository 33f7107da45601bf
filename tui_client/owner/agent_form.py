"""All that an agent is made of, as a form: filled in from what the server has, and made into what is sent. Pure.

A prompt for each Space that has one of its own, one of them in the form at a time.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec

from tui_client.owner import form
from tui_client.owner.answers import OwnAgent, Shelf, SpaceCard
from tui_client.owner.draft import Draft, written
from tui_client.owner.form import Form, Option
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, space_title

replace = msgspec.structs.replace

ABOUT_LIMIT = 280
EVERYWHERE = ""
"""The prompt of every Space that has none of its own."""
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?|\.[0-9]{1,6}")
_WHOLE = re.compile(r"[0-9]{1,6}")


class AgentForm(msgspec.Struct, frozen=True):
    form: Form = Form()
    """Empty until what it is filled in with has arrived."""
    began: OwnAgent = OwnAgent("")
    """As it was filled in."""
    shown: str = EVERYWHERE
    """Whose prompt is in the form."""
    prompts: dict[str, Draft] = {}
    """By Space, of those that are not in the form."""

    @property
    def changed(self) -> bool:
        """Whether anything was filled in otherwise than it began."""
        if not self.form.fields:
            return False
        spec = self.began.spec
        began = {EVERYWHERE: spec.prompt, **spec.prompts}
        began = {space: text for space, text in began.items() if text}
        fields = _fields(self.began, self.form)
        return texts(self) != began or form.changed(self.form, fields, but=("prompt", "prompt_for"))

    def with_form(self, filled: Form) -> AgentForm:
        """After a key: the prompt of the Space that was turned to comes into the form, the other is kept."""
        wanted = filled["prompt_for"].value
        if wanted == self.shown:
            return replace(self, form=filled)
        field = filled["prompt"]
        prompts = {**self.prompts, self.shown: field.draft}
        draft = prompts.pop(wanted, Draft())
        filled = form.with_field(filled, replace(field, draft=draft, trouble=""))
        return replace(self, form=filled, shown=wanted, prompts=prompts)

    def with_prompt(self, text: str) -> AgentForm:
        """With another text in place of the prompt in the form."""
        field = replace(self.form["prompt"], draft=written(text), trouble="")
        return replace(self, form=form.with_field(self.form, field))

    def with_limit(self, spaces: tuple[SpaceCard, ...]) -> AgentForm:
        """With the limit of the prompt in the form: the least of the Spaces that it is for."""
        for_these = (self.shown,) if self.shown else self.form["spaces"].chosen
        limits = [each.prompt_limit for each in spaces if not for_these or each.id in for_these]
        limit = min((limit for limit in limits if limit), default=0)
        field = self.form["prompt"]
        if field.limit == limit:
            return self
        return replace(self, form=form.with_field(self.form, replace(field, limit=limit)))

    @property
    def space(self) -> str:
        """The Space to think of when the prompt in the form is written."""
        spaces = self.form["spaces"]
        first = (*spaces.chosen, *(option.value for option in spaces.options))
        return self.shown or next(iter(first), "")


def filled_in(agent: OwnAgent, spaces: tuple[SpaceCard, ...], shelf: Shelf) -> AgentForm:
    """The form of an agent as it is; of `OwnAgent("")`, of one that is to be made."""
    spec = agent.spec
    contests = tuple(Option(space.id, space_title(space.id)) for space in spaces)
    kinds = (Option("hosted", "hosted by the arena"), Option("remote", "your own bot"))
    whose = (Option(EVERYWHERE, "all Spaces"), *contests)
    names = dict.fromkeys((*(each.brain for each in shelf.brains), spec.brain))
    models = dict.fromkeys((*shelf.models, *((spec.model,) if spec.model else ())))
    brains = tuple(Option(name, clean(name, 32)) for name in names)
    engines = (
        Option("", "the arena's own"),
        *(Option(name, clean(name, 64)) for name in models),
    )
    blank = Form(
        (
            form.line("name", "name", limit=NAME_LIMIT, hint="as everybody sees it"),
            form.line("about", "about", limit=ABOUT_LIMIT, hint="a line for its page"),
            form.one("kind", "played", kinds, "", hint="by whom; may change between sessions"),
            form.some("spaces", "Spaces", contests, (),
                      nothing="none ticked: it plays all that its brain can"),
            form.one("prompt_for", "prompt for", whose, EVERYWHERE,
                     hint="a Space may have a prompt of its own"),
            form.text("prompt", "prompt"),
            form.one("brain", "brain", brains, "", hint="llm asks a model; the others ask nobody"),
            form.one("model", "model", engines, ""),
            form.line("temperature", "temperature", hint="0 to 2; empty: as the model's maker says"),
            form.line("top_p", "top p", hint="above 0, up to 1"),
            form.line("max_tokens", "max tokens", hint="of one answer"),
        )
    )  # fmt: skip
    prompts = {space: written(words) for space, words in spec.prompts.items()}
    return AgentForm(_fields(agent, blank), agent, EVERYWHERE, prompts).with_limit(spaces)


def _fields(agent: OwnAgent, blank: Form) -> Form:
    """The fields of `blank` with what an agent is."""
    spec = agent.spec
    words = {
        "name": agent.name,
        "about": agent.about,
        "prompt": spec.prompt,
        "temperature": _number(spec.temperature),
        "top_p": _number(spec.top_p),
        "max_tokens": _number(spec.max_tokens),
    }
    chosen = {
        "kind": (agent.kind,),
        "spaces": spec.spaces,
        "brain": (spec.brain,),
        "model": (spec.model or "",),
    }
    return replace(
        blank,
        fields=tuple(
            _chosen(field, chosen[field.name])
            if field.name in chosen
            else replace(field, draft=written(words[field.name]))
            if field.name in words
            else field
            for field in blank.fields
        ),
    )


def _chosen(field: form.Field, values: tuple[str, ...]) -> form.Field:
    if field.kind is form.Kind.ONE:
        return form.one(field.name, field.label, field.options, values[0], hint=field.hint)
    return form.some(field.name, field.label, field.options, values, nothing=field.nothing)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def texts(filled: AgentForm) -> dict[str, str]:
    """All prompts that say something, by Space."""
    drafts = {**filled.prompts, filled.shown: filled.form["prompt"].draft}
    return {space: draft.text for space, draft in drafts.items() if draft.text.strip()}


def body_of(filled: AgentForm) -> dict[str, Any] | Form:
    """What is sent, or the form with what cannot be read. Texts go as they were written, and what has no
    field goes as it was."""
    fields = troubled = filled.form
    prompts = texts(filled)
    spec: dict[str, Any] = {
        "brain": fields["brain"].value,
        "spaces": list(fields["spaces"].chosen),
        "prompt": prompts.pop(EVERYWHERE, ""),
        "prompts": prompts,
    }
    if filled.began.spec.build:
        spec["build"] = filled.began.spec.build
    if model := fields["model"].value:
        spec["model"] = model
    for name, pattern in (("temperature", _NUMBER), ("top_p", _NUMBER), ("max_tokens", _WHOLE)):
        text = fields[name].text.strip()
        if text and not pattern.fullmatch(text):
            words = f"{clean(text, 20)!r} is no {'whole ' if pattern is _WHOLE else ''}number"
            troubled = form.with_trouble(troubled, name, words)
        elif text:
            spec[name] = int(text) if pattern is _WHOLE else float(text)
    if not fields["name"].text.strip():
        troubled = form.with_trouble(troubled, "name", "an agent needs a name")
    if troubled != fields:
        return troubled
    name, about = fields["name"].text.strip(), fields["about"].text.strip()
    return {"name": name, "about": about, "kind": fields["kind"].value, "spec": spec}
