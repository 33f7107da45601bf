"""The case in a transcript: what the judges see is what was played, since it is replayed."""

from __future__ import annotations

import hashlib

import msgspec

from judges.case import Case, case_of
from judges.rubric import NoRubric
from spaces import transcript
from spaces.transcript import TranscriptError


class NoCase(ValueError):
    """There is nothing to judge in the document; the message says why."""


class Read(msgspec.Struct, frozen=True):
    session: str
    case: Case
    nonce: str
    """Quotes the contestants' text. It comes from the transcript's digest: nobody knows it while he still writes (the digest
    covers the seed), and judging again asks the same question."""


def read_case(document: bytes) -> Read:
    """Raises NoCase."""
    try:
        found = transcript.read(document)
        replayed = transcript.replay(found)
    except TranscriptError as error:
        raise NoCase(f"the transcript does not hold: {error}") from None
    if replayed.outcome.returns is not None:
        raise NoCase("the rules have decided this session")
    try:
        case = case_of(replayed.space.id, replayed.space.observe(replayed.state, None))
    except NoRubric as error:
        raise NoCase(str(error)) from None
    nonce = hashlib.sha256(b"agon-judge/1" + replayed.digest.encode()).hexdigest()[:16]
    return Read(found.session, case, nonce)
