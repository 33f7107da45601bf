# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Agon's escrow
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Holds the USDC of everybody who plays for money. It knows owners (wallets) and sessions, never agents.

        An owner deposits, signs limits, and plays: the settler opens sessions, which take entries from balances
        within those limits, and closes epochs, which settle sessions and publish a Merkle root over what each
        owner has been allotted since the beginning. Anybody may bring an owner's proof, which adds to the balance.
        An owner withdraws in two steps with a delay between them.

        What holds whoever has the keys of settler, guardian and admin:
        - a balance pays entries within the owner's limits, and the owner's withdrawals, and nothing else;
        - a session is settled or refunded, once; one that has not been settled in time is refunded by anybody;
        - epochs allot no more than the pots that they have settled, and claims take no more than is allotted;
        - nobody can stop withdrawals, claims or refunds (but USDC's issuer can stop USDC).
@dev Balances, limits and withdrawals are in `modules/accounts.vy`; sessions, epochs and claims are here.
     Amounts are uint64 micro-dollars, time is unix seconds. A session is one storage slot.
     There is no proxy: a new version is a new deployment, to which owners move by withdrawing.
     USDC that is sent here by a plain transfer belongs to nobody and stays: deposit instead.
"""


from snekmate.auth import ownable
initializes: ownable


from snekmate.auth import ownable_2step
initializes: ownable_2step[ownable := ownable]


from snekmate.utils import merkle_proof_verification


from modules import accounts
initializes: accounts


from modules import roles
initializes: roles[ownable := ownable]


from modules import slots


exports: (
    accounts.USDC,
    accounts.WITHDRAWAL_DELAY,
    accounts.REFUSED_BALANCE,
    accounts.REFUSED_DAY,
    accounts.REFUSED_ENTRY,
    accounts.REFUSED_EXPIRED,
    accounts.REFUSED_KNOWN,
    accounts.account_of,
    accounts.cancel_withdrawal,
    accounts.deposit,
    accounts.deposit_with_authorization,
    accounts.deposit_with_permit,
    accounts.eip712_domain_separator.eip712Domain,
    accounts.held,
    accounts.limits_of,
    accounts.paused,
    accounts.request_withdrawal,
    accounts.set_limits,
    accounts.set_limits_by_signature,
    accounts.withdraw,
    accounts.withdrawal_of,
    ownable_2step.accept_ownership,
    ownable_2step.owner,
    ownable_2step.pending_owner,
    ownable_2step.transfer_ownership,
    roles.offer_role,
    roles.revoke_role,
    roles.role_holder,
    roles.role_offered,
    roles.take_role,
)


struct Books:
    # Pots of all sessions that were settled, micros.
    settled: uint64
    # What all epochs have allotted to owners, micros: at most `settled`.
    allotted: uint64
    # What owners have claimed, micros: at most `allotted`.
    claimed: uint64
    # The number of the last epoch; 0 before the first.
    epoch: uint64


struct Session:
    # SHA-256 of the text of the session's ULID.
    id: bytes32
    # What each seat pays, micros.
    entry: uint64
    # The wallet behind each seat, in the order of seats.
    owners: DynArray[address, MAX_SEATS]


struct Allotment:
    owner: address
    # All that the owner has been allotted since the beginning, micros.
    cumulative: uint64


# @dev Bounds of one call. A tree of pay-outs has at most 2 ** MAX_DEPTH leaves.
MAX_SESSIONS: constant(uint256) = 256
MAX_SEATS: constant(uint256) = 8
MAX_CLAIMS: constant(uint256) = 128
MAX_DEPTH: constant(uint256) = 24
MAX_NODES: constant(uint256) = 255


# @dev The longest that a deployment may make owners wait: for a withdrawal, or for a refund.
LONGEST_WAIT: constant(uint256) = 30 * 86_400


_DAY: constant(uint256) = 86_400


# @dev A session's slot: opened_at in the lowest 40 bits, its state in the next 8, above them the first 208 bits of
#      keccak256(abi.encode(entry, owners)).
_TIME: constant(uint256) = 2 ** 40 - 1
_COMMITMENT: constant(uint256) = max_value(uint256) - (2 ** 48 - 1)
_STATE: constant(uint256) = 255 << 40
_OPEN: constant(uint256) = 1 << 40
_SETTLED: constant(uint256) = 2 << 40
_REFUNDED: constant(uint256) = 3 << 40


# @notice The role that opens sessions and closes epochs.
SETTLER: public(constant(bytes32)) = keccak256("settler")


# @notice The role that pauses deposits, openings and epochs.
GUARDIAN: public(constant(bytes32)) = keccak256("guardian")


# @notice Seconds after its opening until which a session can be settled, and from which anybody can refund it.
REFUND_AFTER: public(immutable(uint256))


# @notice The root over what each owner has been allotted: leaves are
#         keccak256(keccak256(abi.encode(owner, cumulative))), pairs are sorted (OpenZeppelin's StandardMerkleTree).
payout_root: public(bytes32)


# @notice The root over the results of an epoch, by its number.
result_root: public(HashMap[uint64, bytes32])


_books: uint256
_sessions: HashMap[bytes32, uint256]


event Opened:
    session: indexed(bytes32)
    entry: uint64
    owners: DynArray[address, MAX_SEATS]


event Refused:
    session: indexed(bytes32)
    owner: indexed(address)
    reason: uint8


event EpochClosed:
    epoch: indexed(uint64)
    result_root: bytes32
    payout_root: bytes32
    settled: uint64
    allotted: uint64
    sessions: DynArray[bytes32, MAX_SESSIONS]


event Claimed:
    owner: indexed(address)
    amount: uint64
    cumulative: uint64


event Refunded:
    session: indexed(bytes32)
    entry: uint64
    owners: DynArray[address, MAX_SEATS]


event PauseSet:
    paused: bool


@deploy
def __init__(usdc: address, withdrawal_delay: uint256, refund_after: uint256):
    """
    @dev The deployer is the admin, and offers the roles of settler and guardian to those who take them.
    @param usdc The token.
    @param withdrawal_delay Seconds, at most 30 days.
    @param refund_after Seconds, at most 30 days.
    """
    assert refund_after > 0 and refund_after <= LONGEST_WAIT, "escrow: a time-out of 1 s to 30 days"
    REFUND_AFTER = refund_after
    accounts.__init__(usdc, withdrawal_delay, LONGEST_WAIT)
    ownable.__init__()
    ownable_2step.__init__()
    roles.__init__()


# Sessions


@external
def open_sessions(sessions: DynArray[Session, MAX_SESSIONS]):
    """
    @notice Takes the entries of sessions from their owners' balances. Only the settler. A session that one of its
            owners cannot or will not pay is refused and takes nothing, and the others are opened all the same: no
            owner can hold up a batch.
    @param sessions Each with an entry above zero and at least one owner.
    """
    assert roles._holds(SETTLER, msg.sender), "escrow: caller is not the settler"
    assert not accounts.paused, "escrow: paused"
    today: uint256 = block.timestamp // _DAY
    for session: Session in sessions:
        assert session.entry > 0 and len(session.owners) > 0, "escrow: a session has an entry and owners"
        if self._sessions[session.id] != 0:
            log Refused(session=session.id, owner=empty(address), reason=accounts.REFUSED_KNOWN)
        elif self._take_entries(session, today):
            self._sessions[session.id] = self._commitment(session) | _OPEN | block.timestamp
            log Opened(session=session.id, entry=session.entry, owners=session.owners)


@internal
def _take_entries(session: Session, today: uint256) -> bool:
    """
    @dev From all owners or from none. An owner may have several seats.
    @return Whether they were taken.
    """
    entry: uint256 = convert(session.entry, uint256)
    taken: uint256 = 0
    for owner: address in session.owners:
        refusal: uint8 = accounts._take_entry(owner, entry, today)
        if refusal != 0:
            for seat: uint256 in range(taken, bound=MAX_SEATS):
                accounts._untake_entry(session.owners[seat], entry)
            log Refused(session=session.id, owner=owner, reason=refusal)
            return False
        taken += 1
    return True


@external
def close_epoch(
    epoch: uint64, result_root: bytes32, payout_root: bytes32, allotted: uint64,
    sessions: DynArray[Session, MAX_SESSIONS]
):
    """
    @notice Settles sessions and replaces the root of what owners have been allotted. Only the settler. All or
            nothing: the root counts on every session. A session that is past its time-out cannot be settled any more.
    @param epoch The number after the last one's, so that an epoch sent twice closes once.
    @param result_root Over the results of these sessions, for anybody who checks (`agon-epoch/1`).
    @param payout_root Over what each owner has been allotted since the beginning.
    @param allotted The sum of that tree's leaves, micros: at most the pots of all sessions ever settled.
    @param sessions As they were opened.
    """
    assert roles._holds(SETTLER, msg.sender), "escrow: caller is not the settler"
    assert not accounts.paused, "escrow: paused"
    books: Books = self._all_books()
    assert epoch == books.epoch + 1, "escrow: not the next epoch"
    settled: DynArray[bytes32, MAX_SESSIONS] = []
    for session: Session in sessions:
        opened: uint256 = self._require_open(session)
        assert block.timestamp < (opened & _TIME) + REFUND_AFTER, "escrow: the session's time is over"
        # Replaces its state, for good.
        self._sessions[session.id] = (opened ^ _OPEN) | _SETTLED
        books.settled += session.entry * convert(len(session.owners), uint64)
        settled.append(session.id)
    assert allotted >= books.allotted, "escrow: an allotment cannot be taken back"
    assert allotted <= books.settled, "escrow: more allotted than settled"
    self._books = slots._packed(books.settled, allotted, books.claimed, epoch)
    self.payout_root = payout_root
    self.result_root[epoch] = result_root
    log EpochClosed(
        epoch=epoch, result_root=result_root, payout_root=payout_root, settled=books.settled, allotted=allotted,
        sessions=settled
    )


@external
def refund(sessions: DynArray[Session, MAX_SESSIONS]):
    """
    @notice Gives the entries of open sessions back to the balances they came from: by anybody once REFUND_AFTER has
            passed since the opening, by the settler at any time (a void session). Nothing can stop it. Sessions that
            are settled or refunded already are passed over, so that nobody can spoil the call by being faster.
    @param sessions As they were opened.
    """
    settler: bool = roles._holds(SETTLER, msg.sender)
    for session: Session in sessions:
        if (self._sessions[session.id] & _STATE) != _OPEN:
            continue
        opened: uint256 = self._require_open(session)
        assert settler or block.timestamp >= (opened & _TIME) + REFUND_AFTER, "escrow: too early for a refund"
        self._sessions[session.id] = (opened ^ _OPEN) | _REFUNDED
        for owner: address in session.owners:
            accounts._credit(owner, session.entry)
        log Refunded(session=session.id, entry=session.entry, owners=session.owners)


@internal
@view
def _require_open(session: Session) -> uint256:
    """
    @dev Reverts unless this very session, with these entries, is open.
    @return Its slot.
    """
    slot: uint256 = self._sessions[session.id]
    assert (slot & _STATE) == _OPEN, "escrow: the session is not open"
    assert (slot & _COMMITMENT) == self._commitment(session), "escrow: not as it was opened"
    return slot


@internal
@pure
def _commitment(session: Session) -> uint256:
    """
    @dev The upper 208 bits of a session's slot.
    """
    return convert(keccak256(abi_encode(session.entry, session.owners)), uint256) & _COMMITMENT


# Claims


@external
def claim(owner: address, cumulative: uint64, proof: DynArray[bytes32, MAX_DEPTH]) -> uint64:
    """
    @notice Adds to an owner's balance what epochs have allotted and the owner has not yet claimed. By anybody;
            nothing can stop it.
    @param owner Whose.
    @param cumulative All that the owner has been allotted since the beginning, micros, as the last epoch's tree says.
    @param proof Siblings from the owner's leaf to the root.
    @return What was added, micros.
    """
    leaf: bytes32 = self._leaf(owner, cumulative)
    assert merkle_proof_verification._verify(proof, self.payout_root, leaf), "escrow: not in the last epoch's root"
    amount: uint64 = self._claim(owner, cumulative)
    assert amount > 0, "escrow: nothing to claim"
    self._count_claims(amount)
    return amount


@external
def claim_many(
    allotments: DynArray[Allotment, MAX_CLAIMS], proof: DynArray[bytes32, MAX_NODES], flags: DynArray[bool, MAX_NODES]
) -> uint64:
    """
    @notice As `claim`, for many owners by one proof (OpenZeppelin's multi-proof). Those who have nothing to claim any
            more are passed over, so that nobody can spoil the call by being faster.
    @param allotments In the order of the tree's leaves, as the multi-proof wants them.
    @param proof The nodes that do not follow from the leaves.
    @param flags For each pair, whether both of its nodes follow from the leaves.
    @return What was added to all balances together, micros.
    """
    leaves: DynArray[bytes32, MAX_CLAIMS] = []
    amount: uint64 = 0
    for each: Allotment in allotments:
        leaves.append(self._leaf(each.owner, each.cumulative))
        amount += self._claim(each.owner, each.cumulative)
    assert merkle_proof_verification._multi_proof_verify(
        proof, flags, self.payout_root, leaves
    ), "escrow: not in the last epoch's root"
    self._count_claims(amount)
    return amount


@internal
@pure
def _leaf(owner: address, cumulative: uint64) -> bytes32:
    """
    @dev Hashed twice, so that no inner node can be passed off as a leaf.
    """
    return keccak256(keccak256(abi_encode(owner, cumulative)))


@internal
def _claim(owner: address, cumulative: uint64) -> uint64:
    """
    @dev Credits one owner with what a leaf says. Whether the leaf is in the tree is the caller's to check.
    @return How much, micros; 0 if it has been claimed.
    """
    amount: uint64 = accounts._add_claim(owner, cumulative)
    if amount > 0:
        log Claimed(owner=owner, amount=amount, cumulative=cumulative)
    return amount


@internal
def _count_claims(amount: uint64):
    """
    @dev A root's leaves may add up to more than the epoch said: then the last to come gets nothing, and neither
         balances nor open sessions pay for it.
    """
    books: Books = self._all_books()
    claimed: uint64 = books.claimed + amount
    assert claimed <= books.allotted, "escrow: more claimed than allotted"
    self._books = slots._packed(books.settled, books.allotted, claimed, books.epoch)


# The pause


@external
def set_paused(paused: bool):
    """
    @notice Stops or starts deposits, openings and epochs. Only the guardian. Sessions that are open when it stops
            are refunded once their time is over.
    @param paused Whether they are stopped.
    """
    assert roles._holds(GUARDIAN, msg.sender), "escrow: caller is not the guardian"
    accounts.paused = paused
    log PauseSet(paused=paused)


# What stands here


@external
@view
def books() -> Books:
    """
    @notice The sums over all epochs.
    """
    return self._all_books()


@external
@view
def session_state(id: bytes32) -> (uint8, uint64):
    """
    @notice Where a session stands.
    @return 0 unknown, 1 open, 2 settled, 3 refunded; and when it was opened, unix seconds.
    """
    slot: uint256 = self._sessions[id]
    return convert((slot & _STATE) >> 40, uint8), convert(slot & _TIME, uint64)


@internal
@view
def _all_books() -> Books:
    """
    @dev The sums, unpacked.
    """
    slot: uint256 = self._books
    return Books(
        settled=slots._field(slot, 0), allotted=slots._field(slot, 64),
        claimed=slots._field(slot, 128), epoch=slots._field(slot, 192),
    )


