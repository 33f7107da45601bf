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
@dev Amounts are uint64 micro-dollars: up to 18 million million dollars, more than there are. That makes an
     account one storage slot, limits another, and a session a third. Time is unix seconds, a day is a UTC day.
     There is no proxy: a new version is a new deployment, to which owners move by withdrawing.
     USDC that is sent here by a plain transfer belongs to nobody and stays: deposit instead.
"""


from ethereum.ercs import IERC20


from snekmate.utils import ecdsa


from snekmate.utils import eip712_domain_separator
initializes: eip712_domain_separator


from snekmate.utils import merkle_proof_verification


from snekmate.auth import ownable
initializes: ownable


from snekmate.auth import ownable_2step
initializes: ownable_2step[ownable := ownable]


from modules import roles
initializes: roles[ownable := ownable]


exports: (
    eip712_domain_separator.eip712Domain,
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


interface IUSDC:
    def receiveWithAuthorization(
        owner: address, to: address, amount: uint256, valid_after: uint256, valid_before: uint256, nonce: bytes32,
        v: uint8, r: bytes32, s: bytes32
    ): nonpayable


struct Account:
    # Micros that may be spent on entries or withdrawn.
    balance: uint64
    # Micros claimed since the beginning.
    claimed: uint64
    # Micros that entries have taken on `day`.
    spent: uint64
    # The last UTC day on which an entry was taken: unix seconds / 86400.
    day: uint64


struct Limits:
    # The most that one session may take, micros.
    max_entry: uint64
    # The most that all sessions of one UTC day may take, micros.
    daily_cap: uint64
    # The last unix second at which an entry may be taken.
    expires: uint64
    # Limits replace only those of a lower nonce.
    nonce: uint64


struct Withdrawal:
    # Micros on their way out; they have left the balance.
    amount: uint64
    # The unix second from which they can be taken.
    ready_at: uint64


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
_LIMITS: constant(bytes32) = keccak256(
    "Limits(address owner,uint64 max_entry,uint64 daily_cap,uint64 expires,uint64 nonce)"
)


# @dev Four uint64 in a slot, the first field lowest.
_LOW: constant(uint256) = 2 ** 64 - 1
_SPENT: constant(uint256) = 128
_DAY_OF: constant(uint256) = 192


# @dev A session's slot: opened_at in the lowest 40 bits, its state in the next 8, above them the first 208 bits of
#      keccak256(abi.encode(entry, owners)).
_TIME: constant(uint256) = 2 ** 40 - 1
_COMMITMENT: constant(uint256) = max_value(uint256) - (2 ** 48 - 1)
_STATE: constant(uint256) = 255 << 40
_OPEN: constant(uint256) = 1 << 40
_SETTLED: constant(uint256) = 2 << 40
_REFUNDED: constant(uint256) = 3 << 40


# @notice Why an opening was refused.
REFUSED_KNOWN: public(constant(uint8)) = 1  # the session has been opened before: whatever came of it stands
REFUSED_ENTRY: public(constant(uint8)) = 2  # the entry is above what the owner allows for one session
REFUSED_EXPIRED: public(constant(uint8)) = 3  # the owner's limits have expired
REFUSED_DAY: public(constant(uint8)) = 4  # the day's cap would be exceeded
REFUSED_BALANCE: public(constant(uint8)) = 5  # the balance is too low


# @notice The role that opens sessions and closes epochs.
SETTLER: public(constant(bytes32)) = keccak256("settler")


# @notice The role that pauses deposits, openings and epochs.
GUARDIAN: public(constant(bytes32)) = keccak256("guardian")


# @notice The token that is held.
USDC: public(immutable(address))


# @notice Seconds between asking for a withdrawal and taking it: longer than the longest session.
WITHDRAWAL_DELAY: public(immutable(uint256))


# @notice Seconds after its opening until which a session can be settled, and from which anybody can refund it.
REFUND_AFTER: public(immutable(uint256))


# @notice USDC that has come by deposits and not left by withdrawals, micros. The token's balance of this contract is
#         this, and whatever somebody has sent here besides.
held: public(uint256)


# @notice Whether deposits, openings and epochs are stopped. Nothing else ever is.
paused: public(bool)


# @notice The root over what each owner has been allotted: leaves are
#         keccak256(keccak256(abi.encode(owner, cumulative))), pairs are sorted (OpenZeppelin's StandardMerkleTree).
payout_root: public(bytes32)


# @notice The root over the results of an epoch, by its number.
result_root: public(HashMap[uint64, bytes32])


_books: uint256
_accounts: HashMap[address, uint256]
_limits: HashMap[address, uint256]
_withdrawals: HashMap[address, uint256]
_sessions: HashMap[bytes32, uint256]


event Deposited:
    owner: indexed(address)
    amount: uint64


event LimitsSet:
    owner: indexed(address)
    max_entry: uint64
    daily_cap: uint64
    expires: uint64
    nonce: uint64


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


event WithdrawalRequested:
    owner: indexed(address)
    amount: uint64
    total: uint64
    ready_at: uint64


event WithdrawalCancelled:
    owner: indexed(address)
    amount: uint64


event Withdrawn:
    owner: indexed(address)
    to: indexed(address)
    amount: uint64


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
    assert usdc.is_contract, "escrow: the token is not a contract"
    assert withdrawal_delay > 0 and withdrawal_delay <= LONGEST_WAIT, "escrow: a delay of 1 s to 30 days"
    assert refund_after > 0 and refund_after <= LONGEST_WAIT, "escrow: a time-out of 1 s to 30 days"
    USDC = usdc
    WITHDRAWAL_DELAY = withdrawal_delay
    REFUND_AFTER = refund_after
    eip712_domain_separator.__init__("Agon", "1")
    ownable.__init__()
    ownable_2step.__init__()
    roles.__init__()


# Money in


@external
def deposit(amount: uint64):
    """
    @notice Takes USDC that the caller has approved into the caller's balance.
    @param amount Micros.
    """
    self._pull(msg.sender, amount)


@external
def deposit_with_permit(amount: uint64, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice As `deposit`, with the approval (EIP-2612) in the same call. A permit that somebody else has brought
            already does no harm: what counts is the allowance. Only for the caller's own money, or anybody could
            move into the escrow what an owner has approved and not yet deposited.
    @param amount Micros.
    @param deadline Of the permit, unix seconds.
    @param v Of the permit's signature.
    @param r Of the permit's signature.
    @param s Of the permit's signature.
    """
    tried: bool = raw_call(
        USDC,
        abi_encode(
            msg.sender, self, convert(amount, uint256), deadline, v, r, s,
            method_id=method_id("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
        ),
        revert_on_failure=False,
    )
    self._pull(msg.sender, amount)


@external
def deposit_with_authorization(
    owner: address, amount: uint64, valid_after: uint256, valid_before: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Takes USDC by its owner's EIP-3009 signature of `ReceiveWithAuthorization` into the owner's balance.
            Anybody may bring it and pay the gas: it can go nowhere else.
    @param owner Who signed; whose money; whose balance.
    @param amount Micros.
    @param valid_after Unix seconds.
    @param valid_before Unix seconds.
    @param nonce Of the authorization.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature.
    """
    before: uint256 = self._begin_deposit()
    extcall IUSDC(USDC).receiveWithAuthorization(
        owner, self, convert(amount, uint256), valid_after, valid_before, nonce, v, r, s
    )
    self._end_deposit(owner, amount, before)


@internal
def _pull(owner: address, amount: uint64):
    """
    @dev A deposit by allowance.
    """
    before: uint256 = self._begin_deposit()
    assert extcall IERC20(USDC).transferFrom(owner, self, convert(amount, uint256), default_return_value=True)
    self._end_deposit(owner, amount, before)


@internal
@view
def _begin_deposit() -> uint256:
    """
    @dev What the contract holds before the money comes.
    """
    assert not self.paused, "escrow: paused"
    return staticcall IERC20(USDC).balanceOf(self)


@internal
def _end_deposit(owner: address, amount: uint64, before: uint256):
    """
    @dev Credits what has come, and only if it is what was said: a token that takes a fee has no place here.
    """
    assert staticcall IERC20(USDC).balanceOf(self) == before + convert(amount, uint256), "escrow: another amount came"
    self.held += convert(amount, uint256)
    self._credit(owner, amount)
    log Deposited(owner=owner, amount=amount)


# Limits


@external
def set_limits(max_entry: uint64, daily_cap: uint64, expires: uint64, nonce: uint64):
    """
    @notice Sets the caller's limits: nothing is taken for sessions beyond them. Zero caps stop all sessions.
    @param max_entry The most that one session may take, micros.
    @param daily_cap The most that all sessions of one UTC day may take, micros.
    @param expires The last unix second at which an entry may be taken.
    @param nonce Above that of every limits that the owner has ever signed, or those could still be brought; the time
                 in milliseconds serves.
    """
    self._set_limits(msg.sender, max_entry, daily_cap, expires, nonce)


@external
def set_limits_by_signature(
    owner: address, max_entry: uint64, daily_cap: uint64, expires: uint64, nonce: uint64,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Sets an owner's limits by the owner's EIP-712 signature of `Limits`. Anybody may bring it.
    @param owner Who signed.
    @param max_entry As in `set_limits`.
    @param daily_cap As in `set_limits`.
    @param expires As in `set_limits`.
    @param nonce As in `set_limits`.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature, in the lower half of its range.
    """
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(_LIMITS, owner, max_entry, daily_cap, expires, nonce))
    )
    signer: address = ecdsa._recover_vrs(digest, convert(v, uint256), convert(r, uint256), convert(s, uint256))
    assert signer == owner, "escrow: the owner has not signed these limits"
    self._set_limits(owner, max_entry, daily_cap, expires, nonce)


@internal
def _set_limits(owner: address, max_entry: uint64, daily_cap: uint64, expires: uint64, nonce: uint64):
    """
    @dev Of whom this is sure to be the will.
    """
    assert nonce > self._limits_of(owner).nonce, "escrow: limits of this nonce or a higher one are set"
    self._limits[owner] = self._packed(max_entry, daily_cap, expires, nonce)
    log LimitsSet(owner=owner, max_entry=max_entry, daily_cap=daily_cap, expires=expires, nonce=nonce)


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
    assert not self.paused, "escrow: paused"
    today: uint256 = block.timestamp // _DAY
    for session: Session in sessions:
        assert session.entry > 0 and len(session.owners) > 0, "escrow: a session has an entry and owners"
        if self._sessions[session.id] != 0:
            log Refused(session=session.id, owner=empty(address), reason=REFUSED_KNOWN)
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
        refusal: uint8 = self._take_entry(owner, entry, today)
        if refusal != 0:
            for seat: uint256 in range(taken, bound=MAX_SEATS):
                account: uint256 = self._accounts[session.owners[seat]]
                self._accounts[session.owners[seat]] = account + entry - (entry << _SPENT)
            log Refused(session=session.id, owner=owner, reason=refusal)
            return False
        taken += 1
    return True


@internal
def _take_entry(owner: address, entry: uint256, today: uint256) -> uint8:
    """
    @dev Takes an entry from one owner, within the limits. It works on packed slots, as it runs for each seat of each
         session: what fits into a balance and a day's cap cannot run over into the next field.
    @return 0, or why nothing was taken.
    """
    limits: uint256 = self._limits[owner]
    if entry > (limits & _LOW):
        return REFUSED_ENTRY
    if block.timestamp > ((limits >> 128) & _LOW):
        return REFUSED_EXPIRED
    account: uint256 = self._accounts[owner]
    if account >> _DAY_OF != today:
        # A new day: nothing is spent of it yet.
        account = (account & (2 ** _SPENT - 1)) | (today << _DAY_OF)
    if ((account >> _SPENT) & _LOW) + entry > ((limits >> 64) & _LOW):
        return REFUSED_DAY
    if entry > (account & _LOW):
        return REFUSED_BALANCE
    self._accounts[owner] = unsafe_add(unsafe_sub(account, entry), entry << _SPENT)
    return 0


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
    assert not self.paused, "escrow: paused"
    books: Books = self._all_books()
    assert epoch == books.epoch + 1, "escrow: not the next epoch"
    settled: DynArray[bytes32, MAX_SESSIONS] = []
    for session: Session in sessions:
        opened_at: uint256 = self._require_open(session)
        assert block.timestamp < opened_at + REFUND_AFTER, "escrow: the session's time is over"
        self._mark(session.id, _SETTLED)
        books.settled += session.entry * convert(len(session.owners), uint64)
        settled.append(session.id)
    assert allotted >= books.allotted, "escrow: an allotment cannot be taken back"
    assert allotted <= books.settled, "escrow: more allotted than settled"
    self._books = self._packed(books.settled, allotted, books.claimed, epoch)
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
        opened_at: uint256 = self._require_open(session)
        assert settler or block.timestamp >= opened_at + REFUND_AFTER, "escrow: too early for a refund"
        self._mark(session.id, _REFUNDED)
        for owner: address in session.owners:
            self._credit(owner, session.entry)
        log Refunded(session=session.id, entry=session.entry, owners=session.owners)


@internal
@view
def _require_open(session: Session) -> uint256:
    """
    @dev Reverts unless this very session, with these entries, is open.
    @return When it was opened, unix seconds.
    """
    slot: uint256 = self._sessions[session.id]
    assert (slot & _STATE) == _OPEN, "escrow: the session is not open"
    assert (slot & _COMMITMENT) == self._commitment(session), "escrow: not as it was opened"
    return slot & _TIME


@internal
def _mark(id: bytes32, state: uint256):
    """
    @dev Replaces an open session's state, for good.
    """
    self._sessions[id] = (self._sessions[id] ^ _OPEN) | state


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
    account: Account = self._account_of(owner)
    if cumulative <= account.claimed:
        return 0
    amount: uint64 = cumulative - account.claimed
    self._accounts[owner] = self._packed(account.balance + amount, cumulative, account.spent, account.day)
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
    self._books = self._packed(books.settled, books.allotted, claimed, books.epoch)


# Money out


@external
def request_withdrawal(amount: uint64):
    """
    @notice Takes money out of the caller's balance, to be withdrawn after WITHDRAWAL_DELAY. What was requested
            before and not taken waits anew with it.
    @param amount Micros, above zero.
    """
    account: Account = self._account_of(msg.sender)
    assert amount > 0, "escrow: nothing to withdraw"
    assert amount <= account.balance, "escrow: the balance is too low"
    self._accounts[msg.sender] = self._packed(account.balance - amount, account.claimed, account.spent, account.day)
    total: uint64 = self._withdrawal_of(msg.sender).amount + amount
    ready_at: uint64 = convert(block.timestamp + WITHDRAWAL_DELAY, uint64)
    self._withdrawals[msg.sender] = self._packed(total, ready_at, 0, 0)
    log WithdrawalRequested(owner=msg.sender, amount=amount, total=total, ready_at=ready_at)


@external
def cancel_withdrawal():
    """
    @notice Puts what the caller has requested and not taken back into the balance.
    """
    amount: uint64 = self._withdrawal_of(msg.sender).amount
    assert amount > 0, "escrow: nothing to withdraw"
    self._withdrawals[msg.sender] = 0
    self._credit(msg.sender, amount)
    log WithdrawalCancelled(owner=msg.sender, amount=amount)


@external
def withdraw(to: address) -> uint64:
    """
    @notice Pays what the caller has requested, once the delay is over. Nothing can stop it but USDC itself: to a
            wallet that its issuer has blocked nothing can be paid, and the owner names another.
    @param to Who receives it.
    @return How much, micros.
    """
    assert to != empty(address) and to != self, "escrow: not a wallet"
    withdrawal: Withdrawal = self._withdrawal_of(msg.sender)
    assert withdrawal.amount > 0, "escrow: nothing to withdraw"
    assert block.timestamp >= convert(withdrawal.ready_at, uint256), "escrow: the delay is not over"
    self._withdrawals[msg.sender] = 0
    self.held -= convert(withdrawal.amount, uint256)
    log Withdrawn(owner=msg.sender, to=to, amount=withdrawal.amount)
    assert extcall IERC20(USDC).transfer(to, convert(withdrawal.amount, uint256), default_return_value=True)
    return withdrawal.amount


# The pause


@external
def set_paused(paused: bool):
    """
    @notice Stops or starts deposits, openings and epochs. Only the guardian. Sessions that are open when it stops
            are refunded once their time is over.
    @param paused Whether they are stopped.
    """
    assert roles._holds(GUARDIAN, msg.sender), "escrow: caller is not the guardian"
    self.paused = paused
    log PauseSet(paused=paused)


# What stands here


@external
@view
def account_of(owner: address) -> Account:
    """
    @notice An owner's balance, what was claimed, and what the last day's sessions took.
    """
    return self._account_of(owner)


@external
@view
def limits_of(owner: address) -> Limits:
    """
    @notice An owner's limits; all zero if there never were any.
    """
    return self._limits_of(owner)


@external
@view
def withdrawal_of(owner: address) -> Withdrawal:
    """
    @notice What an owner has requested and not taken.
    """
    return self._withdrawal_of(owner)


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


# Slots


@internal
def _credit(owner: address, amount: uint64):
    """
    @dev Adds to a balance.
    """
    account: Account = self._account_of(owner)
    self._accounts[owner] = self._packed(account.balance + amount, account.claimed, account.spent, account.day)


@internal
@view
def _account_of(owner: address) -> Account:
    """
    @dev An owner's account, unpacked.
    """
    slot: uint256 = self._accounts[owner]
    return Account(
        balance=self._field(slot, 0), claimed=self._field(slot, 64), spent=self._field(slot, 128), day=self._field(slot, 192)
    )


@internal
@view
def _limits_of(owner: address) -> Limits:
    """
    @dev An owner's limits, unpacked.
    """
    slot: uint256 = self._limits[owner]
    return Limits(
        max_entry=self._field(slot, 0), daily_cap=self._field(slot, 64),
        expires=self._field(slot, 128), nonce=self._field(slot, 192),
    )


@internal
@view
def _withdrawal_of(owner: address) -> Withdrawal:
    """
    @dev An owner's withdrawal, unpacked.
    """
    slot: uint256 = self._withdrawals[owner]
    return Withdrawal(amount=self._field(slot, 0), ready_at=self._field(slot, 64))


@internal
@view
def _all_books() -> Books:
    """
    @dev The sums, unpacked.
    """
    slot: uint256 = self._books
    return Books(
        settled=self._field(slot, 0), allotted=self._field(slot, 64),
        claimed=self._field(slot, 128), epoch=self._field(slot, 192),
    )


@internal
@pure
def _field(slot: uint256, place: uint256) -> uint64:
    """
    @dev 64 bits of a slot, from `place` upwards.
    """
    return convert((slot >> place) & _LOW, uint64)


@internal
@pure
def _packed(first: uint64, second: uint64, third: uint64, fourth: uint64) -> uint256:
    """
    @dev Four numbers in one slot, the first lowest.
    """
    return (
        convert(first, uint256) | (convert(second, uint256) << 64)
        | (convert(third, uint256) << 128) | (convert(fourth, uint256) << 192)
    )
