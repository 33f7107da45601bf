"""Whether a judge sits on a panel, by what the chain has: filing in its batch, batch's seed, snapshot, draw. Pure.

All of it was fixed before the seed could be known, so an arena that wants other judges, another transcript or other terms cannot
have them. What cannot be known here: whether a reserve was called in for good reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from chain.content import cid
from chain.content.cid import Codec, NotACid
from chain.court import messages
from chain.court.commitment import Court
from chain.court.filing import Filing, case_id, is_filed
from chain.court.seed import words
from chain.court.snapshot import Snapshot
from chain.documents.case import Filed, FilingFields
from judges.case import Case
from judges.court.draw import Candidate, Panel, TooFew, draw
from judges.node.duty import Told
from judges.rubric import Rubric
from server.protocol import BenchSeat


class Misfiled(ValueError):
    """What we are told is not what stands on the chain, or does not fit together; the message says where."""


class Shown(msgspec.Struct, frozen=True):
    """A hearing's filing and its place on the chain, as the arena shows them."""

    filing: FilingFields
    filed: Filed


class Batch(msgspec.Struct, frozen=True):
    """As the contract has it."""

    root: bytes
    snapshot: int
    seed: bytes | None
    """None until somebody has asked for it."""


def shown_of(document: dict[str, Any] | None) -> Shown:
    """Raises Misfiled."""
    if document is None:
        raise Misfiled("the arena shows no filing")
    try:
        return msgspec.convert(document, Shown)
    except msgspec.ValidationError as error:
        raise Misfiled(f"the filing cannot be read: {error}") from None


def check_told(told: Told, filing: Filing) -> None:
    """That it is the filing of what we are told of. Raises Misfiled."""
    if filing.case != case_id(told.session) or told.case != "0x" + filing.case.hex():
        raise Misfiled(f"the filing is not of session {told.session}")
    if filing.hearing != told.hearing:
        raise Misfiled(f"the filing is of hearing {filing.hearing}")
    try:
        transcript = cid.parse(told.transcript)
    except NotACid as error:
        raise Misfiled(str(error)) from None
    if transcript.codec is not Codec.RAW or transcript.digest != filing.transcript:
        raise Misfiled(f"the filing is of another transcript than {told.transcript}")


def check_case(filing: Filing, case: Case, rubric: Rubric) -> None:
    """That the question is the one of the rubric. Raises Misfiled."""
    weights = tuple(line.weight for line in rubric.lines)
    if filing.contestants != case.seats or filing.weights != weights:
        raise Misfiled(
            f"{rubric.id} of this transcript has lines of the weights {list(weights)} and {case.seats} contestants, the filing"
            f" {list(filing.weights)} and {filing.contestants}"
        )


def panel_of(shown: Shown, batch: Batch, snapshot: Snapshot) -> list[str]:
    """The judges of the panel and then its reserves, in the order of the draw. `snapshot` has been held against its digest on the
    chain. Raises Misfiled."""
    filing = shown.filing.filing()
    if not is_filed(filing, [bytes.fromhex(each) for each in shown.filed.proof], batch.root):
        raise Misfiled(f"the filing is not in batch {shown.filed.batch} of the chain")
    if not filing.snapshot == batch.snapshot == snapshot.number:
        raise Misfiled(f"the filing names snapshot {filing.snapshot}, its batch {batch.snapshot}")
    if batch.seed is None:
        raise Misfiled(f"batch {shown.filed.batch} has no seed yet, so nobody is drawn")
    found = _drawn(filing, batch.seed, snapshot)
    return [snapshot.judges[at].judge for at in (*found.seated, *found.reserves)]


def bound_of(
    court: Court, shown: Shown, told: Sequence[BenchSeat], panel: Sequence[str]
) -> set[str]:
    """Who of the panel, as it was drawn, has committed by a signature that is shown; addresses in lower case."""
    filing = shown.filing.filing()
    drawn = {each.lower() for each in panel}
    found: set[str] = set()
    for seat in told[: len(panel)]:
        judge = seat.judge.lower()
        commitment = _hex32(seat.commitment)
        if judge not in drawn or commitment is None or seat.ordinal is None:
            continue
        message = messages.Commit(filing.case, filing.hearing, commitment, seat.ordinal)
        if (messages.recover(court, message, seat.signature) or "").lower() == judge:
            found.add(judge)
    return found


def _hex32(text: str) -> bytes | None:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        return None
    return data if len(data) == 32 else None


def _drawn(filing: Filing, seed: bytes, snapshot: Snapshot) -> Panel:
    candidates = [
        Candidate(each.judge, each.operator, each.family.hex(), each.weight)
        for each in snapshot.judges
    ]
    try:
        return draw(candidates, filing.seats, words(seed, filing.case, filing.hearing))
    except (TooFew, ValueError) as error:
        raise Misfiled(f"nobody could be drawn: {error}") from None
