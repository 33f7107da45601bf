"""`agon-case/1`: what is built is read again, and what does not hold together is not read at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from chain.documents import case as cases
from chain.documents.case import CaseDocument, Shown
from chain.documents.form import DocumentError
from chain.documents.signature import sign, signer
from spaces import canonical
from tests.chain.court.cases import COURT, KEYS, LINES, SNAPSHOT, Sitting, case_of, replace

SESSION = "01JD0000000000000000000001"
CID = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
CASE = case_of(SESSION, b"transcript", CID, (Sitting(lead=100, end="escalated"), Sitting(seats=11)))
RAW = cases.encode(CASE)


def test_what_is_built_is_read_again() -> None:
    assert cases.read(RAW) == CASE
    assert canonical.decode(RAW)["v"] == "agon-case/1"
    assert cases.document_digest(RAW) == hashlib.sha256(RAW).digest()


def test_a_filing_and_a_snapshot_come_back_as_they_were() -> None:
    fields = CASE.hearings[1].filing
    assert cases.filing_fields(fields.filing()) == fields
    assert CASE.snapshots[0].lists() == SNAPSHOT
    assert bytes.fromhex(CASE.snapshots[0].digest) == SNAPSHOT.digest()


def test_messages_are_a_chain_that_begins_with_the_filing() -> None:
    hearing = json.loads(RAW)["hearings"][0]
    before = hearing["filing"]
    for number, message in enumerate(hearing["messages"]):
        assert message["i"] == number
        assert message["prev"] == canonical.sha256(before)
        before = message


def test_the_arena_signs_a_case() -> None:
    key = next(iter(KEYS.values()))
    signature = sign(key, COURT.chain_id, COURT.address, CASE)
    signed = replace(CASE, sig=signature)
    assert signer(COURT.chain_id, COURT.address, signed, signature) == key.address
    other = replace(signed, closed_ms=CASE.closed_ms + 1)
    assert signer(COURT.chain_id, COURT.address, other, signature) != key.address


def test_the_largest_case_fits_one_block() -> None:
    """Three panels, the largest there is, each after one that has failed, and everybody says as much as may be said."""
    text = "x" * 600
    full = [[text, text], [text, text], [text, text], [text, text]]
    cases.check_reasons(full, LINES, 2)
    hearings = []
    for number, seats in enumerate((7, 7, 15, 15, 31, 31)):
        hearing = replace(CASE.hearings[1], filing=replace(CASE.hearings[1].filing, hearing=number))
        one = next(each for each in hearing.messages if isinstance(each, Shown))
        commit = hearing.messages[0]
        sent = [commit] * (seats + -(-seats // 3)) + [replace(one, reasons=full)] * seats
        hearings.append(replace(hearing, messages=sent, seats=[hearing.seats[0]] * 42))
    crowd = replace(CASE.snapshots[0], judges=(CASE.snapshots[0].judges * 7)[:256])
    six = [replace(crowd, number=number) for number in range(6)]
    assert len(cases.encode(replace(CASE, hearings=hearings, snapshots=six))) <= cases.MAX_BYTES


@pytest.mark.parametrize(
    ("reasons", "why"),
    [
        ([["a", "b"]] * 3, "4 lines of 2"),
        ([["a"]] * 4, "4 lines of 2"),
        ([["a", "x" * 601]] * 4, "at most 600"),
        ([["é" * 600, "é" * 600]] * 4, "at most 6144"),
    ],
)
def test_reasons_that_do_not_fit_are_refused(reasons: list[list[str]], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        cases.check_reasons(reasons, LINES, 2)


def bent(change: Callable[[dict[str, Any]], object]) -> bytes:
    value = json.loads(RAW)
    change(value)
    return canonical.encode(value)


WRONG: dict[str, Callable[[dict[str, Any]], object]] = {
    "another version": lambda c: c.update(v="agon-case/2"),
    "a field that nobody knows": lambda c: c.update(more=1),
    "a hearing left out": lambda c: c["hearings"].pop(0),
    "no hearing": lambda c: c.update(hearings=[], verdict=None),
    "a snapshot left out": lambda c: c.update(snapshots=[]),
    "a snapshot twice": lambda c: c["snapshots"].append(c["snapshots"][0]),
    "a line too few": lambda c: c["lines"].pop(),
    "a sheet with a line too few": lambda c: c["hearings"][0]["messages"][-1]["scores_milli"].pop(),
    "a score above ten": lambda c: c["hearings"][0]["messages"][-1]["scores_milli"][0].__setitem__(
        0, 10_001
    ),
    "a score below none": lambda c: c["hearings"][0]["messages"][-1]["scores_milli"][0].__setitem__(
        0, -1
    ),
    "medians of a failed hearing": lambda c: c["hearings"][0].update(end="failed"),
    "no medians": lambda c: c["hearings"][0].update(medians_milli=[]),
    "a total too many": lambda c: c["hearings"][0]["totals_milli"].append(1),
    "a verdict of no hearing": lambda c: c["verdict"].update(hearing=2),
    "a verdict of three": lambda c: c["verdict"]["ranks"].append(3),
    "a slash with a sign": lambda c: c["hearings"][0]["seats"][0].update(slash="-1"),
    "a number as text": lambda c: c["hearings"][0]["filing"].update(fee="2000"),
    "a novel": lambda c: c["hearings"][0]["messages"][-1]["reasons"][0].__setitem__(0, "x" * 601),
    "a reference of another size": lambda c: c["hearings"][0].update(
        reference={"salt": "00" * 32, "sheet": [1]}
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_hold_together_is_not_read(name: str) -> None:
    with pytest.raises(DocumentError):
        cases.read(bent(WRONG[name]))


@pytest.mark.parametrize("raw", [b"", b"null", b"{}", b"[" * 100_000, b"\xff", RAW + b" "])
def test_what_is_no_case_is_not_read(raw: bytes) -> None:
    with pytest.raises(DocumentError):
        cases.read(raw)


def test_a_case_that_is_too_large_is_not_built() -> None:
    note = "x" * 1_024
    transactions = [cases.Transaction("f" * 32, "0x" + "00" * 32)] * 256
    hearings = [
        replace(each, note=note, transactions=transactions, filing=replace(each.filing, hearing=at))
        for at, each in enumerate(CASE.hearings * 4)
    ]
    large: CaseDocument = replace(CASE, hearings=hearings)
    assert cases.read(cases.encode(large))
    with pytest.raises(DocumentError, match="at most"):
        cases.read(cases.encode(large) + b"x" * cases.MAX_BYTES)
