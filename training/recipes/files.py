"""Examples in a file: a JSON object a line, of the kind that the recipe learns from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from training.data.example import Example, Labelled, Pair
from training.recipes.refused import BadFile

KINDS: dict[str, type[Example] | type[Pair] | type[Labelled]] = {
    "sft": Example,
    "dpo": Pair,
    "kto": Labelled,
}
"""What each recipe learns from."""
MOST = 1_000_000
"""Lines at most."""


def write(file: Path, examples: Iterable[Example | Pair | Labelled]) -> None:
    """One after the other, all at once in the end."""
    making = file.with_name(f".{file.name}-making")
    with making.open("wb") as lines:
        for each in examples:
            lines.write(msgspec.json.encode(each) + b"\n")
    making.replace(file)


def read(file: Path, recipe: str) -> list[Example | Pair | Labelled]:
    """All examples of a file; raises `BadFile`."""
    kind = KINDS.get(recipe)
    if kind is None:
        raise BadFile(f"no recipe {recipe!r} learns from a file; {', '.join(KINDS)} do")
    decoder = msgspec.json.Decoder(kind)
    found: list[Example | Pair | Labelled] = []
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                if number > MOST:
                    raise BadFile(f"{file} has more than {MOST:,} lines")
                try:
                    found.append(decoder.decode(line))
                except msgspec.MsgspecError as error:
                    raise BadFile(
                        f"line {number} of {file} is no {kind.__name__}, from which {recipe} learns: {error}"
                    ) from None
    except OSError as error:
        raise BadFile(f"{file} cannot be read: {error.strerror}") from None
    if not found:
        raise BadFile(f"{file} has no examples")
    return found
