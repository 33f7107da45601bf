"""The works that the bench plants faults in: battles and texts, as data, in two halves.

With the half TUNING the readings of the instrument-led judges were set; figures are reported on the half
REPORTED, of which nothing was used. Both are public: who runs audits with them (`judges.bench.gold`) can be
found out by anybody who reads this repository, and should write more of the same in a folder of his own.
"""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta

from judges.case import Case, Check, Piece
from spaces.rap_battle.rules import Params as BattleParams
from spaces.writing.brief import Brief, form_of
from spaces.writing.constraints import Constraint
from spaces.writing.forms import FormId

T = TypeVar("T")
Half = Literal["tuning", "reported"]
TUNING: Half = "tuning"
REPORTED: Half = "reported"
HALVES: tuple[Half, ...] = (TUNING, REPORTED)

_Verse = Annotated[str, Meta(min_length=1, max_length=BattleParams().char_limit)]
_Verses = Annotated[tuple[_Verse, ...], Meta(min_length=1, max_length=8)]


class Battle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    topic: Annotated[str, Meta(min_length=1, max_length=120)]
    first: _Verses
    """The verses of the seat that opens, one a round."""
    second: _Verses

    @property
    def sides(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        return (self.first, self.second)


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    form: FormId
    subject: str
    constraints: tuple[Constraint, ...]
    text: Annotated[str, Meta(min_length=1, max_length=2_000)]


class Attack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    kind: str
    text: Annotated[str, Meta(min_length=1, max_length=400)]
    alone: bool = False
    """Whether it is the whole work; otherwise it is added to a work that is cut off."""


class BadMaterial(ValueError):
    """A file of works is not as it must be; the text names it and says why."""


class _Battles(msgspec.Struct, forbid_unknown_fields=True):
    battle: tuple[Battle, ...]


class _Texts(msgspec.Struct, forbid_unknown_fields=True):
    text: tuple[Text, ...]


class _Attacks(msgspec.Struct, forbid_unknown_fields=True):
    attack: tuple[Attack, ...]


def battles(half: Half, folder: Path | None = None) -> tuple[Battle, ...]:
    """Those of `battles-<half>.toml`, here or in a folder of one's own. Raises BadMaterial."""
    found = _read(f"battles-{half}.toml", folder, _Battles).battle
    for each in found:
        if len(each.first) != len(each.second):
            raise BadMaterial(f"the battle about {each.topic!r} has more verses on one side")
    return tuple(Battle(each.topic, _plain(each.first), _plain(each.second)) for each in found)


def texts(half: Half, folder: Path | None = None) -> tuple[Text, ...]:
    """The same of `texts-<half>.toml`."""
    found = _read(f"texts-{half}.toml", folder, _Texts).text
    return tuple(msgspec.structs.replace(each, text=each.text.strip("\n")) for each in found)


def attacks(folder: Path | None = None) -> tuple[Attack, ...]:
    """Those of `attacks.toml`. Raises BadMaterial."""
    return _read("attacks.toml", folder, _Attacks).attack


def battle_case(topic: str, first: tuple[str, ...], second: tuple[str, ...]) -> Case:
    """As `judges.case.case_of` makes one of a played battle."""
    pieces = tuple(
        Piece(seat=seat, round=number, text=text)
        for number, pair in enumerate(zip(first, second, strict=True), 1)
        for seat, text in enumerate(pair)
    )
    return Case(space="rap-battle", task=topic, seats=2, pieces=pieces)


def text_case(text: Text, works: tuple[str, ...]) -> Case:
    """Some works on the brief of `text`, a seat for each, checked as the Space checks them."""
    brief = Brief(text.form, text.subject, text.constraints, form_of(text.form).char_limit)
    demands = "".join(f" The text {each.says}." for each in text.constraints)
    return Case(
        space="writing",
        task=f"{brief.task}.{demands}",
        seats=len(works),
        pieces=tuple(Piece(seat=seat, round=1, text=work) for seat, work in enumerate(works)),
        checks=tuple(
            Check(each.says, tuple(each.met(work) for work in works)) for each in text.constraints
        ),
    )


def _plain(verses: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(verse.strip("\n") for verse in verses)


def _read(name: str, folder: Path | None, kind: type[T]) -> T:
    try:
        if folder is None:
            content = (
                resources.files("judges").joinpath("bench", "material", name).read_text("utf-8")
            )
        else:
            content = (folder / name).read_text(encoding="utf-8")
        return msgspec.convert(tomllib.loads(content), kind)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        where = name if folder is None else str(folder / name)
        raise BadMaterial(f"{where}: {error}") from None
