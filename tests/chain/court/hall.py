"""The court's contracts in an EVM inside the test's process, judges with keys, and the moves of everybody."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from chain.client.court import Heard
from chain.client.plans import COURT_TERMS, FRAC, REGISTRY_TERMS, ReckonerTerms
from chain.court import commitment as commitments
from chain.court import reference, seed
from chain.court.anchor import NO_ORDINAL, AnchorTree, CaseLeaf, Leaf, SeatLeaf
from chain.court.commitment import Court
from chain.court.filing import Batch, Filing, case_id
from chain.court.messages import Commit, sign
from chain.court.snapshot import Snapshot, Staked, family_id
from chain.ethereum import LocalAccount
from judges.court.draw import Candidate, Panel, draw
from judges.court.hearing import missing
from judges.court.reckoning import Question, Reckoning, reckon
from tests.chain.blocks import pass_time
from tests.chain.contracts import deploy
from tests.chain.roles import give_role
from tests.chain.wallets import now, wallet

ADMIN, CLERK, GUARDIAN, TREASURY, EVE, BOB = (wallet(n).address for n in range(1, 7))
USDC = 10**6
HOUR = 3_600
JUDGES_TERMS = msgspec.structs.replace(
    REGISTRY_TERMS, min_stake=1_000 * FRAC, snapshot_gap_s=60, unbonding_s=5 * 24 * HOUR
)
COURT = msgspec.structs.replace(
    COURT_TERMS,
    seed_blocks=2,
    snapshot_max_s=24 * HOUR,
    hearing_s=HOUR,
    anchor_s=24 * HOUR,
    window_s=HOUR,
    appeal_s=HOUR,
    step_s=HOUR,
    record_s=HOUR,
    bond=10 * FRAC,
    clerk_bond=100 * FRAC,
    max_fee=10 * USDC,
    max_lock=1_000 * FRAC,
)
LINES, CONTESTANTS = 4, 2
SALT = b"\x5a" * 32
REASONS = hashlib.sha256(b"[]").digest()
DOCUMENT = b"\xd0" * 32
REVEALED = 1 << 64


def account_of(number: int) -> LocalAccount:
    """The judge of this number."""
    return wallet(1_000 + number)


def sheet_of(rng: random.Random, lead: int = 1_500, noise: int = 400) -> list[int]:
    """An honest one: the first contestant is ahead."""
    truth = [7_000, 7_000 - lead] * LINES
    return [max(0, min(10_000, round(each + rng.gauss(0, noise)))) for each in truth]


class Filed(NamedTuple):
    filing: Filing
    batch: int
    proof: list[bytes]
    snapshot: Snapshot

    @property
    def words(self) -> tuple[Any, ...]:
        return self.filing.words()

    @property
    def key(self) -> tuple[bytes, int]:
        return self.filing.case, self.filing.hearing

    @property
    def arguments(self) -> tuple[Any, ...]:
        return self.batch, self.words, self.proof

    def next(self, batch: int, snapshot: Snapshot, seats: int) -> Filed:
        """What follows from it on the chain."""
        fee = min(self.filing.fee * seats // self.filing.seats, COURT.max_fee)
        changed = msgspec.structs.replace(
            self.filing,
            hearing=self.filing.hearing + 1,
            seats=seats,
            snapshot=snapshot.number,
            fee=fee,
        )
        return Filed(changed, batch, [], snapshot)


def question_of(filing: Filing) -> Question:
    return Question(
        filing.weights,
        filing.contestants,
        filing.prior,
        filing.scale,
        filing.seats,
        filing.fee,
        filing.lock,
    )


class Hall:
    """A court with a clerk that has its bond, and nobody on the bench yet."""

    def __init__(self, funds: int = 1_000 * USDC, **changes: Any) -> None:
        self.terms = msgspec.structs.replace(COURT, **changes)
        self.usdc = deploy("usdc_dev", sender=ADMIN)
        self.frac = deploy("frac", TREASURY)
        usdc, frac = str(self.usdc.address), str(self.frac.address)
        tuple_of = msgspec.structs.astuple
        self.registry = deploy("judge_registry", frac, tuple_of(JUDGES_TERMS), sender=ADMIN)
        self.reckoner = deploy("reckoner", tuple_of(ReckonerTerms()), sender=ADMIN)
        where = str(self.registry.address), str(self.reckoner.address)
        self.court = deploy("court", frac, usdc, *where, tuple_of(self.terms), sender=ADMIN)
        self.hearings = deploy("hearings", str(self.court.address), sender=ADMIN)
        self.where = Court(int(self.court.eip712Domain()[3]), str(self.court.address))
        for role, who in (("clerk", CLERK), ("guardian", GUARDIAN)):
            give_role(self.court, role, who, ADMIN)
        for contract in (self.court, self.hearings):
            for who in (TREASURY, EVE, BOB):
                self.frac.approve(str(contract.address), 2**255, sender=who)
                self.usdc.approve(str(contract.address), 2**255, sender=who)
        for who in (EVE, BOB, TREASURY):
            self.usdc.mint(who, 10_000 * USDC, sender=ADMIN)
            if who != TREASURY:
                self.frac.transfer(who, 10_000 * FRAC, sender=TREASURY)
        self.court.bond_clerk(self.terms.clerk_bond, sender=TREASURY)
        if funds:
            self.court.fund(funds, sender=TREASURY)
        self.bench: list[int] = []
        self.keys: dict[str, LocalAccount] = {}
        self.ordinals: dict[str, int] = {}
        self.snapshots: dict[int, Snapshot] = {}
        self.cases = 0

    # The bench

    def join(self, number: int, stake: int = 2_000 * FRAC, family: str | None = None) -> str:
        """A judge that answers for itself."""
        account = account_of(number)
        judge = account.address
        self.keys[judge] = account
        self.bench.append(number)
        self.frac.transfer(judge, stake, sender=TREASURY)
        self.frac.approve(str(self.registry.address), 2**255, sender=judge)
        self.registry.register(judge, family_id(family or f"family-{number % 9}"), "", sender=judge)
        self.registry.stake(stake, sender=judge)
        return judge

    def staffed(self, judges: int = 12) -> Hall:
        for number in range(judges):
            self.join(number, (1_000 + 100 * number) * FRAC)
        return self

    def snapshot(self, sender: str = EVE) -> Snapshot:
        """A new one, with its lists, as whoever reads the registry's state finds them."""
        number = self.registry.snapshot(sender=sender)
        rows = []
        for place in range(self.registry.place_count()):
            judge = str(self.registry.places(place))
            operator, accepted, family, bonded, _, _, jailed, _ = self.registry.judges(judge)
            if accepted and bonded >= JUDGES_TERMS.min_stake and jailed <= now():
                rows.append(Staked(judge, str(operator), family, bonded))
        made = Snapshot(number, tuple(rows))
        assert self.registry.snapshots(number)[0] == made.digest()
        self.snapshots[number] = made
        return made

    def stake_of(self, judge: str) -> int:
        stake: int = self.registry.stake_of(judge)
        return stake

    # Filing

    def filing(self, snapshot: Snapshot, **changes: Any) -> Filing:
        self.cases += 1
        made = Filing(
            case=case_id(f"session {self.cases}"),
            hearing=0,
            transcript=hashlib.sha256(b"transcript").digest(),
            seats=5,
            snapshot=snapshot.number,
            contestants=CONTESTANTS,
            weights=(3, 2, 1, 1),
            prior=(5_500, 5_000, 4_800, 6_000),
            scale=2_000_000,
            fee=2 * USDC,
            lock=300 * FRAC,
            margin=500,
            commit_s=180,
            reveal_s=60,
            reference=reference.commitment(SALT, None),
        )
        return msgspec.structs.replace(made, **changes)

    def file(self, *filings: Filing) -> list[Filed]:
        """In one batch, whose seed is there."""
        batch = Batch(filings)
        number = self.court.file(batch.root, batch.count, filings[0].snapshot, sender=CLERK)
        self.seed(number)
        snapshot = self.snapshots[filings[0].snapshot]
        return [Filed(each, number, batch.proof(at), snapshot) for at, each in enumerate(filings)]

    def filed(self, **changes: Any) -> Filed:
        """A case of a snapshot of now."""
        snapshot = self.snapshot()
        pass_time()
        return self.file(self.filing(snapshot, **changes))[0]

    def seed(self, batch: int) -> None:
        pass_time(blocks=self.terms.seed_blocks + 1)
        self.court.seed(batch, sender=EVE)

    # A hearing, by anybody's rules

    def drawn(self, filed: Filed) -> Panel:
        """By the rules off the chain; raises TooFew."""
        chance = seed.words(self.court.batches(filed.batch)[1], *filed.key)
        candidates = [
            Candidate(each.judge, each.operator, each.family.hex(), each.weight)
            for each in filed.snapshot.judges
        ]
        return draw(candidates, filed.filing.seats, chance)

    def judges(self, filed: Filed) -> list[str]:
        """In the order of the draw, reserves last."""
        panel = self.drawn(filed)
        return [filed.snapshot.judges[at].judge for at in (*panel.seated, *panel.reserves)]

    def commitment(self, filed: Filed, judge: str, sheet: Sequence[int]) -> bytes:
        scores = commitments.scores_hash(sheet, REASONS)
        return commitments.commitment(self.where, *filed.key, judge, scores, SALT)

    def ordinal(self, judge: str) -> int:
        """The next of a judge, which has been given away by that."""
        self.ordinals[judge] = self.ordinals.get(judge, -1) + 1
        return self.ordinals[judge]

    def signed(
        self, filed: Filed, judge: str, sheet: Sequence[int], ordinal: int
    ) -> tuple[Commit, bytes]:
        commit = Commit(*filed.key, self.commitment(filed, judge, sheet), ordinal)
        return commit, bytes.fromhex(sign(self.keys[judge], self.where, commit)[2:])

    # The same, on the chain

    def force(self, filed: Filed, sender: str = EVE) -> None:
        self.hearings.force(*filed.arguments, sender=sender)

    def draw(self, filed: Filed) -> None:
        rows = filed.snapshot.judges
        self.hearings.draw(
            filed.words,
            [each.judge for each in rows],
            [each.operator for each in rows],
            [each.family for each in rows],
            [each.weight for each in rows],
            sender=BOB,
        )

    def commit(self, filed: Filed, number: int, sheet: Sequence[int], sender: str = BOB) -> None:
        judge = self.seat(filed, number)[0]
        commit, signature = self.signed(filed, str(judge), sheet, self.ordinal(str(judge)))
        self.hearings.commit(number, fields(commit), signature, sender=sender)

    def call(self, filed: Filed) -> None:
        """When the time for commitments is over."""
        pass_time(seconds=self.terms.step_s + 1)
        self.hearings.call(*filed.key, sender=BOB)

    def reveal(self, filed: Filed, number: int, sheet: Sequence[int]) -> None:
        self.hearings.reveal(*filed.key, number, list(sheet), REASONS, SALT, sender=BOB)

    def finalize(self, filed: Filed, answer: Sequence[int] = ()) -> None:
        """With the reference opened."""
        self.hearings.finalize(filed.words, True, SALT, list(answer), sender=BOB)

    def seat(self, filed: Filed, number: int) -> Any:
        return self.hearings.seat_of(*filed.key, number)

    def state(self, filed: Filed) -> int:
        state: int = self.hearings.state_of(*filed.key)
        return state

    def heard(
        self,
        filed: Filed,
        sheets: Mapping[int, Sequence[int]],
        hidden: frozenset[int] = frozenset(),
        answer: Sequence[int] = (),
    ) -> None:
        """From the draw to the verdict. `sheets`: by seat; those without one do not commit; `hidden` do not reveal."""
        self.draw(filed)
        seats = filed.filing.seats
        for number in sorted(sheets):
            if number < seats:
                self.commit(filed, number, sheets[number])
        if self.state(filed) == 2:
            self.call(filed)
            for number in sorted(sheets):
                if number >= seats:
                    self.commit(filed, number, sheets[number])
            if self.state(filed) == 3:
                self.call(filed)
        course = self.hearings.hearing_of(*filed.key)[1]
        if course[1]:
            for number in sorted(set(sheets) - hidden):
                self.reveal(filed, number, sheets[number])
            if hidden:
                pass_time(seconds=self.terms.step_s + 1)
        self.finalize(filed, answer)

    # The same, by messages

    def expected(
        self,
        filed: Filed,
        sheets: Mapping[int, Sequence[int]],
        hidden: frozenset[int] = frozenset(),
        answer: Sequence[int] | None = None,
    ) -> tuple[Reckoning, list[SeatLeaf]]:
        """What the hearing comes to by `judges.court`, and its SEAT leaves: as the clerk would anchor it."""
        judges, filing = self.judges(filed), filed.filing
        shown = sorted(set(sheets) - hidden)
        found = reckon(question_of(filing), [sheets[each] for each in shown], answer)
        called = min(
            len(judges) - filing.seats, sum(each not in sheets for each in range(filing.seats))
        )
        leaves = []
        for number in range(filing.seats + called):
            judge, bound = judges[number], number in sheets
            ordinal = self.ordinals.get(judge, 0) if bound else NO_ORDINAL
            if number in shown:
                seat = found.seats[shown.index(number)]
                means = seat.skill, seat.pay, seat.slash
            else:
                away = missing(filing.lock, bound=bound)
                means = away.skill, away.pay, away.slash
            leaves.append(SeatLeaf(*filed.key, judge, ordinal, *means))
        return found, leaves

    def anchor(
        self, leaves: Sequence[Leaf], earned: bytes = bytes(32), total: int = 0
    ) -> AnchorTree:
        """The next epoch, which counts after the window."""
        tree = AnchorTree(leaves)
        epoch = self.court.epoch_count() + 1
        self.court.anchor(epoch, tree.root, earned, total, sender=CLERK)
        return tree

    def heard_of(self, filed: Filed, epoch: int, leaf: SeatLeaf, tree: AnchorTree | None) -> Any:
        """The contract's Heard."""
        proof = tree.proof(leaf) if tree else []
        return Heard(filed.batch, filed.filing, filed.proof, epoch, leaf, proof).fields()

    # What everybody has

    def frac_at(self, contract: Any) -> int:
        held: int = self.frac.balanceOf(str(contract.address))
        return held

    def usdc_at(self, contract: Any) -> int:
        held: int = self.usdc.balanceOf(str(contract.address))
        return held


def fields(commit: Commit) -> tuple[bytes, int, bytes, int]:
    return commit.case, commit.hearing, commit.commitment, commit.ordinal


def case_leaf(filed: Filed, verdict: bytes) -> CaseLeaf:
    return CaseLeaf(*filed.key, verdict, DOCUMENT)
