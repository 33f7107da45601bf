# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Agon's court
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Panels of staked judges score what rules cannot decide. A hearing is filed before anybody is drawn, its seed is a later
        block's hash, and judges bind themselves before they show what they have found. As a rule all of that is messages, and
        the clerk anchors what came of it once an epoch. Anybody with a bond can have any hearing done on the chain instead
        (`hearings`), by the same rules, and then that is what counts.
@dev Layouts of all that is hashed: docs/court.md. Stakes are `judge_registry`'s, arithmetic is `reckoner`'s.
     What holds whoever has the keys of clerk, guardian and admin:
     - Nothing that is known after the seed changes panel, work or terms: a hearing is a leaf of a batch that was filed
       `seed_blocks` before it. A second filing of a hearing costs the clerk its bond (`prove_two_filings`).
     - A judge loses what its lock says at most, by a leaf that anybody could have forced for `window_s` and more before; all of
       its stake only by two signatures of its own; a share of it by 20 such leaves in a row. What is lost is burned.
     - Pay comes out of what was funded. Roots that count go on counting; a forced hearing's pay needs no root.
@custom:security The producer of a seed's block knows it first and may withhold the block: a second try, for the price of one.
"""


from ethereum.ercs import IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.auth import ownable_2step
initializes: ownable_2step[ownable := ownable]


from snekmate.utils import block_hash


from snekmate.utils import ecdsa


from snekmate.utils import eip712_domain_separator
initializes: eip712_domain_separator


from snekmate.utils import merkle_proof_verification


from modules import roles
initializes: roles[ownable := ownable]


exports: (
    eip712_domain_separator.eip712Domain,
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    ownable_2step.accept_ownership,
    roles.offer_role,
    roles.revoke_role,
    roles.role_holder,
    roles.role_offered,
    roles.take_role,
)


interface Frac:
    def burn(amount: uint256): nonpayable


interface Registry:
    def bind(): nonpayable
    def appoint(hearings: address): nonpayable
    def terms() -> RegistryTerms: view
    def snapshots(number: uint256) -> Snapshot: view
    def stake_of(judge: address) -> uint256: view
    def slash(judge: address, amount: uint256) -> uint256: nonpayable
    def jail(judge: address, until: uint256): nonpayable


interface Reckoner:
    def lines(weights: uint256) -> uint256: view


interface Hearings:
    def state_of(case: bytes32, hearing: uint256) -> uint256: view
    def has_said(leaf: bytes32) -> bool: view


# @dev Files batches and anchors epochs.
CLERK: public(constant(bytes32)) = keccak256("clerk")


# @dev May veto an epoch that does not count yet.
GUARDIAN: public(constant(bytes32)) = keccak256("guardian")


MAX_SEATS: constant(uint256) = 31
MAX_CONTESTANTS: constant(uint256) = 8
# @dev More siblings than any tree of the court has levels.
_MAX_PROOF: constant(uint256) = 24


# @dev Hearings of one judge that its rolling skill is the mean of.
WINDOW: public(constant(uint256)) = 20


_BPS: constant(uint256) = 10_000
_COMMIT: constant(bytes32) = keccak256("Commit(bytes32 case,uint256 hearing,bytes32 commitment,uint256 ordinal)")
_SEAT_LEAF: constant(bytes32) = keccak256("seat")


struct Terms:
    # The seed is the hash of the block that comes so many after a batch's.
    seed_blocks: uint256
    # A snapshot is no older than that when it is filed with.
    snapshot_max_s: uint256
    # The longest that a filing may leave for commitments and reveals together.
    hearing_s: uint256
    # From a batch until its hearings must be anchored, if anything is to be lost by them.
    anchor_s: uint256
    # From an anchor until it counts; from a forced end until bonds are settled.
    window_s: uint256
    # For an appeal, after a hearing's end.
    appeal_s: uint256
    # For each step of a hearing that is done on the chain.
    step_s: uint256
    # The time that is left to bring what costs stake before it can be released.
    record_s: uint256
    # FRAC, of whoever forces a hearing.
    bond: uint256
    # FRAC that must lie here for the clerk to file.
    clerk_bond: uint256
    # Micro-USDC of a hearing, and FRAC of a seat, at the most.
    max_fee: uint256
    max_lock: uint256
    # What a judge loses: of the lock, of the whole stake, of the lock. `judges/court/terms.py`.
    no_commit_bps: uint256
    no_reveal_bps: uint256
    rolling_floor: int256
    rolling_bps: uint256
    overturned_bps: uint256


struct RegistryTerms:
    min_stake: uint256
    unbonding_s: uint256
    snapshot_gap_s: uint256


struct Snapshot:
    digest: bytes32
    block: uint256
    at: uint256
    judges: uint256


struct Filing:
    # SHA-256 of the text of the session's ULID; hearings of a case count from 0.
    case: bytes32
    hearing: uint256
    # SHA-256 of the transcript's block.
    transcript: bytes32
    seats: uint256
    # The registry's.
    snapshot: uint256
    contestants: uint256
    # Packed as `reckoner` has them.
    weights: uint256
    prior: uint256
    scale: uint256
    # Micro-USDC for the panel, FRAC that each seat can lose, thousandths of a point under which a bigger panel looks again.
    fee: uint256
    lock: uint256
    margin: uint256
    # For commitments (reserves included) and for reveals, where the hearing is done by messages.
    commit_s: uint256
    reveal_s: uint256
    # keccak256(abi.encode(salt, sheet)): the answer of a hidden audit, or an empty sheet.
    reference: bytes32


struct Batch:
    root: bytes32
    # Zero until it is drawn.
    seed: bytes32
    snapshot: uint256
    block: uint256
    at: uint256
    # By an appeal, an escalation or a failure here: of one filing, whose leaf is the root.
    made: bool


struct Epoch:
    cases_root: bytes32
    earned_root: bytes32
    # What the earned leaves add up to, as the clerk says, and what claims by it and all before it add up to at the most.
    total: uint256
    at: uint256


struct SeatLeaf:
    judge: address
    ordinal: uint256
    skill: int256
    pay: int256
    slash: uint256


struct Heard:
    # What a hearing meant for a judge, by an epoch's leaf; epoch 0: by a hearing on the chain, and needs no proofs.
    batch: uint256
    filing: Filing
    filing_proof: DynArray[bytes32, _MAX_PROOF]
    epoch: uint256
    seat: SeatLeaf
    proof: DynArray[bytes32, _MAX_PROOF]


struct Commit:
    case: bytes32
    hearing: uint256
    commitment: bytes32
    ordinal: uint256


FRAC: public(immutable(address))
USDC: public(immutable(address))
REGISTRY: public(immutable(address))
RECKONER: public(immutable(address))
TERMS: immutable(Terms)
# @dev From a snapshot until nothing of what it was drawn for can cost stake any more, in seconds; unbonding takes longer.
LIFE: public(immutable(uint256))


# @dev Where hearings are done on the chain.
hearings: public(address)


# @dev Batches and epochs count from 1.
batch_count: public(uint256)
batches: public(HashMap[uint256, Batch])
epoch_count: public(uint256)
epochs: public(HashMap[uint256, Epoch])


# @dev FRAC that answers for what the clerk files and anchors.
clerk_bond: public(uint256)
last_filed_at: public(uint256)
# @dev keccak256(abi.encode(case, hearing)): whether the bond has burned for it; once, whatever is shown again.
burned_for: public(HashMap[bytes32, bool])


# @dev USDC that was paid in for pay; paid out by roots, and for hearings on the chain.
funded: public(uint256)
roots_claimed: public(uint256)
forced_claimed: public(uint256)
# @dev All that hearings on the chain have earned anybody.
forced_total: public(uint256)
# @dev Of a judge: what it was paid in all, and of that for hearings on the chain; the sum of its pays by these.
claimed: public(HashMap[address, uint256])
claimed_by_force: public(HashMap[address, uint256])
forced_pay: public(HashMap[address, int256])


# @dev keccak256(abi.encode(case, hearing, judge)): what an anchored leaf has cost it.
taken: public(HashMap[bytes32, uint256])
# @dev The least ordinal of a judge that no rolling slash has counted.
rolled: public(HashMap[address, uint256])


event Filed:
    batch: indexed(uint256)
    root: bytes32
    count: uint256
    snapshot: uint256
    seed_block: uint256


event Seeded:
    batch: indexed(uint256)
    seed: bytes32


event Anchored:
    epoch: indexed(uint256)
    cases_root: bytes32
    earned_root: bytes32
    earned_total: uint256
    counts_at: uint256


event Vetoed:
    epoch: indexed(uint256)
    cases_root: bytes32


event Funded:
    payer: indexed(address)
    amount: uint256
    funded: uint256


event Claimed:
    judge: indexed(address)
    epoch: indexed(uint256)
    amount: uint256
    cumulative: uint256


event ClerkBonded:
    payer: indexed(address)
    amount: uint256
    bond: uint256


event ClerkUnbonded:
    receiver: indexed(address)
    amount: uint256


event ClerkBurned:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    by: indexed(address)
    amount: uint256


event Slashed:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    lost: uint256


event Doubled:
    judge: indexed(address)
    by: indexed(address)
    first: Commit
    second: Commit
    lost: uint256


event Rolled:
    judge: indexed(address)
    first: uint256
    lost: uint256


event Credited:
    case: indexed(bytes32)
    hearing: indexed(uint256)
    judge: indexed(address)
    pay: int256


event Bound:
    hearings: indexed(address)


@deploy
def __init__(frac: address, usdc: address, registry: address, reckoner: address, terms: Terms):
    """
    @notice The deployer becomes the admin, and hands that on in two steps.
    @param frac The token of stakes and bonds; it must have `burn`.
    @param usdc The token of pay and of appeals' bonds.
    @param registry Where judges stake; this contract binds itself to it.
    @param reckoner The arithmetic.
    @param terms What cannot be changed any more.
    """
    ownable.__init__()
    ownable_2step.__init__()
    roles.__init__()
    eip712_domain_separator.__init__("Agon Court", "1")
    assert frac.is_contract and usdc.is_contract and reckoner.is_contract, "court: a token or the reckoner is no contract"
    assert terms.seed_blocks != 0 and terms.seed_blocks < 256, "court: a seed comes 1 to 255 blocks later"
    assert terms.step_s != 0 and terms.bond != 0 and terms.clerk_bond != 0, "court: a step or a bond of nothing"
    assert max(terms.no_commit_bps, terms.no_reveal_bps) <= _BPS, "court: more than a lock"
    assert max(terms.rolling_bps, terms.overturned_bps) <= _BPS, "court: more than a stake or a lock"
    FRAC = frac
    USDC = usdc
    REGISTRY = registry
    RECKONER = reckoner
    TERMS = terms
    # The last hearing that can still cost the seats of the first something is the fifth of its case, at the most.
    life: uint256 = terms.snapshot_max_s + terms.anchor_s + terms.window_s + terms.record_s
    life += 5 * (4 * terms.step_s + terms.appeal_s)
    LIFE = life
    assert (staticcall Registry(registry).terms()).unbonding_s >= life, "court: unbonding is shorter than what can cost stake"
    extcall Registry(registry).bind()


@external
@view
def terms() -> Terms:
    """
    @notice What was agreed at the deployment, see the constructor.
    """
    return TERMS


# Filing


@external
def bond_clerk(amount: uint256):
    """
    @notice Pays FRAC that answers for the clerk. By anybody; it comes out by `unbond_clerk`, or is burned.
    @param amount FRAC, approved.
    """
    assert amount != 0, "court: nothing to bond"
    self.clerk_bond += amount
    log ClerkBonded(payer=msg.sender, amount=amount, bond=self.clerk_bond)
    self._take(FRAC, amount)


@external
def unbond_clerk(receiver: address):
    """
    @notice Takes the clerk's bond back, when nothing that it has filed can be contradicted any more. By the admin.
    @param receiver Who gets it.
    """
    ownable._check_owner()
    assert block.timestamp > self.last_filed_at + LIFE, "court: what was filed last can still be contradicted"
    amount: uint256 = self.clerk_bond
    self.clerk_bond = 0
    log ClerkUnbonded(receiver=receiver, amount=amount)
    self._give(FRAC, receiver, amount)


@external
def file(root: bytes32, count: uint256, snapshot: uint256) -> uint256:
    """
    @notice Fixes what hearings are about, before anybody is drawn. By the clerk.
    @param root Over the filings (OpenZeppelin's StandardMerkleTree).
    @param count How many they are, for whoever looks.
    @param snapshot Which judges can be drawn: older than this block, and no older than `snapshot_max_s`.
    @return uint256 The batch's number.
    """
    assert roles._holds(CLERK, msg.sender), "court: caller is not the clerk"
    assert self.clerk_bond >= TERMS.clerk_bond, "court: the clerk's bond is too small"
    assert root != empty(bytes32) and count != 0, "court: the batch is empty"
    self._check_snapshot(snapshot)
    self.last_filed_at = block.timestamp
    return self._file(root, count, snapshot, False)


@external
def seed(batch: uint256):
    """
    @notice Keeps a batch's seed, while the hash of its block is at hand. By anybody. Where it is not any more: a batch of the
            clerk's stays without one for ever; one that was made here gets another block.
    @param batch The batch.
    """
    it: Batch = self.batches[batch]
    assert it.block != 0, "court: there is no such batch"
    assert it.seed == empty(bytes32), "court: the batch has its seed"
    seed_block: uint256 = it.block + TERMS.seed_blocks
    assert block.number > seed_block, "court: the block of the seed is not there yet"
    hash: bytes32 = block_hash._block_hash(seed_block)
    if hash == empty(bytes32):
        assert it.made, "court: the hash of the seed's block is not at hand any more"
        self.batches[batch].block = block.number
        log Filed(
            batch=batch, root=it.root, count=1, snapshot=it.snapshot, seed_block=block.number + TERMS.seed_blocks
        )
        return
    seed: bytes32 = keccak256(abi_encode(hash, batch))
    self.batches[batch].seed = seed
    log Seeded(batch=batch, seed=seed)


@external
def prove_two_filings(
    first: uint256,
    filing: Filing,
    proof: DynArray[bytes32, _MAX_PROOF],
    second: uint256,
    other: Filing,
    other_proof: DynArray[bytes32, _MAX_PROOF],
):
    """
    @notice Burns the clerk's bond for filing a hearing again after its seed was known, or twice in a batch. By anybody.
    @param first The batch of the first one, which has its seed.
    @param filing The first one.
    @param proof From its leaf's sibling up.
    @param second The batch of the other, later or the same.
    @param other The other, of the same case and hearing.
    @param other_proof From its leaf's sibling up.
    """
    assert filing.case == other.case and filing.hearing == other.hearing, "court: these are two hearings"
    leaf: bytes32 = self._leaf_of(filing)
    other_leaf: bytes32 = self._leaf_of(other)
    assert not self.batches[first].made and not self.batches[second].made, "court: the clerk has not filed both"
    assert second > first or (second == first and leaf != other_leaf), "court: that is one filing"
    assert self.batches[first].seed != empty(bytes32), "court: the first one has no seed"
    self._check_proof(self.batches[first].root, leaf, proof)
    self._check_proof(self.batches[second].root, other_leaf, other_proof)
    self._burn_clerk(filing.case, filing.hearing)


# Epochs and pay


@external
def fund(amount: uint256):
    """
    @notice Pays in USDC that was approved, for judges' pay. By anybody; it comes out as pay alone.
    @param amount Micro-USDC.
    """
    assert amount != 0, "court: nothing to fund"
    self.funded += amount
    log Funded(payer=msg.sender, amount=amount, funded=self.funded)
    self._take(USDC, amount)


@external
def anchor(epoch: uint256, cases_root: bytes32, earned_root: bytes32, earned_total: uint256):
    """
    @notice Posts what an epoch's hearings came to, once the one before counts. By the clerk.
    @param epoch Its number, so that a transaction that comes late posts nothing twice.
    @param cases_root Over CASE and SEAT leaves.
    @param earned_root Over (judge, cumulative) of all epochs together; zero where nobody has earned anything.
    @param earned_total What these add up to: no less than before, no more than was funded, less what forced hearings have earned.
    """
    assert roles._holds(CLERK, msg.sender), "court: caller is not the clerk"
    count: uint256 = self.epoch_count
    assert epoch == count + 1, "court: that is not the next epoch"
    assert self._counts(count), "court: the epoch before does not count yet"
    assert cases_root != empty(bytes32), "court: the root is zero"
    assert earned_total >= self.epochs[count].total, "court: the total is less than before"
    assert earned_total + self.forced_total <= self.funded, "court: the total is more than was funded"
    self.epoch_count = epoch
    self.epochs[epoch] = Epoch(
        cases_root=cases_root, earned_root=earned_root, total=earned_total, at=block.timestamp
    )
    log Anchored(
        epoch=epoch,
        cases_root=cases_root,
        earned_root=earned_root,
        earned_total=earned_total,
        counts_at=block.timestamp + TERMS.window_s,
    )


@external
def veto(epoch: uint256):
    """
    @notice Takes back an epoch that does not count yet; its number is posted again. By the guardian.
    @param epoch The newest.
    """
    assert roles._holds(GUARDIAN, msg.sender), "court: caller is not the guardian"
    assert epoch == self.epoch_count and not self._counts(epoch), "court: that epoch is not waiting"
    log Vetoed(epoch=epoch, cases_root=self.epochs[epoch].cases_root)
    self.epoch_count = epoch - 1
    self.epochs[epoch] = empty(Epoch)


@external
def claim(epoch: uint256, judge: address, cumulative: uint256, proof: DynArray[bytes32, _MAX_PROOF]) -> uint256:
    """
    @notice Pays a judge what it has earned and not had: by a root, and for hearings on the chain, whose debts are
            worked off first. By anybody; it is paid to the judge. Nothing to pay is no error.
    @param epoch The epoch by whose root it is proven, any that counts; 0: by none, `cumulative` is 0.
    @param judge Who earned it.
    @param cumulative What it has earned in all up to that epoch.
    @param proof From the leaf's sibling up.
    @return uint256 What was paid, micro-USDC.
    """
    count: uint256 = self.epoch_count
    if epoch == 0:
        assert cumulative == 0, "court: by which epoch?"
    else:
        assert epoch <= count and self._counts(epoch), "court: that epoch does not count"
        self._check_proof(
            self.epochs[epoch].earned_root, keccak256(keccak256(abi_encode(judge, cumulative))), proof
        )
    by_force: int256 = self.forced_pay[judge]
    owed: int256 = convert(cumulative, int256) + by_force - convert(self.claimed[judge], int256)
    if owed <= 0:
        return 0
    # Two purses, so that no root takes what hearings here have earned, nor these what is allotted by roots.
    here: uint256 = convert(max(0, min(owed, by_force - convert(self.claimed_by_force[judge], int256))), uint256)
    of_force: uint256 = min(here, self.funded - self.epochs[count].total - self.forced_claimed)
    counting: uint256 = count
    if not self._counts(count):
        counting -= 1
    of_roots: uint256 = min(convert(owed, uint256) - here, self.epochs[counting].total - self.roots_claimed)
    amount: uint256 = of_force + of_roots
    if amount == 0:
        return 0
    self.claimed[judge] += amount
    self.claimed_by_force[judge] += of_force
    self.forced_claimed += of_force
    self.roots_claimed += of_roots
    log Claimed(judge=judge, epoch=epoch, amount=amount, cumulative=cumulative)
    self._give(USDC, judge, amount)
    return amount


# What costs stake


@external
def slash(heard: Heard):
    """
    @notice Takes what a leaf says that a hearing cost a judge. By anybody, once its epoch counts.
    @param heard The leaf, its filing and both proofs.
    """
    self._check_heard(heard)
    case: bytes32 = heard.filing.case
    hearing: uint256 = heard.filing.hearing
    judge: address = heard.seat.judge
    assert heard.epoch != 0 and heard.seat.slash != 0, "court: there is nothing to take"
    id: bytes32 = keccak256(abi_encode(case, hearing, judge))
    assert self.taken[id] == 0, "court: it was taken already"
    self.taken[id] = heard.seat.slash
    log Slashed(case=case, hearing=hearing, judge=judge, lost=heard.seat.slash)
    extcall Registry(REGISTRY).slash(judge, heard.seat.slash)


@external
def slash_rolling(row: DynArray[Heard, WINDOW]):
    """
    @notice Takes a share of a judge's stake for 20 hearings in a row whose mean skill is below the floor. By anybody.
    @param row In the order of their ordinals, without a hole; none that was counted before.
    """
    assert len(row) == WINDOW, "court: a row has 20 hearings"
    judge: address = row[0].seat.judge
    first: uint256 = row[0].seat.ordinal
    assert first >= self.rolled[judge], "court: these were counted"
    skill: int256 = 0
    ordinal: uint256 = first
    for heard: Heard in row:
        self._check_heard(heard)
        assert heard.seat.judge == judge and heard.seat.ordinal == ordinal, "court: they are not in a row"
        skill += heard.seat.skill
        ordinal += 1
    assert skill < TERMS.rolling_floor * convert(WINDOW, int256), "court: the judge is good enough"
    self.rolled[judge] = ordinal
    lost: uint256 = staticcall Registry(REGISTRY).stake_of(judge) * TERMS.rolling_bps // _BPS
    log Rolled(judge=judge, first=first, lost=lost)
    extcall Registry(REGISTRY).slash(judge, lost)


@external
def prove_double(first: Commit, signature: Bytes[65], second: Commit, other_signature: Bytes[65]):
    """
    @notice Takes all that a judge has, and keeps it out for ever, for two commitments to one hearing, or two hearings with one
            ordinal. By anybody.
    @param first What it signed.
    @param signature 65 bytes r, s, v.
    @param second What it signed, too.
    @param other_signature 65 bytes.
    """
    judge: address = self._signer(first, signature)
    assert self._signer(second, other_signature) == judge, "court: these are two judges"
    if first.case == second.case and first.hearing == second.hearing:
        assert first.commitment != second.commitment or first.ordinal != second.ordinal, "court: that is one commitment"
    else:
        assert first.ordinal == second.ordinal, "court: these are two hearings"
    lost: uint256 = staticcall Registry(REGISTRY).stake_of(judge)
    log Doubled(judge=judge, by=msg.sender, first=first, second=second, lost=lost)
    extcall Registry(REGISTRY).slash(judge, lost)
    extcall Registry(REGISTRY).jail(judge, max_value(uint256))


# For the hearings that are done on the chain


@external
def bind():
    """
    @notice The caller becomes where hearings are done on the chain, for ever. Once, in a transaction of the admin: its own
            deployment.
    """
    # It does not exist before its constructor runs, so that only the transaction can tell whose it is.
    assert tx.origin == ownable.owner, "court: the transaction is not the admin's"
    assert self.hearings == empty(address), "court: hearings are bound already"
    self.hearings = msg.sender
    log Bound(hearings=msg.sender)
    extcall Registry(REGISTRY).appoint(msg.sender)


@external
def file_made(leaf: bytes32, snapshot: uint256) -> uint256:
    """
    @notice A batch of one filing, which follows from what was done on the chain. By the hearings.
    @param leaf The filing's, and the batch's root.
    @param snapshot As in `file`.
    @return uint256 The batch's number.
    """
    self._check_hearings()
    self._check_snapshot(snapshot)
    return self._file(leaf, 1, snapshot, True)


@external
def credit(case: bytes32, hearing: uint256, judge: address, pay: int256):
    """
    @notice Adds a judge's pay for a hearing that was done on the chain. By the hearings.
    """
    self._check_hearings()
    self.forced_pay[judge] += pay
    if pay > 0:
        self.forced_total += convert(pay, uint256)
    log Credited(case=case, hearing=hearing, judge=judge, pay=pay)


@external
def burn_clerk(case: bytes32, hearing: uint256):
    """
    @notice Burns the clerk's bond, for an anchor that says something else than the same messages come to. By the hearings.
    """
    self._check_hearings()
    if self.clerk_bond != 0 and not self.burned_for[keccak256(abi_encode(case, hearing))]:
        self._burn_clerk(case, hearing)


@external
@view
def check_filed(batch: uint256, filing: Filing, proof: DynArray[bytes32, _MAX_PROOF]) -> uint256:
    """
    @notice Reverts unless the filing is of that batch, and one that judges may be held to.
    @return uint256 Scores of a sheet.
    """
    return self._check_filed(batch, filing, proof)


@external
@view
def is_anchored(epoch: uint256, leaf: bytes32, proof: DynArray[bytes32, _MAX_PROOF]) -> bool:
    """
    @notice Whether the leaf is one of that epoch, be it that it does not count yet.
    """
    root: bytes32 = self.epochs[epoch].cases_root
    return root != empty(bytes32) and merkle_proof_verification._verify(proof, root, leaf)


@external
@view
def signer_of(commit: Commit, signature: Bytes[65]) -> address:
    """
    @notice Who has signed a commitment. Reverts for what is no signature.
    """
    return self._signer(commit, signature)


@internal
@view
def _check_hearings():
    assert msg.sender == self.hearings, "court: caller is not the hearings"


@internal
@pure
def _leaf_of(filing: Filing) -> bytes32:
    return keccak256(keccak256(abi_encode(filing)))


@internal
@pure
def _seat_leaf(case: bytes32, hearing: uint256, seat: SeatLeaf) -> bytes32:
    return keccak256(
        keccak256(
            abi_encode(
                _SEAT_LEAF, case, hearing, seat.judge, seat.ordinal, seat.skill, seat.pay, seat.slash
            )
        )
    )


@internal
@view
def _check_proof(root: bytes32, leaf: bytes32, proof: DynArray[bytes32, _MAX_PROOF]):
    assert root != empty(bytes32) and merkle_proof_verification._verify(
        proof, root, leaf
    ), "court: the proof does not lead to the root"


@internal
@view
def _check_snapshot(snapshot: uint256):
    it: Snapshot = staticcall Registry(REGISTRY).snapshots(snapshot)
    assert it.block != 0 and it.block < block.number, "court: the snapshot is not older than this block"
    assert block.timestamp <= it.at + TERMS.snapshot_max_s, "court: the snapshot is too old"


@internal
@view
def _check_filed(batch: uint256, filing: Filing, proof: DynArray[bytes32, _MAX_PROOF]) -> uint256:
    """
    @dev Reverts unless the filing is of that batch, and one that judges may be held to.
    @return uint256 Scores of a sheet.
    """
    self._check_proof(self.batches[batch].root, self._leaf_of(filing), proof)
    assert filing.snapshot == self.batches[batch].snapshot, "court: the filing names another snapshot than its batch"
    assert filing.seats != 0 and filing.seats <= MAX_SEATS, "court: a panel has 1 to 31 seats"
    assert filing.contestants != 0 and filing.contestants <= MAX_CONTESTANTS, "court: 1 to 8 contestants"
    assert filing.scale != 0 and filing.scale < 2**128, "court: a scale of 1 to 2^128 - 1"
    assert filing.fee <= TERMS.max_fee and filing.lock <= TERMS.max_lock, "court: the fee or the lock is too high"
    assert (
        max(filing.commit_s, filing.reveal_s) <= TERMS.hearing_s
        and filing.commit_s + filing.reveal_s <= TERMS.hearing_s
    ), "court: the hearing takes too long"
    return staticcall Reckoner(RECKONER).lines(filing.weights) * filing.contestants


@internal
@view
def _check_heard(heard: Heard):
    """
    @dev Reverts unless the leaf says what a hearing meant for a judge, and cannot be doubted any more.
    """
    leaf: bytes32 = self._seat_leaf(heard.filing.case, heard.filing.hearing, heard.seat)
    if heard.epoch == 0:
        assert staticcall Hearings(self.hearings).has_said(leaf), "court: no hearing on the chain has said so"
        return
    size: uint256 = self._check_filed(heard.batch, heard.filing, heard.filing_proof)
    assert (
        staticcall Hearings(self.hearings).state_of(heard.filing.case, heard.filing.hearing) == 0
    ), "court: the hearing was forced, and its leaves count no more"
    assert heard.epoch <= self.epoch_count and self._counts(heard.epoch), "court: that epoch does not count"
    epoch: Epoch = self.epochs[heard.epoch]
    assert epoch.at <= self.batches[heard.batch].at + TERMS.anchor_s, "court: it was anchored too late"
    assert heard.seat.slash <= heard.filing.lock, "court: more than the lock"
    self._check_proof(epoch.cases_root, leaf, heard.proof)


@internal
@view
def _signer(commit: Commit, signature: Bytes[65]) -> address:
    return ecdsa._recover_sig(
        eip712_domain_separator._hash_typed_data_v4(
            keccak256(abi_encode(_COMMIT, commit.case, commit.hearing, commit.commitment, commit.ordinal))
        ),
        signature,
    )


@internal
@view
def _counts(epoch: uint256) -> bool:
    return epoch == 0 or block.timestamp >= self.epochs[epoch].at + TERMS.window_s


@internal
def _file(root: bytes32, count: uint256, snapshot: uint256, made: bool) -> uint256:
    batch: uint256 = self.batch_count + 1
    self.batch_count = batch
    self.batches[batch] = Batch(
        root=root, seed=empty(bytes32), snapshot=snapshot, block=block.number, at=block.timestamp, made=made
    )
    log Filed(
        batch=batch, root=root, count=count, snapshot=snapshot, seed_block=block.number + TERMS.seed_blocks
    )
    return batch


@internal
def _burn_clerk(case: bytes32, hearing: uint256):
    id: bytes32 = keccak256(abi_encode(case, hearing))
    assert not self.burned_for[id], "court: the clerk has paid for it"
    amount: uint256 = self.clerk_bond
    assert amount != 0, "court: the clerk has no bond"
    self.burned_for[id] = True
    self.clerk_bond = 0
    log ClerkBurned(case=case, hearing=hearing, by=msg.sender, amount=amount)
    extcall Frac(FRAC).burn(amount)


@internal
def _take(token: address, amount: uint256):
    assert extcall IERC20(token).transferFrom(msg.sender, self, amount), "court: the token was not paid"


@internal
def _give(token: address, receiver: address, amount: uint256):
    assert extcall IERC20(token).transfer(receiver, amount), "court: the token was not paid out"
