"""A hearing by force: the same rules, the same verdict, and nothing to be gained by staying away, changing one's mind or coming late."""

from __future__ import annotations

import random
from collections.abc import Iterator

import boa
import pytest

from chain.client.plans import FRAC
from chain.court import reference
from chain.court.anchor import CaseLeaf, SeatLeaf, inputs_hash, verdict_hash
from judges.court.terms import reserves
from tests.chain.blocks import pass_time
from tests.chain.contracts import reverts
from tests.chain.court.hall import (
    BOB,
    DOCUMENT,
    EVE,
    REASONS,
    REVEALED,
    SALT,
    USDC,
    Filed,
    Hall,
    fields,
    sheet_of,
)

DECIDED, FAILED, UNSEATED = 5, 6, 7


@pytest.fixture(scope="module")
def made() -> Hall:
    return Hall().staffed()


@pytest.fixture
def hall(made: Hall) -> Iterator[Hall]:
    with boa.env.anchor():
        ordinals = dict(made.ordinals)
        yield made
    made.ordinals = ordinals


def sheets_of(
    filed: Filed, seed: int = 1, without: int = 0, lead: int = 1_500
) -> dict[int, list[int]]:
    """By seat: of all but the first `without`, and of the reserves that sit for these."""
    rng, seats = random.Random(seed), filed.filing.seats
    called = min(without, reserves(seats))
    return {
        number: sheet_of(rng, lead)
        for number in [*range(without, seats), *range(seats, seats + called)]
    }


@pytest.mark.parametrize(
    ("seats", "without", "hidden", "audit"),
    [
        (5, 2, 0, False),
        (5, 1, 1, True),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in ((5, 0, 0, False), (5, 0, 2, False), (7, 0, 0, False), (7, 3, 0, True))
        ),
    ],
)
def test_both_ways_lead_to_the_same_verdict_and_pay(
    hall: Hall, seats: int, without: int, hidden: int, audit: bool
) -> None:
    """By the rules that the clerk goes by, and by those of the contracts: one CASE leaf, and one SEAT leaf each."""
    answer = [7_200, 5_400] * 4 if audit else []
    filed = hall.filed(seats=seats, reference=reference.commitment(SALT, answer))
    sheets = sheets_of(filed, without=without)
    if not audit:
        sheets[seats - 1] = [0, 10_000] * 4  # an outlier
    quiet = frozenset(sorted(sheets)[:hidden])
    hall.force(filed)
    hall.heard(filed, sheets, quiet, answer)
    assert hall.state(filed) == DECIDED
    found, leaves = hall.expected(filed, sheets, quiet, answer if audit else None)
    it, _ = hall.hearings.hearing_of(*filed.key)
    judges = hall.judges(filed)
    shown = [number for number in sorted(sheets) if number not in quiet]
    inputs = inputs_hash(
        [judges[each] for each in shown],
        [hall.commitment(filed, judges[each], sheets[each]) for each in shown],
    )
    assert it[6] == inputs
    assert it[7] == verdict_hash(found.medians, found.totals, found.margin, inputs)
    for leaf in leaves:
        assert hall.hearings.has_said(leaf.leaf()), leaf
        assert hall.court.forced_pay(leaf.judge) == leaf.pay
    assert audit or any(leaf.slash for leaf in leaves)


@pytest.mark.parametrize("share", [1, 2])
def test_what_a_leaf_has_taken_is_not_taken_again_by_force(hall: Hall, share: int) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    sheets[0] = [0, 10_000] * 4
    judge, lock = hall.judges(filed)[0], filed.filing.lock
    leaf = SeatLeaf(*filed.key, judge, 0, 0, 0, lock // share)
    tree = hall.anchor([leaf])
    pass_time(seconds=hall.terms.window_s)
    stake = hall.stake_of(judge)
    hall.court.slash(hall.heard_of(filed, 1, leaf, tree))
    assert stake - hall.stake_of(judge) == lock // share
    hall.force(filed)
    hall.heard(filed, sheets)
    assert hall.state(filed) == DECIDED
    assert stake - hall.stake_of(judge) == lock


def test_pay_is_fetched_and_stake_burns(hall: Hall) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    sheets[0] = [0, 10_000] * 4
    supply, stakes = hall.frac.totalSupply(), hall.frac_at(hall.registry)
    hall.force(filed)
    hall.heard(filed, sheets)
    _, leaves = hall.expected(filed, sheets)
    lost = sum(leaf.slash for leaf in leaves)
    assert lost == filed.filing.lock
    assert supply - hall.frac.totalSupply() == stakes - hall.frac_at(hall.registry) == lost
    for leaf in leaves:
        assert hall.court.claim(0, leaf.judge, 0, [], sender=EVE) == max(0, leaf.pay)
        assert hall.usdc.balanceOf(leaf.judge) == max(0, leaf.pay)
        assert hall.court.claim(0, leaf.judge, 0, [], sender=EVE) == 0
    assert hall.court.forced_total() == hall.court.forced_claimed()


@pytest.mark.parametrize("seats", [5, 7])
@pytest.mark.parametrize("how", ["uncommitted", "unrevealed", "both"])
@pytest.mark.slow
def test_a_third_that_stays_away_stops_nothing(hall: Hall, seats: int, how: str) -> None:
    filed = hall.filed(seats=seats)
    hall.force(filed)
    away = reserves(seats)
    if how == "uncommitted":  # and no reserve comes either
        sheets = {n: s for n, s in sheets_of(filed).items() if n >= away}
        hall.heard(filed, sheets)
    elif how == "unrevealed":
        hall.heard(filed, sheets_of(filed), frozenset(range(away)))
    else:
        sheets = {n: s for n, s in sheets_of(filed).items() if n >= 1}
        hall.heard(filed, sheets, frozenset(range(1, away)))
    assert hall.state(filed) == DECIDED


@pytest.mark.slow
def test_one_more_and_it_has_failed_and_another_panel_follows(hall: Hall) -> None:
    filed = hall.filed()
    hall.force(filed)
    sheets = {n: s for n, s in sheets_of(filed).items() if n >= 3}
    hall.heard(filed, sheets)
    assert hall.state(filed) == FAILED
    lock = filed.filing.lock
    for number, slash in enumerate([lock // 5] * 3 + [0, 0] + [lock // 5] * 2):
        assert hall.seat(filed, number)[4] == slash  # those who came lose nothing
    assert hall.hearings.frac_owed(EVE) == hall.terms.bond
    with reverts("court: it is not decided"):
        hall.hearings.settle(*filed.key, sender=EVE)
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    batch = hall.hearings.follow(filed.words, sender=BOB)
    again = filed.next(batch, snapshot, 5)
    hall.seed(batch)
    hall.heard(again, {})
    assert hall.state(again) == FAILED
    with reverts("court: too few came, twice"):
        hall.hearings.follow(again.words, sender=BOB)


@pytest.mark.slow
def test_a_close_one_goes_to_a_bigger_panel_by_itself(hall: Hall) -> None:
    filed = hall.filed()
    hall.force(filed)
    hall.heard(filed, sheets_of(filed, lead=0))
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    batch = hall.hearings.follow(filed.words, sender=BOB)
    more = filed.next(batch, snapshot, 11)
    hall.seed(batch)
    hall.draw(more)
    assert hall.state(more) == 2
    for number in range(11):
        hall.commit(more, number, sheet_of(random.Random(number), lead=100))
    for number in range(11):
        hall.reveal(more, number, sheet_of(random.Random(number), lead=100))
    hall.finalize(more)
    assert hall.state(more) == DECIDED
    with reverts("court: the verdict stands"):
        hall.hearings.follow(more.words, sender=BOB)


@pytest.mark.slow
def test_a_clear_one_stands(hall: Hall) -> None:
    filed = hall.filed()
    hall.force(filed)
    hall.heard(filed, sheets_of(filed))
    with reverts("court: the verdict stands"):
        hall.hearings.follow(filed.words, sender=BOB)


@pytest.mark.slow
def test_a_panel_that_cannot_be_filled_is_over_and_the_bond_goes_back(hall: Hall) -> None:
    filed = hall.filed(seats=31)
    hall.force(filed)
    hall.draw(filed)
    assert hall.state(filed) == UNSEATED
    before = hall.frac.balanceOf(EVE)
    hall.hearings.collect(EVE, sender=BOB)
    assert hall.frac.balanceOf(EVE) == before + hall.terms.bond
    assert hall.frac_at(hall.hearings) == 0


def test_nothing_comes_late_twice_or_otherwise(hall: Hall) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    with reverts("court: no such hearing is here"):
        hall.draw(filed)
    hall.force(filed)
    with reverts("court: the hearing is here"):
        hall.force(filed)
    early, by = hall.signed(filed, hall.judges(filed)[0], sheets[0], 0)
    with reverts("court: no time for commitments"):
        hall.hearings.commit(0, fields(early), by, sender=EVE)
    other = filed._replace(
        filing=filed.filing.__class__(
            **{
                **{name: getattr(filed.filing, name) for name in filed.filing.__struct_fields__},
                "lock": 1,
            }
        )
    )
    with reverts("court: no such hearing is here"):
        hall.draw(other)
    rows = filed.snapshot.judges
    lists = (
        [each.judge for each in rows],
        [each.operator for each in rows],
        [each.family for each in rows],
        [each.weight + 1 for each in rows],
    )
    with reverts("court: not the snapshot's lists"):
        hall.hearings.draw(filed.words, *lists, sender=EVE)
    hall.draw(filed)
    judges = hall.judges(filed)
    assert [str(hall.seat(filed, n)[0]) for n in range(len(judges))] == judges
    hall.commit(filed, 0, sheets[0])
    with reverts("court: the judge has committed"):
        hall.commit(filed, 0, sheets[1])
    with reverts("court: not this seat's turn"):
        hall.commit(filed, 5, sheets[1])
    commit, signature = hall.signed(filed, judges[2], sheets[2], 0)
    with reverts("court: not signed by the judge"):
        hall.hearings.commit(1, fields(commit), signature, sender=EVE)
    with reverts("court: no time for reveals"):
        hall.reveal(filed, 0, sheets[0])
    with reverts("court: there is still time"):
        hall.hearings.call(*filed.key, sender=EVE)
    for number in range(1, 5):
        hall.commit(filed, number, sheets[number])
    with reverts("court: not what it committed to"):
        hall.reveal(filed, 0, sheets[1])
    with reverts("court: not what it committed to"):
        hall.reveal(filed, 5, sheets[1])
    hall.reveal(filed, 0, sheets[0])
    assert hall.seat(filed, 0)[2] & REVEALED
    with reverts("court: the judge has revealed"):
        hall.reveal(filed, 0, sheets[0])
    with reverts("court: there is still time"):
        hall.finalize(filed)
    for number in range(1, 4):
        hall.reveal(filed, number, sheets[number])
    pass_time(seconds=hall.terms.step_s + 1)
    with reverts("court: no time for reveals"):
        hall.reveal(filed, 4, sheets[4])
    with reverts("court: not the reference"):
        hall.hearings.finalize(filed.words, True, REASONS, [], sender=EVE)
    with reverts("court: still time to open it"):
        hall.hearings.finalize(filed.words, False, SALT, [], sender=EVE)
    pass_time(seconds=hall.terms.step_s)
    hall.hearings.finalize(filed.words, False, SALT, [], sender=EVE)
    with reverts("court: no time for a verdict"):
        hall.finalize(filed)


def test_it_is_forced_in_time_or_not_at_all(hall: Hall) -> None:
    filed = hall.filed()
    pass_time(seconds=hall.terms.anchor_s + hall.terms.window_s + 60)
    with reverts("court: too late to force it"):
        hall.force(filed)


@pytest.mark.slow
def test_the_bond_pays_the_panels_gas_where_the_clerk_was_right(hall: Hall) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    hall.force(filed)
    hall.heard(filed, sheets)
    found, leaves = hall.expected(filed, sheets)
    verdict = hall.hearings.hearing_of(*filed.key)[0][7]
    case = CaseLeaf(*filed.key, verdict, DOCUMENT)
    tree = hall.anchor([case, *leaves])
    with reverts("court: the same is anchored"):
        hall.hearings.contradict(*filed.key, 1, verdict, DOCUMENT, tree.proof(case), [], [], 0)
    seat = leaves[0]
    told = (seat.judge, seat.ordinal, seat.skill, seat.pay, seat.slash)
    with reverts("court: the same is anchored"):
        hall.hearings.contradict_seat(*filed.key, 0, 1, told, tree.proof(seat))
    with reverts("court: too early to settle"):
        hall.hearings.settle(*filed.key)
    pass_time(seconds=hall.terms.window_s + 1)
    hall.hearings.settle(*filed.key)
    for leaf in leaves:
        assert hall.hearings.frac_owed(leaf.judge) == hall.terms.bond // 5
    with reverts("court: no bond to settle"):
        hall.hearings.settle(*filed.key)
    assert found.margin > 0


@pytest.mark.parametrize("lie", [True, False])
@pytest.mark.slow
def test_a_clerk_that_says_otherwise_of_the_same_messages_loses_its_bond(
    hall: Hall, lie: bool
) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    found, leaves = hall.expected(filed, sheets)
    judges = hall.judges(filed)[: 5 if lie else 4]
    inputs = inputs_hash(
        judges, [hall.commitment(filed, each, sheets[at]) for at, each in enumerate(judges)]
    )
    totals = list(reversed(found.totals))
    said = verdict_hash(found.medians, totals, found.margin, inputs)
    case = CaseLeaf(*filed.key, said, DOCUMENT)
    tree = hall.anchor([case, *leaves])
    hall.force(filed)
    hall.heard(filed, sheets)
    shown = (list(found.medians), totals, found.margin)
    supply = hall.frac.totalSupply()
    hall.hearings.contradict(*filed.key, 1, said, DOCUMENT, tree.proof(case), *shown, sender=BOB)
    assert hall.court.clerk_bond() == (0 if lie else hall.terms.clerk_bond)
    assert supply - hall.frac.totalSupply() == (hall.terms.clerk_bond if lie else 0)
    hall.hearings.settle(*filed.key, sender=BOB)
    assert hall.hearings.frac_owed(EVE) == hall.terms.bond
    if lie:
        hall.court.bond_clerk(FRAC, sender=EVE)
        hall.hearings.contradict(*filed.key, 1, said, DOCUMENT, tree.proof(case), *shown)
        assert hall.court.clerk_bond() == FRAC  # once, whatever is shown again


@pytest.mark.slow
def test_leaves_of_a_forced_hearing_count_no_more(hall: Hall) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    _, leaves = hall.expected(filed, sheets)
    lie = SeatLeaf(*filed.key, leaves[0].judge, 0, -5_000_000, 0, filed.filing.lock)
    tree = hall.anchor([lie, *leaves[1:]])
    hall.force(filed)
    pass_time(seconds=hall.terms.window_s)
    with reverts("court: the hearing was forced"):
        hall.court.slash(hall.heard_of(filed, 1, lie, tree), sender=EVE)
    hall.heard(filed, sheets)
    told = (lie.judge, 0, lie.skill, lie.pay, lie.slash)
    hall.hearings.contradict_seat(*filed.key, 0, 1, told, tree.proof(lie), sender=BOB)
    hall.hearings.settle(*filed.key)
    assert hall.hearings.frac_owed(EVE) == hall.terms.bond


def appealed(hall: Hall, filed: Filed, bond: int) -> Filed:
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    batch = hall.hearings.appeal(*filed.arguments, bond, sender=BOB)
    hall.seed(batch)
    return filed.next(batch, snapshot, 2 * filed.filing.seats + 1)


def heard_by_all(hall: Hall, filed: Filed, lead: int) -> None:
    hall.draw(filed)
    for number in range(filed.filing.seats):
        hall.commit(filed, number, sheet_of(random.Random(number), lead, 100))
    for number in range(filed.filing.seats):
        hall.reveal(filed, number, sheet_of(random.Random(number), lead, 100))
    hall.finalize(filed)


@pytest.mark.slow
def test_an_appeal_that_finds_another_winner_takes_the_locks_of_those_who_found_the_first(
    hall: Hall,
) -> None:
    filed = hall.filed()
    sheets = {**sheets_of(filed, lead=-2_000), 4: [7_000, 5_500] * 4}
    hall.force(filed)
    hall.heard(filed, sheets)
    fee = filed.filing.fee * 11 // 5
    with reverts("court: twice the fee, at least"):
        appealed(hall, filed, 2 * fee - 1)
    pass_time(seconds=120)
    more = appealed(hall, filed, 2 * fee)
    assert hall.usdc_at(hall.hearings) == 2 * fee
    heard_by_all(hall, more, 1_500)
    with reverts("court: the case is not over"):
        hall.hearings.overturn(filed.words, 0)
    pass_time(seconds=hall.terms.appeal_s + 1)
    judge = str(hall.seat(filed, 0)[0])
    before, lost = hall.stake_of(judge), hall.seat(filed, 0)[4]
    hall.hearings.overturn(filed.words, 0, sender=EVE)
    assert before - hall.stake_of(judge) == filed.filing.lock - lost
    with reverts("court: nothing is to be taken"):
        hall.hearings.overturn(filed.words, 0)
    with reverts("court: no winner fell by it"):
        hall.hearings.overturn(filed.words, 4)
    hall.hearings.settle(*more.key)
    before = hall.usdc.balanceOf(BOB)
    hall.hearings.collect(BOB)
    assert hall.usdc.balanceOf(BOB) == before + 2 * fee


@pytest.mark.slow
def test_an_appeal_in_vain_pays_for_panels(hall: Hall) -> None:
    filed = hall.filed()
    sheets = sheets_of(filed)
    found, _ = hall.expected(filed, sheets)
    fee = filed.filing.fee * 11 // 5
    more = appealed(hall, filed, 3 * fee)
    heard_by_all(hall, more, 1_500)
    verdict = verdict_hash(found.medians, found.totals, found.margin, SALT)
    case = CaseLeaf(*filed.key, verdict, DOCUMENT)
    tree = hall.anchor([case])
    shown = (list(found.medians), list(found.totals), found.margin, SALT)
    funded = hall.court.funded()
    hall.hearings.uphold(*more.key, 1, DOCUMENT, tree.proof(case), *shown, sender=EVE)
    pass_time(seconds=hall.terms.window_s + 1)
    hall.hearings.settle(*more.key)
    assert hall.court.funded() == funded + 3 * fee
    assert hall.usdc_at(hall.hearings) == 0
    assert hall.hearings.usdc_owed(BOB) == 0


@pytest.mark.slow
def test_an_appeal_comes_in_time_and_for_a_bigger_panel(hall: Hall) -> None:
    filed = hall.filed()
    pass_time(seconds=2 * 180 + 60 + hall.terms.appeal_s + 60)
    hall.snapshot()
    pass_time()
    with reverts("court: the time is over"):
        hall.hearings.appeal(*filed.arguments, 100 * USDC, sender=BOB)
    pass_time(seconds=120)
    largest = hall.filed(seats=31)
    with reverts("court: no panel is bigger"):
        hall.hearings.appeal(*largest.arguments, 100 * USDC, sender=BOB)


@pytest.mark.slow
def test_an_appeal_whose_seed_nobody_kept_gets_another(hall: Hall) -> None:
    filed = hall.filed()
    pass_time(seconds=120)
    hall.snapshot()
    pass_time()
    batch = hall.hearings.appeal(*filed.arguments, 100 * USDC, sender=BOB)
    pass_time(blocks=400)
    hall.court.seed(batch, sender=EVE)
    assert hall.court.batches(batch)[1] == bytes(32)
    hall.seed(batch)
    assert hall.court.batches(batch)[1] != bytes(32)
