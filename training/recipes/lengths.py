"""Examples that are too long: the prompt loses its oldest part, or the example is left out, and both are counted. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from training.data.example import Example, Labelled, Pair

LEAST = 16
"""Tokens of a prompt after its system message that must stay: less is no question any more."""


class Fitted(msgspec.Struct, frozen=True, kw_only=True):
    """What fits, and what it cost."""

    examples: tuple[Example | Pair | Labelled, ...]
    shortened: int
    """Prompts that lost their beginning after the system message."""
    dropped: int
    """Examples that do not fit even so."""


def fit(examples: Sequence[Example | Pair | Labelled], max_length: int, end_token: int) -> Fitted:
    """Every example in `max_length` tokens; `end_token` closes the system message."""
    kept: list[Example | Pair | Labelled] = []
    shortened = dropped = 0
    for each in examples:
        room = max_length - _answer(each)
        if len(each.prompt) <= room:
            kept.append(each)
            continue
        prompt = shorten(each.prompt, room, end_token)
        if prompt is None:
            dropped += 1
        else:
            kept.append(msgspec.structs.replace(each, prompt=prompt))
            shortened += 1
    return Fitted(examples=tuple(kept), shortened=shortened, dropped=dropped)


def shorten(prompt: tuple[int, ...], room: int, end_token: int) -> tuple[int, ...] | None:
    """The system message, with the token after its end, and as much of the prompt's end as there is room for."""
    head = prompt[: prompt.index(end_token) + 2] if end_token in prompt else ()
    tail = room - len(head)
    return None if tail < LEAST else (*head, *prompt[-tail:])


def _answer(example: Example | Pair | Labelled) -> int:
    if isinstance(example, Pair):
        return max(len(example.chosen), len(example.rejected))
    return len(example.completion)
