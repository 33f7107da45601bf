# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Hearings of the court that are done on the chain
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Whoever doubts what the clerk does, or gets no answer, has the hearing done here: drawn, committed, revealed and decided
        by the rules by which it would have been done by messages. What comes of it here is what counts. Appeals are done here,
        too, and what follows from a hearing that was: a bigger panel after a close one, another one after too few.
@dev What judges signed for the clerk counts here as well, and anybody may bring it: nothing is gained by withholding it.
     Each step has `step_s` from the block of the one before it; whoever does not come in time is absent.
     No role, no pause: a filing, or a hearing that ended here, is all that anybody needs.
     Bonds: of whoever forces (FRAC), it goes to the panel for its gas, in equal parts, unless the clerk has anchored something
     else; of whoever appeals (USDC), it goes to the pay of panels, unless another winner was found. So nobody gains by what a
     panel finds: not the panel either.
@custom:security As everywhere, whoever holds the majority of a panel decides what it finds; see docs/threat-model.md.
"""


from ethereum.ercs import IERC20


interface Registry:
    def snapshot_count() -> uint256: view
    def snapshots(number: uint256) -> Snapshot: view
    def slash(judge: address, amount: uint256) -> uint256: nonpayable


interface Court:
    def terms() -> Terms: view
    def FRAC() -> address: view
    def USDC() -> address: view
    def REGISTRY() -> address: view
    def RECKONER() -> address: view
    def batches(batch: uint256) -> Batch: view
    def check_filed(batch: uint256, filing: Filing, proof: DynArray[bytes32, _MAX_PROOF]) -> uint256: view
    def is_anchored(epoch: uint256, leaf: bytes32, proof: DynArray[bytes32, _MAX_PROOF]) -> bool: view
    def signer_of(commit: Commit, signature: Bytes[65]) -> address: view
    def bind(): nonpayable
    def file_made(leaf: bytes32, snapshot: uint256) -> uint256: nonpayable
    def credit(case: bytes32, hearing: uint256, judge: address, pay: int256): nonpayable
    def burn_clerk(case: bytes32, hearing: uint256): nonpayable
    def taken(id: bytes32) -> uint256: view
    def fund(amount: uint256): nonpayable


interface Reckoner:
    def terms() -> ReckonerTerms: view
    def packed(sheet: DynArray[uint16, MAX_SCORES], size: uint256) -> uint256[4]: view
    def result(totals: DynArray[uint256, MAX_CONTESTANTS]) -> uint256: view
    def same_winners(result: uint256, other: uint256) -> bool: view
    def overturned(
        was: uint256, last: uint256, margin: uint256, weights: uint256, contestants: uint256, sheet: uint256[4]
    ) -> bool: view
    def draw(
        judges: DynArray[address, MAX_JUDGES],
        operators: DynArray[address, MAX_JUDGES],
        families: DynArray[bytes32, MAX_JUDGES],
        weights: DynArray[uint256, MAX_JUDGES],
        seats: uint256,
        seed: bytes32,
        case: bytes32,
        hearing: uint256,
    ) -> (bytes32, DynArray[uint256, MAX_DRAWN]): view
    def reckon(
        question: Question, sheets: DynArray[uint256[4], MAX_SEATS], audit: bool, answer: uint256[4]
    ) -> Reckoning: view


MAX_JUDGES: constant(uint256) = 256
MAX_SEATS: constant(uint256) = 31
MAX_DRAWN: constant(uint256) = 42
MAX_CONTESTANTS: constant(uint256) = 8
MAX_SCORES: constant(uint256) = 64
_MAX_PROOF: constant(uint256) = 24


# @dev The largest panel after which a close margin calls a bigger one by itself; from there on it takes an appeal.
ESCALATED_SEATS: public(constant(uint256)) = 7


# @dev Hearings of a case that may fail in a row.
FAILURES: public(constant(uint256)) = 2


# @dev The ordinal in the leaf of a seat that has committed to nothing.
NO_ORDINAL: public(constant(uint256)) = 2**53 - 1


_BPS: constant(uint256) = 10_000
_COMMITMENT: constant(bytes32) = keccak256(
    "Commitment(uint256 chain_id,address court,bytes32 case,uint256 hearing,address judge,bytes32 scores_hash,bytes32 salt)"
)
_CASE_LEAF: constant(bytes32) = keccak256("case")
_SEAT_LEAF: constant(bytes32) = keccak256("seat")
# @dev Beside a seat's ordinal.
_REVEALED: constant(uint256) = 1 << 64
_OVERTURNED: constant(uint256) = 1 << 65


# @dev Where a hearing stands.
ELSEWHERE: constant(uint256) = 0  # by messages, or not at all
FORCED: constant(uint256) = 1  # its panel is to be drawn
COMMITTING: constant(uint256) = 2
RECOMMITTING: constant(uint256) = 3  # reserves sit for those who did not commit
REVEALING: constant(uint256) = 4
DECIDED: constant(uint256) = 5
FAILED: constant(uint256) = 6  # under the quorum
UNSEATED: constant(uint256) = 7  # the snapshot cannot fill the panel


# @dev The court's, see there.
struct Terms:
    seed_blocks: uint256
    snapshot_max_s: uint256
    hearing_s: uint256
    anchor_s: uint256
    window_s: uint256
    appeal_s: uint256
    step_s: uint256
    record_s: uint256
    bond: uint256
    clerk_bond: uint256
    max_fee: uint256
    max_lock: uint256
    no_commit_bps: uint256
    no_reveal_bps: uint256
    rolling_floor: int256
    rolling_bps: uint256
    overturned_bps: uint256


struct ReckonerTerms:
    skill_floor: int256
    skill_top: int256
    outlier_milli: uint256
    outlier_spread: uint256


struct Snapshot:
    digest: bytes32
    block: uint256
    at: uint256
    judges: uint256


struct Filing:
    case: bytes32
    hearing: uint256
    transcript: bytes32
    seats: uint256
    snapshot: uint256
    contestants: uint256
    weights: uint256
    prior: uint256
    scale: uint256
    fee: uint256
    lock: uint256
    margin: uint256
    commit_s: uint256
    reveal_s: uint256
    reference: bytes32


struct Batch:
    root: bytes32
    seed: bytes32
    snapshot: uint256
    block: uint256
    at: uint256
    made: bool


struct SeatLeaf:
    judge: address
    ordinal: uint256
    skill: int256
    pay: int256
    slash: uint256


struct Commit:
    case: bytes32
    hearing: uint256
    commitment: bytes32
    ordinal: uint256


struct Question:
    weights: uint256
    contestants: uint256
    prior: uint256
    scale: uint256
    seats: uint256
    fee: uint256
    lock: uint256


struct SeatReckoning:
    skill: int256
    pay: int256
    slash: uint256


struct Reckoning:
    medians: DynArray[uint16, MAX_SCORES]
    totals: DynArray[uint256, MAX_CONTESTANTS]
    margin: uint256
    seats: DynArray[SeatReckoning, MAX_SEATS]
    result: uint256


struct Course:
    # What changes while a hearing is done; one slot.
    state: uint256
    # Until when the step may be done; once it has ended, when it did (unix seconds).
    at: uint256
    # Scores of a sheet, seats of the panel; how many were drawn, reserves included; how many reserves have been called.
    size: uint256
    seats: uint256
    drawn: uint256
    called: uint256
    committed: uint256
    # With so many commitments it is the time for reveals.
    due: uint256
    revealed: uint256
    # How many hearings of the case have failed here right before this one.
    failures: uint256
    # The clerk has anchored something else; it has anchored that the hearing before had the same winner; the bond is settled.
    differed: bool
    upheld: bool
    settled: bool


struct Hearing:
    # The filing's leaf, and its batch.
    filing: bytes32
    batch: uint256
    course: uint256
    # Who put it here; with FRAC where it was forced, with USDC where it is an appeal, with nothing where it follows.
    challenger: address
    bond: uint256
    appeal: uint256
    # Once it is decided. Result: totals, 16 bits a contestant, and from bit 128 on the margin.
    inputs: bytes32
    verdict: bytes32
    result: uint256


struct Seat:
    judge: address
    commitment: bytes32
    # The ordinal that it has signed, and marks.
    marks: uint256
    sheet: uint256[4]
    # FRAC that the hearing has cost it.
    slash: uint256


COURT: public(immutable(address))
FRAC: immutable(address)
USDC: immutable(address)
REGISTRY: immutable(address)
RECKONER: immutable(address)
TERMS: immutable(Terms)
SKILL_FLOOR: immutable(int256)


# @dev Bonds, and shares of them, that may be fetched.
frac_owed: public(HashMap[address, uint256])
usdc_owed: public(HashMap[address, uint256])


_hearings: HashMap[bytes32, Hearing]
_seats: HashMap[bytes32, HashMap[uint256, Seat]]
# @dev Leaves of seats, as an anchor would have them.
has_said: public(HashMap[bytes32, bool])
# @dev Of a case, one more than the number of the last hearing that was put here, and of the last that was decided here.
last_put: public(HashMap[bytes32, uint256])
last_decided: public(HashMap[bytes32, uint256])


event Forced:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    challenger: indexed(address)
    batch: uint256
    filing: Filing
    bond: uint256
    appeal: uint256


event Drawn:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judges: DynArray[address, MAX_DRAWN]
    commit_until: uint256


event Committed:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    commitment: bytes32
    ordinal: uint256


event Called:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    reserves: uint256
    commit_until: uint256


event Revealing:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    reveal_until: uint256


event Revealed:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    sheet: DynArray[uint16, MAX_SCORES]
    reasons_digest: bytes32
    salt: bytes32


event Sat:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    ordinal: uint256
    skill: int256
    pay: int256
    slash: uint256


event Decided:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    medians: DynArray[uint16, MAX_SCORES]
    totals: DynArray[uint256, MAX_CONTESTANTS]
    margin: uint256
    inputs: bytes32
    opened: bool
    salt: bytes32
    answer: DynArray[uint16, MAX_SCORES]


event Undecided:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    state: uint256


event Overturned:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    slash: uint256


event Contradicted:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    epoch: indexed(uint256)
    lie: bool


event Upheld:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    epoch: indexed(uint256)


event Settled:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    challenger: indexed(address)
    returned: bool


event Collected:
    account: indexed(address)
    frac: uint256
    usdc: uint256


@deploy
def __init__(court: address):
    """
    @notice Binds itself to the court, in a transaction of the court's admin.
    @param court Whose hearings they are; all terms are its.
    """
    COURT = court
    FRAC = staticcall Court(court).FRAC()
    USDC = staticcall Court(court).USDC()
    REGISTRY = staticcall Court(court).REGISTRY()
    reckoner: address = staticcall Court(court).RECKONER()
    RECKONER = reckoner
    TERMS = staticcall Court(court).terms()
    SKILL_FLOOR = (staticcall Reckoner(reckoner).terms()).skill_floor
    extcall Court(court).bind()


# Putting a hearing on the chain


@external
def force(batch: uint256, filing: Filing, proof: DynArray[bytes32, _MAX_PROOF]):
    """
    @notice Puts a hearing that was filed on the chain, with a bond of `bond` FRAC (approved). By anybody, until `anchor_s` and
            `window_s` after its batch: nothing that the clerk anchors can be slashed by before it could have been forced.
    @param batch The batch.
    @param filing What the hearing is about.
    @param proof Of the filing in its batch.
    """
    size: uint256 = staticcall Court(COURT).check_filed(batch, filing, proof)
    filed_at: uint256 = (staticcall Court(COURT).batches(batch)).at
    assert block.timestamp <= filed_at + TERMS.anchor_s + TERMS.window_s, "court: too late to force it"
    self._put(batch, filing, size, 0, TERMS.bond, 0)
    self._take(FRAC, TERMS.bond)


@external
def appeal(batch: uint256, filing: Filing, proof: DynArray[bytes32, _MAX_PROOF], bond: uint256) -> uint256:
    """
    @notice Has a bigger panel look at a case again, from the registry's newest snapshot, with a bond of at least twice its fee
            in USDC (approved). By anybody: until `appeal_s` after the hearing's time, of one that was decided here after that.
    @param batch The hearing's batch.
    @param filing What the hearing is about.
    @param proof Of the filing in its batch.
    @param bond Micro-USDC.
    @return uint256 The batch of the next hearing, which waits for its seed.
    """
    size: uint256 = staticcall Court(COURT).check_filed(batch, filing, proof)
    it: Course = self._course(self._hearings[self._key(filing.case, filing.hearing)].course)
    until: uint256 = it.at
    if it.state == ELSEWHERE:
        # Reserves have as long to commit as those for whom they sit.
        until = (staticcall Court(COURT).batches(batch)).at + 2 * filing.commit_s + filing.reveal_s
    else:
        assert it.state == DECIDED, "court: it is not decided"
    assert block.timestamp <= until + TERMS.appeal_s, "court: the time is over"
    assert filing.seats < MAX_SEATS, "court: no panel is bigger"
    next: Filing = self._next(filing, min(2 * filing.seats + 1, MAX_SEATS))
    assert bond >= 2 * next.fee and bond != 0, "court: twice the fee, at least"
    made: uint256 = self._make(next, size, 0, bond)
    self._take(USDC, bond)
    return made


@external
def follow(filing: Filing) -> uint256:
    """
    @notice Has the hearing that follows by itself from one that has ended here: a bigger panel where a panel of at most 7 has
            found less than the margin, another one of the same size where too few did their part for the first time. By
            anybody, within `appeal_s` of its end.
    @param filing What the hearing was about.
    @return uint256 The batch of the next hearing, which waits for its seed.
    """
    key: bytes32 = self._checked(filing)
    it: Course = self._course(self._hearings[key].course)
    assert it.state == DECIDED or it.state == FAILED, "court: nothing follows from it"
    assert block.timestamp <= it.at + TERMS.appeal_s, "court: the time is over"
    seats: uint256 = filing.seats
    failures: uint256 = 0
    if it.state == FAILED:
        failures = it.failures + 1
        assert failures < FAILURES, "court: too few came, twice"
    else:
        assert (
            self._hearings[key].result >> 128 < filing.margin and seats <= ESCALATED_SEATS
        ), "court: the verdict stands"
        seats = 2 * seats + 1
    return self._make(self._next(filing, seats), it.size, failures, 0)


# The hearing


@external
def draw(
    filing: Filing,
    judges: DynArray[address, MAX_JUDGES],
    operators: DynArray[address, MAX_JUDGES],
    families: DynArray[bytes32, MAX_JUDGES],
    weights: DynArray[uint256, MAX_JUDGES],
):
    """
    @notice Draws the panel, once the batch has its seed. By anybody; the time to commit begins here. Where the panel cannot be
            filled, the hearing is over.
    @param filing What the hearing is about.
    @param judges The snapshot's lists, as the registry has logged them.
    @param operators Of each.
    @param families Of each.
    @param weights Of each.
    """
    key: bytes32 = self._checked(filing)
    it: Course = self._course(self._hearings[key].course)
    assert it.state == FORCED, "court: the panel is drawn"
    seed: bytes32 = (staticcall Court(COURT).batches(self._hearings[key].batch)).seed
    assert seed != empty(bytes32), "court: the batch has no seed"
    digest: bytes32 = empty(bytes32)
    drawn: DynArray[uint256, MAX_DRAWN] = []
    digest, drawn = staticcall Reckoner(RECKONER).draw(
        judges, operators, families, weights, filing.seats, seed, filing.case, filing.hearing
    )
    assert (
        staticcall Registry(REGISTRY).snapshots(filing.snapshot)
    ).digest == digest, "court: not the snapshot's lists"
    if len(drawn) < filing.seats:
        self._end(key, filing, it, UNSEATED)
        return
    panel: DynArray[address, MAX_DRAWN] = []
    for at: uint256 in drawn:
        self._seats[key][len(panel)].judge = judges[at]
        panel.append(judges[at])
    it.drawn = len(drawn)
    it.due = it.seats
    it.state = COMMITTING
    it.at = block.timestamp + TERMS.step_s
    self._hearings[key].course = self._packed(it)
    log Drawn(case=filing.case, hearing=filing.hearing, judges=panel, commit_until=it.at)


@external
def commit(number: uint256, commit: Commit, signature: Bytes[65]):
    """
    @notice Brings what a judge has bound itself to. By anybody who has its signed message; one for a seat.
    @param number The seat, in the order of the draw.
    @param commit What the judge has signed.
    @param signature 65 bytes r, s, v.
    """
    key: bytes32 = self._key(commit.case, commit.hearing)
    it: Course = self._course(self._hearings[key].course)
    first: uint256 = 0
    last: uint256 = it.seats
    if it.state == RECOMMITTING:
        first = it.seats
        last = it.seats + it.called
    else:
        assert it.state == COMMITTING, "court: no time for commitments"
    assert block.timestamp <= it.at, "court: the time is over"
    assert first <= number and number < last, "court: not this seat's turn"
    judge: address = self._seats[key][number].judge
    assert self._seats[key][number].commitment == empty(bytes32), "court: the judge has committed"
    assert commit.commitment != empty(bytes32) and commit.ordinal < NO_ORDINAL, "court: that is no commitment"
    assert staticcall Court(COURT).signer_of(commit, signature) == judge, "court: not signed by the judge"
    self._seats[key][number].commitment = commit.commitment
    self._seats[key][number].marks = commit.ordinal
    it.committed += 1
    log Committed(
        case=commit.case, hearing=commit.hearing, judge=judge, commitment=commit.commitment, ordinal=commit.ordinal
    )
    if it.committed == it.due:
        it = self._to_reveals(commit.case, commit.hearing, it)
    self._hearings[key].course = self._packed(it)


@external
def call(case: bytes32, hearing: uint256):
    """
    @notice Goes on when the time for commitments is over: reserves sit for those who stayed away, once; then it is the time for
            reveals. By anybody.
    @param case The case.
    @param hearing Its number.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._course(self._hearings[key].course)
    assert it.state == COMMITTING or it.state == RECOMMITTING, "court: no time for commitments"
    assert block.timestamp > it.at, "court: there is still time"
    free: uint256 = it.drawn - it.seats
    if it.state == COMMITTING and free != 0:
        it.called = min(free, it.seats - it.committed)
        it.due = it.committed + it.called
        it.state = RECOMMITTING
        it.at = block.timestamp + TERMS.step_s
        log Called(case=case, hearing=hearing, reserves=it.called, commit_until=it.at)
    else:
        it = self._to_reveals(case, hearing, it)
    self._hearings[key].course = self._packed(it)


@external
def reveal(
    case: bytes32,
    hearing: uint256,
    number: uint256,
    sheet: DynArray[uint16, MAX_SCORES],
    reasons_digest: bytes32,
    salt: bytes32,
):
    """
    @notice Shows what a commitment was. By anybody who knows it.
    @param case The case.
    @param hearing Its number.
    @param number The seat, in the order of the draw.
    @param sheet By line of the rubric, then by contestant, thousandths of a point.
    @param reasons_digest SHA-256 of what the judge says for its scores.
    @param salt The commitment's.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._course(self._hearings[key].course)
    assert it.state == REVEALING and block.timestamp <= it.at, "court: no time for reveals"
    judge: address = self._seats[key][number].judge
    marks: uint256 = self._seats[key][number].marks
    assert marks & _REVEALED == 0, "court: the judge has revealed"
    scores_hash: bytes32 = keccak256(abi_encode(sheet, reasons_digest))
    assert (
        keccak256(abi_encode(_COMMITMENT, chain.id, COURT, case, hearing, judge, scores_hash, salt))
        == self._seats[key][number].commitment
    ), "court: not what it committed to"
    words: uint256[4] = staticcall Reckoner(RECKONER).packed(sheet, it.size)
    for at: uint256 in range(4):
        if words[at] != 0:
            self._seats[key][number].sheet[at] = words[at]
    self._seats[key][number].marks = marks | _REVEALED
    it.revealed += 1
    self._hearings[key].course = self._packed(it)
    log Revealed(
        case=case, hearing=hearing, judge=judge, sheet=sheet, reasons_digest=reasons_digest, salt=salt
    )


@external
def finalize(filing: Filing, opened: bool, salt: bytes32, answer: DynArray[uint16, MAX_SCORES]):
    """
    @notice Ends a hearing, when all who have committed have revealed or their time is over: what it has found, and what each
            judge earns and loses. By anybody; without the reference's opening only `step_s` after the time for reveals.
    @param filing What the hearing is about.
    @param opened Whether the filing's reference is opened.
    @param salt Of the reference.
    @param answer Of a hidden audit, as a sheet; empty where it is none.
    """
    key: bytes32 = self._checked(filing)
    it: Course = self._course(self._hearings[key].course)
    assert it.state == REVEALING, "court: no time for a verdict"
    assert it.revealed == it.committed or block.timestamp > it.at, "court: there is still time"
    quorum: uint256 = self._quorum(it.seats)
    if it.revealed < quorum:
        for number: uint256 in range(it.seats + it.called, bound=MAX_DRAWN):
            self._sit_out(key, filing, number, it.committed >= quorum)
        self._end(key, filing, it, FAILED)
        return
    words: uint256[4] = empty(uint256[4])
    if opened:
        assert keccak256(abi_encode(salt, answer)) == filing.reference, "court: not the reference"
        if len(answer) != 0:
            words = staticcall Reckoner(RECKONER).packed(answer, it.size)
    else:
        assert block.timestamp > it.at + TERMS.step_s, "court: still time to open it"
    found: Reckoning = self._decide(key, filing, it, opened and len(answer) != 0, words)
    log Decided(
        case=filing.case,
        hearing=filing.hearing,
        medians=found.medians,
        totals=found.totals,
        margin=found.margin,
        inputs=self._hearings[key].inputs,
        opened=opened,
        salt=salt,
        answer=answer,
    )


@external
def overturn(filing: Filing, number: uint256):
    """
    @notice Takes a judge's lock for having clearly given the session to a winner whom the case's last hearing here has clearly
            taken down; less what the hearing has cost it already. By anybody, when the case is over here.
    @param filing What the judge's hearing was about.
    @param number Its seat.
    """
    key: bytes32 = self._checked(filing)
    case: bytes32 = filing.case
    assert self._course(self._hearings[key].course).state == DECIDED, "court: it is not decided"
    put: Course = self._course(self._hearings[self._key(case, self.last_put[case] - 1)].course)
    assert put.state >= DECIDED and block.timestamp > put.at + TERMS.appeal_s, "court: the case is not over"
    last: bytes32 = self._key(case, self.last_decided[case] - 1)
    seat: Seat = self._seats[key][number]
    assert seat.marks & _REVEALED != 0 and seat.marks & _OVERTURNED == 0, "court: nothing is to be taken"
    assert staticcall Reckoner(RECKONER).overturned(
        self._hearings[key].result,
        self._hearings[last].result,
        filing.margin,
        filing.weights,
        filing.contestants,
        seat.sheet,
    ), "court: no winner fell by it"
    slash: uint256 = filing.lock * TERMS.overturned_bps // _BPS
    lost: uint256 = max(seat.slash, self._taken(case, filing.hearing, seat.judge))
    assert slash > lost, "court: it has lost no less"
    self._seats[key][number].marks = seat.marks | _OVERTURNED
    log Overturned(case=case, hearing=filing.hearing, judge=seat.judge, slash=slash)
    extcall Registry(REGISTRY).slash(seat.judge, slash - lost)


# Bonds


@external
def contradict(
    case: bytes32,
    hearing: uint256,
    epoch: uint256,
    verdict: bytes32,
    document: bytes32,
    proof: DynArray[bytes32, _MAX_PROOF],
    medians: DynArray[uint16, MAX_SCORES],
    totals: DynArray[uint256, MAX_CONTESTANTS],
    margin: uint256,
):
    """
    @notice Shows that the clerk has anchored another verdict than was found here: the bond goes back. By anybody, before it is
            settled. Where the clerk has said so of the very commitments that were revealed here, its own bond burns.
    @param case The case.
    @param hearing Its number.
    @param epoch The epoch with its CASE leaf; it need not count yet.
    @param verdict The leaf's.
    @param document The leaf's.
    @param proof Of the leaf.
    @param medians What the verdict's hash is of, to prove a lie; else empty.
    @param totals As well.
    @param margin As well.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._decided(key)
    self._check_anchored(epoch, self._case_leaf(case, hearing, verdict, document), proof)
    assert verdict != self._hearings[key].verdict, "court: the same is anchored"
    lie: bool = verdict == self._verdict(medians, totals, margin, self._hearings[key].inputs)
    assert lie or (not it.differed and not it.settled), "court: that is known"
    if not it.settled:
        it.differed = True
        self._hearings[key].course = self._packed(it)
    log Contradicted(case=case, hearing=hearing, epoch=epoch, lie=lie)
    if lie:
        extcall Court(COURT).burn_clerk(case, hearing)


@external
def contradict_seat(
    case: bytes32,
    hearing: uint256,
    number: uint256,
    epoch: uint256,
    seat: SeatLeaf,
    proof: DynArray[bytes32, _MAX_PROOF],
):
    """
    @notice Shows that the clerk has anchored something else for a seat that has revealed here: the bond goes back. By anybody,
            before it is settled.
    @param case The case.
    @param hearing Its number.
    @param number The seat.
    @param epoch The epoch with its SEAT leaf.
    @param seat The leaf.
    @param proof Of the leaf.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._decided(key)
    leaf: bytes32 = self._seat_leaf(case, hearing, seat)
    self._check_anchored(epoch, leaf, proof)
    assert not it.settled and not it.differed, "court: the bond is settled"
    assert (
        self._seats[key][number].judge == seat.judge and self._seats[key][number].marks & _REVEALED != 0
    ), "court: the judge did not reveal"
    assert not self.has_said[leaf], "court: the same is anchored"
    it.differed = True
    self._hearings[key].course = self._packed(it)
    log Contradicted(case=case, hearing=hearing, epoch=epoch, lie=False)


@external
def uphold(
    case: bytes32,
    hearing: uint256,
    epoch: uint256,
    document: bytes32,
    proof: DynArray[bytes32, _MAX_PROOF],
    medians: DynArray[uint16, MAX_SCORES],
    totals: DynArray[uint256, MAX_CONTESTANTS],
    margin: uint256,
    inputs: bytes32,
):
    """
    @notice Shows that the hearing before an appeal, which was done by messages, had the same winner. By anybody, before the
            appeal's bond is settled.
    @param case The case.
    @param hearing The appeal's.
    @param epoch The epoch with the CASE leaf of the hearing before.
    @param document The leaf's.
    @param proof Of the leaf.
    @param medians What the leaf's verdict is the hash of.
    @param totals As well.
    @param margin As well.
    @param inputs As well.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._decided(key)
    assert self._hearings[key].appeal != 0 and not it.settled, "court: no appeal to settle"
    verdict: bytes32 = self._verdict(medians, totals, margin, inputs)
    self._check_anchored(epoch, self._case_leaf(case, hearing - 1, verdict, document), proof)
    assert staticcall Reckoner(RECKONER).same_winners(
        staticcall Reckoner(RECKONER).result(totals), self._hearings[key].result
    ), "court: it had another winner"
    it.upheld = True
    self._hearings[key].course = self._packed(it)
    log Upheld(case=case, hearing=hearing, epoch=epoch)


@external
def settle(case: bytes32, hearing: uint256):
    """
    @notice Says whose a hearing's bond is, `window_s` after its end, or as soon as it is sure to go back. By anybody; it is
            fetched with `collect`. Bonds of hearings that found nothing went back when these ended.
    @param case The case.
    @param hearing Its number.
    """
    key: bytes32 = self._key(case, hearing)
    it: Course = self._decided(key)
    challenger: address = self._hearings[key].challenger
    bond: uint256 = self._hearings[key].bond
    appealed: uint256 = self._hearings[key].appeal
    assert not it.settled and bond + appealed != 0, "court: no bond to settle"
    assert it.differed or block.timestamp > it.at + TERMS.window_s, "court: too early to settle"
    it.settled = True
    self._hearings[key].course = self._packed(it)
    returned: bool = True
    if appealed != 0:
        before: bytes32 = self._key(case, hearing - 1)
        same: bool = it.upheld
        if self._course(self._hearings[before].course).state == DECIDED:
            same = staticcall Reckoner(RECKONER).same_winners(
                self._hearings[before].result, self._hearings[key].result
            )
        if same:
            returned = False
            assert extcall IERC20(USDC).approve(COURT, appealed), "court: USDC was not approved"
            extcall Court(COURT).fund(appealed)
        else:
            self.usdc_owed[challenger] += appealed
    elif it.differed:
        self.frac_owed[challenger] += bond
    else:
        returned = False
        share: uint256 = bond // it.revealed
        for number: uint256 in range(it.seats + it.called, bound=MAX_DRAWN):
            if self._seats[key][number].marks & _REVEALED != 0:
                self.frac_owed[self._seats[key][number].judge] += share
        self.frac_owed[challenger] += bond - share * it.revealed
    log Settled(case=case, hearing=hearing, challenger=challenger, returned=returned)


@external
def collect(account: address):
    """
    @notice Pays an account the bonds, and shares of bonds, that are its own. By anybody; it is paid to the account.
    @param account Whose.
    """
    frac: uint256 = self.frac_owed[account]
    usdc: uint256 = self.usdc_owed[account]
    self.frac_owed[account] = 0
    self.usdc_owed[account] = 0
    log Collected(account=account, frac=frac, usdc=usdc)
    if frac != 0:
        assert extcall IERC20(FRAC).transfer(account, frac), "court: FRAC was not paid out"
    if usdc != 0:
        assert extcall IERC20(USDC).transfer(account, usdc), "court: USDC was not paid out"


# What stands here


@external
@view
def state_of(case: bytes32, hearing: uint256) -> uint256:
    """
    @notice 0: by messages, or not at all; 1: to be drawn; 2: commitments; 3: commitments of reserves; 4: reveals; 5: decided;
            6: failed; 7: the panel could not be filled.
    """
    return self._course(self._hearings[self._key(case, hearing)].course).state


@external
@view
def hearing_of(case: bytes32, hearing: uint256) -> (Hearing, Course):
    """
    @notice A hearing that is done here; of one that is not, zeros.
    """
    key: bytes32 = self._key(case, hearing)
    return self._hearings[key], self._course(self._hearings[key].course)


@external
@view
def seat_of(case: bytes32, hearing: uint256, number: uint256) -> Seat:
    """
    @notice A seat of a hearing that is done here.
    @param number In the order of the draw; reserves follow the panel.
    """
    return self._seats[self._key(case, hearing)][number]


@internal
@pure
def _key(case: bytes32, hearing: uint256) -> bytes32:
    return keccak256(abi_encode(case, hearing))


@internal
@pure
def _leaf_of(filing: Filing) -> bytes32:
    return keccak256(keccak256(abi_encode(filing)))


@internal
@pure
def _case_leaf(case: bytes32, hearing: uint256, verdict: bytes32, document: bytes32) -> bytes32:
    return keccak256(keccak256(abi_encode(_CASE_LEAF, case, hearing, verdict, document)))


@internal
@pure
def _verdict(
    medians: DynArray[uint16, MAX_SCORES],
    totals: DynArray[uint256, MAX_CONTESTANTS],
    margin: uint256,
    inputs: bytes32,
) -> bytes32:
    return keccak256(abi_encode(medians, totals, margin, inputs))


@internal
@pure
def _seat_leaf(case: bytes32, hearing: uint256, seat: SeatLeaf) -> bytes32:
    return keccak256(
        keccak256(
            abi_encode(_SEAT_LEAF, case, hearing, seat.judge, seat.ordinal, seat.skill, seat.pay, seat.slash)
        )
    )


@internal
@view
def _checked(filing: Filing) -> bytes32:
    """
    @dev The key of a hearing that is here, and about just this.
    """
    key: bytes32 = self._key(filing.case, filing.hearing)
    assert self._hearings[key].filing == self._leaf_of(filing), "court: no such hearing is here"
    return key


@internal
@view
def _decided(key: bytes32) -> Course:
    it: Course = self._course(self._hearings[key].course)
    assert it.state == DECIDED, "court: it is not decided"
    return it


@internal
@view
def _check_anchored(epoch: uint256, leaf: bytes32, proof: DynArray[bytes32, _MAX_PROOF]):
    assert staticcall Court(COURT).is_anchored(epoch, leaf, proof), "court: that is not anchored"


@internal
@view
def _next(filing: Filing, seats: uint256) -> Filing:
    """
    @dev What the hearing after this one is about.
    """
    next: Filing = filing
    next.hearing = filing.hearing + 1
    next.seats = seats
    next.snapshot = staticcall Registry(REGISTRY).snapshot_count()
    next.fee = min(filing.fee * seats // filing.seats, TERMS.max_fee)
    return next


@internal
def _make(filing: Filing, size: uint256, failures: uint256, appealed: uint256) -> uint256:
    batch: uint256 = extcall Court(COURT).file_made(self._leaf_of(filing), filing.snapshot)
    self._put(batch, filing, size, failures, 0, appealed)
    return batch


@internal
def _put(batch: uint256, filing: Filing, size: uint256, failures: uint256, bond: uint256, appealed: uint256):
    key: bytes32 = self._key(filing.case, filing.hearing)
    assert self._hearings[key].batch == 0, "court: the hearing is here"
    it: Course = empty(Course)
    it.state = FORCED
    it.size = size
    it.seats = filing.seats
    it.failures = failures
    self._hearings[key].filing = self._leaf_of(filing)
    self._hearings[key].batch = batch
    self._hearings[key].course = self._packed(it)
    self._hearings[key].challenger = msg.sender
    if bond != 0:
        self._hearings[key].bond = bond
    if appealed != 0:
        self._hearings[key].appeal = appealed
    self.last_put[filing.case] = max(self.last_put[filing.case], filing.hearing + 1)
    log Forced(
        case=filing.case,
        hearing=filing.hearing,
        challenger=msg.sender,
        batch=batch,
        filing=filing,
        bond=bond,
        appeal=appealed,
    )


@internal
def _to_reveals(case: bytes32, hearing: uint256, was: Course) -> Course:
    it: Course = was
    it.state = REVEALING
    # Under the quorum nobody needs to show anything.
    it.at = 0
    if it.committed >= self._quorum(it.seats):
        it.at = block.timestamp + TERMS.step_s
    log Revealing(case=case, hearing=hearing, reveal_until=it.at)
    return it


@internal
@pure
def _quorum(seats: uint256) -> uint256:
    return max(1, seats - (seats + 2) // 3)


@internal
def _decide(key: bytes32, filing: Filing, it: Course, audit: bool, answer: uint256[4]) -> Reckoning:
    judges: DynArray[address, MAX_SEATS] = []
    commitments: DynArray[bytes32, MAX_SEATS] = []
    sheets: DynArray[uint256[4], MAX_SEATS] = []
    for number: uint256 in range(it.seats + it.called, bound=MAX_DRAWN):
        if self._seats[key][number].marks & _REVEALED != 0:
            judges.append(self._seats[key][number].judge)
            commitments.append(self._seats[key][number].commitment)
            sheets.append(self._seats[key][number].sheet)
    found: Reckoning = staticcall Reckoner(RECKONER).reckon(
        Question(
            weights=filing.weights,
            contestants=filing.contestants,
            prior=filing.prior,
            scale=filing.scale,
            seats=filing.seats,
            fee=filing.fee,
            lock=filing.lock,
        ),
        sheets,
        audit,
        answer,
    )
    inputs: bytes32 = keccak256(abi_encode(judges, commitments))
    self._hearings[key].inputs = inputs
    self._hearings[key].verdict = self._verdict(found.medians, found.totals, found.margin, inputs)
    self._hearings[key].result = found.result
    next: uint256 = 0
    for number: uint256 in range(it.seats + it.called, bound=MAX_DRAWN):
        if self._seats[key][number].marks & _REVEALED == 0:
            self._sit_out(key, filing, number, True)
        else:
            each: SeatReckoning = found.seats[next]
            next += 1
            if each.pay != 0:
                extcall Court(COURT).credit(filing.case, filing.hearing, self._seats[key][number].judge, each.pay)
            self._sit(key, filing, number, each.skill, each.pay, each.slash)
    self._end(key, filing, it, DECIDED)
    return found


@internal
def _sit_out(key: bytes32, filing: Filing, number: uint256, asked: bool):
    """
    @dev A seat that is not paid: it stayed away, or hid, or too few others did not.
    @param asked Whether those who had committed were asked to reveal.
    """
    seat: Seat = self._seats[key][number]
    skill: int256 = 0
    slash: uint256 = 0
    if seat.commitment == empty(bytes32):
        slash = filing.lock * TERMS.no_commit_bps // _BPS
    elif asked and seat.marks & _REVEALED == 0:
        skill = SKILL_FLOOR
        slash = filing.lock * TERMS.no_reveal_bps // _BPS
    self._sit(key, filing, number, skill, 0, slash)


@internal
def _sit(key: bytes32, filing: Filing, number: uint256, skill: int256, pay: int256, slash: uint256):
    """
    @dev What the hearing has meant for a seat.
    """
    judge: address = self._seats[key][number].judge
    ordinal: uint256 = NO_ORDINAL
    if self._seats[key][number].commitment != empty(bytes32):
        ordinal = self._seats[key][number].marks & NO_ORDINAL
    leaf: SeatLeaf = SeatLeaf(judge=judge, ordinal=ordinal, skill=skill, pay=pay, slash=slash)
    self.has_said[self._seat_leaf(filing.case, filing.hearing, leaf)] = True
    log Sat(
        case=filing.case,
        hearing=filing.hearing,
        judge=judge,
        ordinal=ordinal,
        skill=skill,
        pay=pay,
        slash=slash,
    )
    if slash != 0:
        self._seats[key][number].slash = slash
        taken: uint256 = self._taken(filing.case, filing.hearing, judge)
        if slash > taken:
            extcall Registry(REGISTRY).slash(judge, slash - taken)


@internal
@view
def _taken(case: bytes32, hearing: uint256, judge: address) -> uint256:
    """
    @dev What a leaf has cost it before the hearing was put here: one lock is all that a hearing can cost.
    """
    return staticcall Court(COURT).taken(keccak256(abi_encode(case, hearing, judge)))


@internal
def _end(key: bytes32, filing: Filing, was: Course, state: uint256):
    it: Course = was
    it.state = state
    it.at = block.timestamp
    if state == DECIDED:
        self.last_decided[filing.case] = max(self.last_decided[filing.case], filing.hearing + 1)
    else:
        it.settled = True
        self.frac_owed[self._hearings[key].challenger] += self._hearings[key].bond
        self.usdc_owed[self._hearings[key].challenger] += self._hearings[key].appeal
        log Undecided(case=filing.case, hearing=filing.hearing, state=state)
    self._hearings[key].course = self._packed(it)


@internal
@pure
def _packed(it: Course) -> uint256:
    """
    @dev The state is lowest; a byte for what is small, five for the time.
    """
    word: uint256 = it.state | (it.size << 8) | (it.seats << 16) | (it.drawn << 24) | (it.called << 32)
    word |= (it.committed << 40) | (it.due << 48) | (it.revealed << 56) | (it.failures << 64)
    if it.differed:
        word |= 1 << 72
    if it.upheld:
        word |= 1 << 73
    if it.settled:
        word |= 1 << 74
    return word | (it.at << 80)


@internal
@pure
def _course(word: uint256) -> Course:
    return Course(
        state=word & 255,
        at=word >> 80,
        size=(word >> 8) & 255,
        seats=(word >> 16) & 255,
        drawn=(word >> 24) & 255,
        called=(word >> 32) & 255,
        committed=(word >> 40) & 255,
        due=(word >> 48) & 255,
        revealed=(word >> 56) & 255,
        failures=(word >> 64) & 255,
        differed=(word >> 72) & 1 == 1,
        upheld=(word >> 73) & 1 == 1,
        settled=(word >> 74) & 1 == 1,
    )


@internal
def _take(token: address, amount: uint256):
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount), "court: the token was not paid"
