"""A form that is filled in by keyboard: fields one under another, one of them in hand. Pure.

What a field may hold is the server's business; a form only keeps what was given and shows what was said of it.
"""

from __future__ import annotations

import enum

import msgspec

from tui_client.owner.draft import Draft, pressed, typed, written

replace = msgspec.structs.replace


class Kind(enum.Enum):
    LINE = "line"
    """One line of text."""
    TEXT = "text"
    """Text of many lines."""
    ONE = "one"
    """One of some options."""
    SOME = "some"
    """Any of some options."""


class Option(msgspec.Struct, frozen=True):
    value: str
    label: str


class Field(msgspec.Struct, frozen=True):
    name: str
    """As the server calls it: problems name fields."""
    label: str
    kind: Kind = Kind.LINE
    draft: Draft = Draft()
    options: tuple[Option, ...] = ()
    chosen: tuple[str, ...] = ()
    """Values of the chosen options, in the order of the options; of ONE, one."""
    at: int = 0
    """The option in hand."""
    hint: str = ""
    nothing: str = ""
    """What it means that none of SOME is chosen."""
    limit: int = 0
    """Characters that may be saved, for the count; 0 says nothing."""
    trouble: str = ""
    """Why the server did not take it; gone when it is changed."""

    @property
    def text(self) -> str:
        return self.draft.text

    @property
    def value(self) -> str:
        """Of ONE: the chosen option."""
        return self.chosen[0] if self.chosen else ""


class Form(msgspec.Struct, frozen=True):
    fields: tuple[Field, ...] = ()
    at: int = 0
    """The field in hand."""

    @property
    def field(self) -> Field:
        return self.fields[self.at]

    @property
    def typing(self) -> bool:
        """Whether letters are text here, not keys."""
        return bool(self.fields) and self.field.kind in (Kind.LINE, Kind.TEXT)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def __contains__(self, name: str) -> bool:
        return any(field.name == name for field in self.fields)


def line(name: str, label: str, text: str = "", *, hint: str = "", limit: int = 0) -> Field:
    return Field(name, label, Kind.LINE, written(text), hint=hint, limit=limit)


def text(name: str, label: str, words: str = "", *, hint: str = "", limit: int = 0) -> Field:
    return Field(name, label, Kind.TEXT, written(words), hint=hint, limit=limit)


def one(name: str, label: str, options: tuple[Option, ...], value: str, *, hint: str = "") -> Field:
    """`value` is chosen, or the first option where that is none of them."""
    at = next((n for n, option in enumerate(options) if option.value == value), 0)
    chosen = (options[at].value,) if options else ()
    return Field(name, label, Kind.ONE, options=options, chosen=chosen, at=at, hint=hint)


def some(
    name: str,
    label: str,
    options: tuple[Option, ...],
    values: tuple[str, ...],
    *,
    nothing: str = "",
) -> Field:
    chosen = tuple(option.value for option in options if option.value in values)
    return Field(name, label, Kind.SOME, options=options, chosen=chosen, nothing=nothing)


def with_field(form: Form, field: Field) -> Form:
    """The form with the field of that name replaced."""
    return replace(
        form, fields=tuple(field if each.name == field.name else each for each in form.fields)
    )


def with_trouble(form: Form, name: str, trouble: str) -> Form:
    """Something is wrong with a field: said there, and it is in hand."""
    at = next((n for n, field in enumerate(form.fields) if field.name == name), None)
    if at is None:
        return form
    return replace(with_field(form, replace(form.fields[at], trouble=trouble)), at=at)


def without_troubles(form: Form) -> Form:
    return replace(form, fields=tuple(replace(field, trouble="") for field in form.fields))


def changed(form: Form, since: Form, but: tuple[str, ...] = ()) -> bool:
    """Whether anything was filled in otherwise, `but` for some fields."""
    return any(
        (new.text, new.chosen) != (old.text, old.chosen)
        for new, old in zip(form.fields, since.fields, strict=True)
        if new.name not in but
    )


def key(form: Form, name: str, character: str | None, width: int) -> Form:
    """The form after a key. `width`: cells of a row of a TEXT."""
    if not form.fields:
        return form
    field = form.field
    within = _within(field, name, character, width)
    if within is not None:
        kept = field.trouble if within.chosen == field.chosen and within.text == field.text else ""
        return with_field(form, replace(within, trouble=kept))
    match name:
        case "up" | "shift+tab":
            return replace(form, at=max(0, form.at - 1))
        case "down" | "tab" | "enter":
            return replace(form, at=min(len(form.fields) - 1, form.at + 1))
        case _:
            return form


def paste(form: Form, words: str) -> Form:
    """Text that was pasted; a field of one line gets it as one line."""
    if not form.typing:
        return form
    field = form.field
    if field.kind is Kind.LINE:
        words = " ".join(words.split())
    return with_field(form, replace(field, draft=typed(field.draft, words), trouble=""))


def _within(field: Field, name: str, character: str | None, width: int) -> Field | None:
    """The field after a key that it takes itself."""
    if field.kind in (Kind.ONE, Kind.SOME):
        return _among(field, name)
    if field.kind is Kind.TEXT and name == "enter":
        return replace(field, draft=typed(field.draft, "\n"))
    if character is not None and character.isprintable() and character:
        return replace(field, draft=typed(field.draft, character))
    moved = pressed(field.draft, name, width if field.kind is Kind.TEXT else 0)
    return None if moved is None else replace(field, draft=moved)


def _among(field: Field, name: str) -> Field | None:
    if name in ("left", "right") and field.options:
        at = (field.at + (1 if name == "right" else -1)) % len(field.options)
        chosen = (field.options[at].value,) if field.kind is Kind.ONE else field.chosen
        return replace(field, at=at, chosen=chosen)
    if name == "space" and field.options:
        value = field.options[field.at].value
        if field.kind is Kind.ONE:
            return replace(field, chosen=(value,))
        toggled = set(field.chosen) ^ {value}
        chosen = tuple(option.value for option in field.options if option.value in toggled)
        return replace(field, chosen=chosen)
    return None
