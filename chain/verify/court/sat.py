"""A case beside the documents of its session."""

from __future__ import annotations

import msgspec

from chain.documents import result as results
from chain.documents.case import CaseDocument
from chain.documents.form import DocumentError
from chain.documents.result import ResultDocument
from chain.verify.session import Documents
from spaces import transcript
from spaces.transcript import Replayed, Transcript, TranscriptError


class Sat(msgspec.Struct, frozen=True, kw_only=True):
    """What can be read of them; that the rest cannot, `chain.verify.session` says."""

    case: CaseDocument
    block: bytes
    """Its bytes."""
    result: ResultDocument | None
    block_played: bytes | None
    """The transcript's."""
    played: Transcript | None
    replayed: Replayed | None
    """None: it does not hold, or its rules are not here."""


def is_judged(documents: Documents) -> bool:
    """Whether a court's file belongs to the session: the result names one, or one was given."""
    if documents.case is not None:
        return True
    result = result_of(documents)
    return result is not None and result.verdict is not None and result.verdict.case is not None


def sat_of(documents: Documents, case: CaseDocument, block: bytes) -> Sat:
    played = replayed = None
    try:
        if documents.transcript is not None:
            played = transcript.read(documents.transcript)
            replayed = transcript.replay(played)
    except (TranscriptError, LookupError):
        pass
    return Sat(
        case=case,
        block=block,
        result=result_of(documents),
        block_played=documents.transcript,
        played=played,
        replayed=replayed,
    )


def result_of(documents: Documents) -> ResultDocument | None:
    try:
        return None if documents.result is None else results.read(documents.result)
    except DocumentError:
        return None
