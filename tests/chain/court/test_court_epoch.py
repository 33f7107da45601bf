"""`agon-court-epoch/1`: its roots and sums follow from its lines, and whatever is changed in it shows."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from chain.court.anchor import EarnedLeaf
from chain.documents import court_epoch, form
from chain.documents.court_epoch import CourtEpoch, HearingLine, SeatLine, TakenBack
from chain.documents.form import DocumentError
from chain.standard_tree import root_of

COURT = "0x" + "c0" * 20
A, B = "0x" + "aa" * 20, "0x" + "bb" * 20


def line(session: str, hearing: int = 0, pay: int = 700) -> HearingLine:
    seats = [SeatLine(A, 3, 1_000_000, pay), SeatLine(B, 0, -5_000_000, -900, "250")]
    return HearingLine(session, hearing, "11" * 32, "22" * 32, seats)


def epoch(**changes: Any) -> CourtEpoch:
    accounts = {A: (1_400, 1_400), B: (-1_800, 0)}
    made = court_epoch.build(1, 31_337, COURT, 5, [line("S2"), line("S1")], accounts)
    return msgspec.structs.replace(made, **changes)


def test_it_is_read_as_it_was_made() -> None:
    made = epoch()
    assert court_epoch.read(form.encode(made)) == made
    assert [each.session for each in made.hearings] == ["S1", "S2"]
    assert made.total_micros == 1_400
    assert court_epoch.pays(made) == [(A, 700), (B, -900)] * 2


def test_every_leaf_leads_to_its_root() -> None:
    made = epoch()
    tree = court_epoch.cases_tree(made.hearings)
    for each in made.hearings:
        for leaf in each.leaves():
            assert root_of(leaf.leaf(), tree.proof(leaf)).hex() == made.cases_root
    earned = court_epoch.earned_tree(made.accounts)
    assert earned is not None
    assert root_of(EarnedLeaf(A, 1_400).leaf(), []).hex() == made.earned_root
    with pytest.raises(KeyError):
        earned.proof(EarnedLeaf(B, 0))


def test_what_is_taken_back_is_out_of_the_accounts_again() -> None:
    back = [TakenBack("S0", 0, 1, [(A, 700), (B, -900)])]
    made = court_epoch.build(2, 1, COURT, 0, [line("S3")], {A: (1_400, 1_400)}, back)
    assert court_epoch.pays(made) == [(A, 700), (B, -900), (A, -700), (B, 900)]
    assert court_epoch.read(form.encode(made)) == made


def test_where_nobody_has_earned_anything_there_is_no_root() -> None:
    made = court_epoch.build(1, 1, COURT, 0, [line("S1", pay=-1)], {A: (-1, 0), B: (-900, 0)})
    assert made.earned_root == "00" * 32
    assert court_epoch.read(form.encode(made)) == made


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"hearings": [line("S2"), line("S1")]}, "hearings are not in order"),
        ({"hearings": [line("S1"), line("S1")]}, "hearings are not in order"),
        ({"hearings": [line("S1"), line("S2", pay=701)]}, "cases_root is"),
        ({"cases_root": "33" * 32}, "cases_root is"),
        ({"earned_root": "33" * 32}, "earned_root is"),
        ({"total_micros": 1_401}, "total_micros"),
        ({"taken_back": [TakenBack("S0", 0, 1, [])] * 2}, "taken back are not in order"),
        ({"accounts": []}, "earned_root is"),
        ({"hearings": [line("S1", hearing=-1)]}, "not an agon-court-epoch/1"),
    ],
)
def test_what_contradicts_itself_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DocumentError, match=words):
        court_epoch.read(form.encode(epoch(**changes)))


def test_a_seat_that_stands_twice_has_no_tree() -> None:
    one = line("S1")
    twice = msgspec.structs.replace(one, seats=[*one.seats, one.seats[0]])
    with pytest.raises(DocumentError, match="each once"):
        court_epoch.read(form.encode(epoch(hearings=[twice])))
