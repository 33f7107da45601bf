"""Which candidates become examples, so that what happens in every session does not drown the rest. Pure.

The first decision of a game is the same question in all of its sessions, while what comes later is asked
once. Caps say how often one question may be learnt from. Which of its answers remain is drawn, so that how
often something was answered still shows, by a hash of each candidate's origin: adding or leaving out one
session changes nothing about how others are drawn.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Annotated, Protocol, TypeVar

import msgspec
from msgspec import Meta

from training.chat import Message

Limit = Annotated[int, Meta(ge=0, le=1_000_000)]


class Caps(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How many candidates of a kind are taken at most; 0: all. Recorded in the data card."""

    per_prompt: Limit = 64
    """With the same question."""
    per_answer: Limit = 0
    """With the same question and the same answer."""
    per_session: Limit = 0


class Candidate(Protocol):
    """What may become an example."""

    @property
    def origin(self) -> str:
        """`<transcript CID>#…`, different for every candidate."""

    @property
    def messages(self) -> tuple[Message, ...]: ...

    @property
    def answer(self) -> tuple[str, ...]:
        """What is said to the question, by which repetitions are known."""


C = TypeVar("C", bound=Candidate)


def chosen(candidates: Iterable[C], caps: Caps, seed: int, most: int = 0) -> list[C]:
    """At most `most` (0: all) of what the caps leave, in the order that the seed draws.

    The order of `candidates` changes nothing.
    """
    shuffled = sorted(candidates, key=lambda each: (drawn(seed, each.origin), each.origin))
    kept: list[C] = []
    taken: Counter[object] = Counter()
    for each in shuffled:
        session = each.origin.partition("#")[0]
        counted = (
            (("prompt", each.messages), caps.per_prompt),
            (("answer", each.messages, each.answer), caps.per_answer),
            (("session", session), caps.per_session),
        )
        if any(limit and taken[key] >= limit for key, limit in counted):
            continue
        taken.update(key for key, _ in counted)
        kept.append(each)
        if most and len(kept) == most:
            break
    return kept


def origin_of(session: str, seat: int, turn: int, attempt: int) -> str:
    """`<session>#<seat>.<turn>.<attempt>`."""
    return f"{session}#{seat}.{turn}.{attempt}"


def drawn(seed: int, origin: str) -> bytes:
    """Where in the seed's shuffle."""
    return hashlib.sha256(f"agon-data/1:{seed}:{origin}".encode()).digest()
