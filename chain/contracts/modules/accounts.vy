# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title The owner's side of the escrow
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice What wallets have in the escrow: deposits, balances, the limits that they set, withdrawals. Everything here is the
        owner's to do, or done by the owner's signature. What the contract around it does to balances goes by
        `_take_entry`, `_untake_entry`, `_credit` and `_add_claim`, and by nothing else.
@dev Amounts are micro-dollars: uint64 in calls, 60 bits in an account, which is a million million dollars, more than
     there are. So an account is one storage slot, its limits another, its withdrawal a third. The account's slot has
     a short form of the limits besides, so that an opening rarely needs to read the limits' own (2,100 gas).
     Time is unix seconds, a day is a UTC day.
"""


from ethereum.ercs import IERC20


from snekmate.utils import ecdsa


from snekmate.utils import eip712_domain_separator
initializes: eip712_domain_separator


from . import slots


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


_DAY: constant(uint256) = 86_400
_LIMITS: constant(bytes32) = keccak256(
    "Limits(address owner,uint64 max_entry,uint64 daily_cap,uint64 expires,uint64 nonce)"
)


# @dev An account's slot, from its lowest bit: `balance` (60 bits), `claimed` (60), the short form of the limits (59),
#      `spent` (60), `day` (17: until the year 2328). The constants say where each begins.
_CLAIMED: constant(uint256) = 60
_SHORT: constant(uint256) = 120
_SPENT: constant(uint256) = 179
_DAY_OF: constant(uint256) = 239
_AMOUNT: constant(uint256) = 2 ** 60 - 1


# @dev The short form: `max_entry` in whole cents (20 bits), `daily_cap` in whole cents (23), the UTC day of `expires`
#      (16). Each is rounded down, and is the highest that its bits hold where there is more: so what the short form
#      allows, the limits allow. What it does not allow they may allow still, and they are asked.
_SHORT_CAP: constant(uint256) = _SHORT + 20
_SHORT_EXPIRES: constant(uint256) = _SHORT + 43
_HIGHEST_ENTRY: constant(uint256) = 2 ** 20 - 1
_HIGHEST_CAP: constant(uint256) = 2 ** 23 - 1
_HIGHEST_EXPIRES: constant(uint256) = 2 ** 16 - 1
_SHORT_FORM: constant(uint256) = (2 ** 59 - 1) << _SHORT
_CENT: constant(uint256) = 10_000


# @notice Why an opening was refused.
REFUSED_KNOWN: public(constant(uint8)) = 1  # the session has been opened before: whatever came of it stands
REFUSED_ENTRY: public(constant(uint8)) = 2  # the entry is above what the owner allows for one session
REFUSED_EXPIRED: public(constant(uint8)) = 3  # the owner's limits have expired
REFUSED_DAY: public(constant(uint8)) = 4  # the day's cap would be exceeded
REFUSED_BALANCE: public(constant(uint8)) = 5  # the balance is too low


# @notice The token that is held.
USDC: public(immutable(address))


# @notice Seconds between asking for a withdrawal and taking it: longer than the longest session.
WITHDRAWAL_DELAY: public(immutable(uint256))


# @notice USDC that has come by deposits and not left by withdrawals, micros. The token's balance of this contract is
#         this, and whatever somebody has sent here besides.
held: public(uint256)


# @notice Whether deposits, openings and epochs are stopped. Nothing else ever is.
paused: public(bool)


_accounts: HashMap[address, uint256]
_limits: HashMap[address, uint256]
_withdrawals: HashMap[address, uint256]


event Deposited:
    owner: indexed(address)
    amount: uint64


event LimitsSet:
    owner: indexed(address)
    max_entry: uint64
    daily_cap: uint64
    expires: uint64
    nonce: uint64


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


@deploy
def __init__(usdc: address, withdrawal_delay: uint256, longest_wait: uint256):
    """
    @param usdc The token.
    @param withdrawal_delay Seconds.
    @param longest_wait The most that it may be.
    """
    assert usdc.is_contract, "escrow: the token is not a contract"
    assert withdrawal_delay > 0 and withdrawal_delay <= longest_wait, "escrow: a delay of 1 s to 30 days"
    USDC = usdc
    WITHDRAWAL_DELAY = withdrawal_delay
    eip712_domain_separator.__init__("Agon", "1")


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
    self._limits[owner] = slots._packed(max_entry, daily_cap, expires, nonce)
    short: uint256 = self._short_form(max_entry, daily_cap, expires)
    self._accounts[owner] = (self._accounts[owner] & ~_SHORT_FORM) | short
    log LimitsSet(owner=owner, max_entry=max_entry, daily_cap=daily_cap, expires=expires, nonce=nonce)


# Money out


@external
def request_withdrawal(amount: uint64):
    """
    @notice Takes money out of the caller's balance, to be withdrawn after WITHDRAWAL_DELAY. What was requested
            before and not taken waits anew with it.
    @param amount Micros, above zero.
    """
    account: uint256 = self._accounts[msg.sender]
    assert amount > 0, "escrow: nothing to withdraw"
    assert convert(amount, uint256) <= (account & _AMOUNT), "escrow: the balance is too low"
    self._accounts[msg.sender] = account - convert(amount, uint256)
    total: uint64 = self._withdrawal_of(msg.sender).amount + amount
    ready_at: uint64 = convert(block.timestamp + WITHDRAWAL_DELAY, uint64)
    self._withdrawals[msg.sender] = slots._packed(total, ready_at, 0, 0)
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


# For the contract around it


@internal
def _take_entry(owner: address, entry: uint256, today: uint256) -> uint8:
    """
    @dev Takes an entry from one owner, within the limits. It works on the packed slot, as it runs for each seat of each
         session: what is in the balance, and what may be spent in a day, cannot run over into the next field.
    @return 0, or why nothing was taken.
    """
    account: uint256 = self._accounts[owner]
    if account >> _DAY_OF != today:
        # A new day: nothing is spent of it yet.
        account = (account & (2 ** _SPENT - 1)) | (today << _DAY_OF)
    spent: uint256 = ((account >> _SPENT) & _AMOUNT) + entry
    if not self._surely_allowed(account, entry, spent, today):
        refusal: uint8 = self._why_not(owner, entry, spent)
        if refusal != 0:
            return refusal
    if entry > (account & _AMOUNT):
        return REFUSED_BALANCE
    self._accounts[owner] = unsafe_add(unsafe_sub(account, entry), entry << _SPENT)
    return 0


@internal
@pure
def _surely_allowed(account: uint256, entry: uint256, spent: uint256, today: uint256) -> bool:
    """
    @dev What the short form of the limits says.
    @param account The slot.
    @param entry Micros.
    @param spent Micros of the day, with this entry.
    @param today The UTC day. On the very day of `expires` the second counts, which the limits alone know.
    @return True only where the limits allow it.
    """
    return (
        today < ((account >> _SHORT_EXPIRES) & _HIGHEST_EXPIRES)
        and entry <= unsafe_mul((account >> _SHORT) & _HIGHEST_ENTRY, _CENT)
        and spent <= unsafe_mul((account >> _SHORT_CAP) & _HIGHEST_CAP, _CENT)
    )


@internal
@view
def _why_not(owner: address, entry: uint256, spent: uint256) -> uint8:
    """
    @dev What the limits themselves say of an entry, with which so much is spent of the day.
    @return 0, or why they do not allow it.
    """
    limits: Limits = self._limits_of(owner)
    if entry > convert(limits.max_entry, uint256):
        return REFUSED_ENTRY
    if block.timestamp > convert(limits.expires, uint256):
        return REFUSED_EXPIRED
    # An account counts no further than that.
    if spent > min(convert(limits.daily_cap, uint256), _AMOUNT):
        return REFUSED_DAY
    return 0


@internal
def _untake_entry(owner: address, entry: uint256):
    """
    @dev Undoes `_take_entry`, in the same transaction.
    """
    self._accounts[owner] = self._accounts[owner] + entry - (entry << _SPENT)


@internal
def _credit(owner: address, amount: uint64):
    """
    @dev Adds to a balance. What it reverts for does not come: all balances together are at most `held`, which is at
         most what there is of the token. So no owner can make a batch of refunds fail.
    """
    self._accounts[owner] = self._with_credit(self._accounts[owner], convert(amount, uint256))


@internal
def _add_claim(owner: address, cumulative: uint64) -> uint64:
    """
    @dev Credits what has been allotted to an owner since the beginning and not been claimed. Whether it has been allotted is
         for the caller to check.
    @return How much, micros; 0 if it has been claimed.
    """
    account: uint256 = self._accounts[owner]
    allotted: uint256 = convert(cumulative, uint256)
    claimed: uint256 = (account >> _CLAIMED) & _AMOUNT
    if allotted <= claimed:
        return 0
    assert allotted <= _AMOUNT, "escrow: more than an account can hold"
    amount: uint256 = allotted - claimed
    self._accounts[owner] = unsafe_add(self._with_credit(account, amount), amount << _CLAIMED)
    return convert(amount, uint64)


# Slots


@internal
@view
def _account_of(owner: address) -> Account:
    """
    @dev An owner's account, unpacked.
    """
    slot: uint256 = self._accounts[owner]
    return Account(
        balance=convert(slot & _AMOUNT, uint64), claimed=convert((slot >> _CLAIMED) & _AMOUNT, uint64),
        spent=convert((slot >> _SPENT) & _AMOUNT, uint64), day=convert(slot >> _DAY_OF, uint64),
    )


@internal
@pure
def _with_credit(account: uint256, amount: uint256) -> uint256:
    """
    @dev An account's slot with so much more in the balance. Reverts where it would run over into the next field.
    """
    assert (account & _AMOUNT) + amount <= _AMOUNT, "escrow: more than an account can hold"
    return unsafe_add(account, amount)


@internal
@pure
def _short_form(max_entry: uint64, daily_cap: uint64, expires: uint64) -> uint256:
    """
    @dev The short form of limits, where it lies in an account's slot.
    """
    return (
        (min(convert(max_entry, uint256) // _CENT, _HIGHEST_ENTRY) << _SHORT)
        | (min(convert(daily_cap, uint256) // _CENT, _HIGHEST_CAP) << _SHORT_CAP)
        | (min(convert(expires, uint256) // _DAY, _HIGHEST_EXPIRES) << _SHORT_EXPIRES)
    )


@internal
@view
def _limits_of(owner: address) -> Limits:
    """
    @dev An owner's limits, unpacked.
    """
    slot: uint256 = self._limits[owner]
    return Limits(
        max_entry=slots._field(slot, 0), daily_cap=slots._field(slot, 64),
        expires=slots._field(slot, 128), nonce=slots._field(slot, 192),
    )


@internal
@view
def _withdrawal_of(owner: address) -> Withdrawal:
    """
    @dev An owner's withdrawal, unpacked.
    """
    slot: uint256 = self._withdrawals[owner]
    return Withdrawal(amount=slots._field(slot, 0), ready_at=slots._field(slot, 64))
