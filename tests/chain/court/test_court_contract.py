"""Filing, anchoring, pay and slashes: what the clerk may do, what costs stake, and that nothing known later changes a draw."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boa
import msgspec
import pytest

from chain.artifacts import load
from chain.client.plans import FRAC
from chain.court.anchor import AnchorTree, EarnedLeaf, SeatLeaf
from chain.court.filing import Batch
from judges.court.terms import TERMS, WINDOW
from tests.chain.blocks import pass_time
from tests.chain.contracts import deploy, reverts
from tests.chain.court.hall import (
    ADMIN,
    BOB,
    CLERK,
    EVE,
    GUARDIAN,
    JUDGES_TERMS,
    TREASURY,
    USDC,
    Filed,
    Hall,
    account_of,
    fields,
)

ROOT = b"\x77" * 32
BAR = 30_000
SMALL = ("judge_registry", "court", "hearings", "reckoner")


@pytest.fixture(scope="module")
def made() -> Hall:
    return Hall().staffed(10)


@pytest.fixture
def hall(made: Hall) -> Iterator[Hall]:
    with boa.env.anchor():
        ordinals = dict(made.ordinals)
        yield made
    made.ordinals = ordinals


@pytest.mark.parametrize("name", SMALL)
def test_a_contract_fits_on_a_chain(name: str) -> None:
    assert len(bytes.fromhex(load(name).runtime_bytecode[2:])) <= 24_576  # EIP-170


def test_a_judged_session_costs_less_than_the_bar() -> None:
    document = (Path(__file__).parents[3] / "docs" / "gas.md").read_text()
    row = next(line for line in document.splitlines() if "a judged session of 256" in line)
    assert int(row.split("|")[3].replace(",", "")) <= BAR


def test_whoever_stakes_after_the_filing_is_not_drawn(hall: Hall) -> None:
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    filing = hall.filing(snapshot)
    batch = Batch([filing])
    number = hall.court.file(batch.root, 1, snapshot.number, sender=CLERK)
    whale = hall.join(99, 100_000_000 * FRAC)
    hall.registry.unbond(1_000 * FRAC, sender=account_of(3).address)
    pass_time(seconds=120)
    assert whale in [each.judge for each in hall.snapshot().judges]
    hall.seed(number)
    filed = Filed(filing, number, batch.proof(0), snapshot)
    hall.force(filed)
    hall.draw(filed)
    judges = hall.judges(filed)
    assert [str(hall.seat(filed, at)[0]) for at in range(len(judges))] == judges
    assert whale not in judges
    with reverts("court: the batch has its seed"):
        hall.court.seed(number)


def test_a_snapshot_is_older_than_the_filing_and_not_too_old(hall: Hall) -> None:
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    with reverts("court: the snapshot is not older than this block"):
        hall.court.file(ROOT, 1, snapshot.number, sender=CLERK)
    with reverts("judge_registry: the last snapshot is too young"):
        hall.registry.snapshot()
    pass_time(seconds=hall.terms.snapshot_max_s + 1)
    with reverts("court: the snapshot is too old"):
        hall.court.file(ROOT, 1, snapshot.number, sender=CLERK)
    with reverts("court: caller is not the clerk"):
        hall.court.file(ROOT, 1, snapshot.number, sender=EVE)


def test_a_seed_that_nobody_kept_is_lost(hall: Hall) -> None:
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    number = hall.court.file(ROOT, 1, snapshot.number, sender=CLERK)
    with reverts("court: the block of the seed is not there yet"):
        hall.court.seed(number)
    pass_time(blocks=400)
    with reverts("court: the hash of the seed's block is not at hand any more"):
        hall.court.seed(number)


def test_two_filings_of_a_hearing_cost_the_clerk_its_bond(hall: Hall) -> None:
    filed = hall.filed()
    again = hall.file(filed.filing)[0]
    supply = hall.frac.totalSupply()
    with reverts("court: that is one filing"):
        hall.court.prove_two_filings(*filed.arguments, *filed.arguments)
    with reverts("court: that is one filing"):
        hall.court.prove_two_filings(*again.arguments, *filed.arguments)
    hall.court.prove_two_filings(*filed.arguments, *again.arguments, sender=EVE)
    assert supply - hall.frac.totalSupply() == hall.terms.clerk_bond
    with reverts("court: the clerk's bond is too small"):
        hall.court.file(ROOT, 1, filed.filing.snapshot, sender=CLERK)
    hall.court.bond_clerk(FRAC, sender=EVE)
    with reverts("court: the clerk has paid for it"):
        hall.court.prove_two_filings(*filed.arguments, *again.arguments)


def leaf_of(filed: Filed, judge: str, ordinal: int = 0, skill: int = 0, slash: int = 0) -> SeatLeaf:
    return SeatLeaf(*filed.key, judge, ordinal, skill, 0, slash)


def test_a_slash_is_of_a_hearing_that_was_filed_and_counts_once(hall: Hall) -> None:
    filed = hall.filed()
    judge, lock = account_of(2).address, filed.filing.lock
    leaf, much = leaf_of(filed, judge, slash=lock), leaf_of(filed, EVE, slash=lock + 1)
    tree = hall.anchor([leaf, much])
    heard = hall.heard_of(filed, 1, leaf, tree)
    with reverts("court: that epoch does not count"):
        hall.court.slash(heard)
    hall.registry.unbond(hall.registry.judges(judge)[3], sender=judge)
    pass_time(seconds=hall.terms.window_s)
    before, supply = hall.stake_of(judge), hall.frac.totalSupply()
    hall.court.slash(heard, sender=EVE)  # what unbonds is lost as well
    assert before - hall.stake_of(judge) == supply - hall.frac.totalSupply() == lock
    with reverts("court: it was taken already"):
        hall.court.slash(heard)
    with reverts("court: more than the lock"):
        hall.court.slash(hall.heard_of(filed, 1, much, tree))
    unfiled = filed._replace(filing=msgspec.structs.replace(filed.filing, lock=2 * lock))
    with reverts("court: the proof does not lead to the root"):
        hall.court.slash(hall.heard_of(unfiled, 1, leaf, tree))


@pytest.mark.slow
def test_what_is_anchored_late_or_vetoed_costs_nothing(hall: Hall) -> None:
    filed = hall.filed()
    leaf = leaf_of(filed, account_of(2).address, slash=1)
    tree = hall.anchor([leaf])
    hall.court.veto(1, sender=GUARDIAN)
    pass_time(seconds=hall.terms.anchor_s + 60)
    with reverts("court: that epoch does not count"):
        hall.court.slash(hall.heard_of(filed, 1, leaf, tree))
    hall.anchor([leaf])
    pass_time(seconds=hall.terms.window_s)
    with reverts("court: it was anchored too late"):
        hall.court.slash(hall.heard_of(filed, 1, leaf, tree))
    with reverts("court: that epoch is not waiting"):
        hall.court.veto(1, sender=GUARDIAN)


@pytest.mark.slow
def test_a_row_below_the_floor_costs_a_share_once(hall: Hall) -> None:
    pass_time(seconds=120)
    snapshot = hall.snapshot()
    pass_time()
    filed = hall.file(*(hall.filing(snapshot) for _ in range(WINDOW + 1)))
    judge, floor = account_of(4).address, TERMS.rolling_floor
    leaves = [leaf_of(each, judge, at, floor) for at, each in enumerate(filed)]
    leaves[0] = leaf_of(filed[0], judge, 0, floor + 1)
    leaves[1] = leaf_of(filed[1], judge, 1, floor - 1)
    tree = AnchorTree(leaves)
    hall.court.anchor(1, tree.root, bytes(32), 0, sender=CLERK)
    pass_time(seconds=hall.terms.window_s)
    row = [hall.heard_of(each, 1, leaf, tree) for each, leaf in zip(filed, leaves, strict=True)]
    with reverts("court: the judge is good enough"):
        hall.court.slash_rolling(row[:-1])
    with reverts("court: they are not in a row"):
        hall.court.slash_rolling([*row[1:11], *row[1:11]])
    with reverts("court: a row has 20 hearings"):
        hall.court.slash_rolling(row[1:20])
    before = hall.stake_of(judge)
    hall.court.slash_rolling(row[1:], sender=EVE)
    assert before - hall.stake_of(judge) == before * TERMS.rolling_bps // 10_000
    with reverts("court: these were counted"):
        hall.court.slash_rolling(row[1:])


@pytest.mark.slow
def test_two_commitments_cost_everything(hall: Hall) -> None:
    first = hall.filed()
    second = hall.file(hall.filing(first.snapshot))[0]
    judge = account_of(5).address
    a, by_a = hall.signed(first, judge, [1] * 8, 0)
    b, by_b = hall.signed(first, judge, [2] * 8, 0)
    c, by_c = hall.signed(second, judge, [1] * 8, 1)
    d, by_d = hall.signed(second, judge, [1] * 8, 0)
    with reverts("court: that is one commitment"):
        hall.court.prove_double(fields(a), by_a, fields(a), by_a)
    with reverts("court: these are two hearings"):
        hall.court.prove_double(fields(a), by_a, fields(c), by_c)
    other, by_other = hall.signed(first, account_of(6).address, [2] * 8, 0)
    with reverts("court: these are two judges"):
        hall.court.prove_double(fields(a), by_a, fields(other), by_other)
    with boa.env.anchor():
        hall.court.prove_double(fields(a), by_a, fields(d), by_d, sender=EVE)
        assert hall.stake_of(judge) == 0
    hall.registry.unbond(FRAC, sender=judge)
    hall.court.prove_double(fields(a), by_a, fields(b), by_b, sender=EVE)
    assert hall.stake_of(judge) == 0
    hall.frac.transfer(judge, 5_000 * FRAC, sender=TREASURY)
    hall.registry.stake(5_000 * FRAC, sender=judge)
    pass_time(seconds=120)
    assert judge not in [each.judge for each in hall.snapshot().judges]  # for ever


@pytest.mark.slow
def test_pay_is_the_highest_of_all_roots_and_never_more_than_was_funded(hall: Hall) -> None:
    judge, leaf = account_of(1).address, leaf_of(hall.filed(), EVE)
    first, second = EarnedLeaf(judge, 5 * USDC), EarnedLeaf(judge, 8 * USDC)
    one, two = AnchorTree([first, EarnedLeaf(BOB, USDC)]), AnchorTree([second])
    with reverts("court: the total is more than was funded"):
        hall.court.anchor(1, leaf.leaf(), one.root, hall.court.funded() + 1, sender=CLERK)
    hall.anchor([leaf], one.root, 6 * USDC)
    with reverts("court: the epoch before does not count yet"):
        hall.anchor([leaf], two.root, 9 * USDC)
    with reverts("court: that epoch does not count"):
        hall.court.claim(1, judge, 5 * USDC, one.proof(first))
    pass_time(seconds=hall.terms.window_s)
    assert hall.court.claim(1, judge, 5 * USDC, one.proof(first), sender=EVE) == 5 * USDC
    with reverts("court: the total is less than before"):
        hall.anchor([leaf], two.root, 5 * USDC)
    hall.anchor([leaf], two.root, 8 * USDC)  # its leaves and the one before it: more than it says
    pass_time(seconds=hall.terms.window_s)
    assert hall.court.claim(2, judge, 8 * USDC, two.proof(second), sender=EVE) == 3 * USDC
    assert hall.court.claim(1, judge, 5 * USDC, one.proof(first)) == 0
    bob = EarnedLeaf(BOB, USDC)
    assert hall.court.claim(1, BOB, USDC, one.proof(bob)) == 0  # all 8 are claimed
    with reverts("court: by which epoch?"):
        hall.court.claim(0, judge, 1, [])


def test_stake_is_released_when_nothing_can_cost_it_any_more(hall: Hall) -> None:
    judge = account_of(7).address
    bonded = hall.registry.judges(judge)[3]
    hall.registry.unbond(bonded, sender=judge)
    assert JUDGES_TERMS.unbonding_s >= hall.court.LIFE()
    pass_time(seconds=JUDGES_TERMS.unbonding_s - 60)
    with reverts("judge_registry: the unbonding time is not over"):
        hall.registry.release(judge, sender=judge)
    pass_time(seconds=60)
    hall.registry.release(EVE, sender=judge)
    assert hall.stake_of(judge) == 0
    pass_time(seconds=60)
    assert judge not in [each.judge for each in hall.snapshot().judges]


@pytest.mark.slow
def test_an_operator_answers_for_a_judge_or_nobody_draws_it(hall: Hall) -> None:
    judge = account_of(8).address
    hall.registry.register(EVE, b"f".ljust(32, b"\0"), "", sender=judge)
    pass_time(seconds=120)
    assert judge not in [each.judge for each in hall.snapshot().judges]
    with reverts("judge_registry: the judge has not named the caller"):
        hall.registry.accept(judge, sender=BOB)
    hall.registry.accept(judge, sender=EVE)
    pass_time(seconds=120)
    assert (judge, EVE) in [(each.judge, each.operator) for each in hall.snapshot().judges]
    hall.registry.disown(judge, sender=EVE)
    pass_time(seconds=120)
    assert judge not in [each.judge for each in hall.snapshot().judges]


@pytest.mark.slow
def test_courts_are_bound_once_by_their_deployer(hall: Hall) -> None:
    frac, usdc = str(hall.frac.address), str(hall.usdc.address)
    registry = deploy("judge_registry", frac, msgspec.structs.astuple(JUDGES_TERMS), sender=ADMIN)
    where = str(registry.address), str(hall.reckoner.address)
    terms = msgspec.structs.astuple(hall.terms)
    with reverts("judge_registry: the transaction is not the deployer's"):
        deploy("court", frac, usdc, *where, terms, sender=EVE)
    court = deploy("court", frac, usdc, *where, terms, sender=ADMIN)
    with reverts("judge_registry: a court is bound already"):
        deploy("court", frac, usdc, *where, terms, sender=ADMIN)
    with reverts("court: the transaction is not the admin's"):
        deploy("hearings", str(court.address), sender=EVE)
    late = msgspec.structs.replace(hall.terms, record_s=30 * 86_400)
    with reverts("court: unbonding is shorter than what can cost stake"):
        deploy("court", frac, usdc, *where, msgspec.structs.astuple(late), sender=ADMIN)
