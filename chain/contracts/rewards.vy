# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Rewards in FRAC
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Each epoch the publisher posts a Merkle root over what every account has earned in all epochs together, and anybody
        may bring an account what it has not had yet. Roots are of OpenZeppelin's StandardMerkleTree over
        (address, uint256): whoever misses an epoch misses nothing.
@dev What bounds a hostile publisher:
     - All claims together are never more than the total of the newest epoch that counts, which is never more than was funded.
     - A root counts after DELAY_S. Until then the guardian can veto it, and anybody can claim for everybody by the roots
       before it, so that what was earned before is out of its reach.
     - Roots of earlier epochs count for ever: leaving an account out of a new one takes no claim away while FRAC is left.
     Claims cannot be paused, and nobody can take out what was funded but by a root.
"""


from ethereum.ercs import IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.auth import ownable_2step
initializes: ownable_2step[ownable := ownable]


from snekmate.utils import merkle_proof_verification


from modules import roles
initializes: roles[ownable := ownable]


exports: (
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


# @dev May post the root of an epoch.
PUBLISHER: public(constant(bytes32)) = keccak256("publisher")


# @dev May veto a root that does not count yet.
GUARDIAN: public(constant(bytes32)) = keccak256("guardian")


# @dev From the posting of a root until it counts, in seconds.
DELAY_S: public(constant(uint256)) = 86_400


# @dev More siblings than any tree of accounts has levels.
_MAX_PROOF: constant(uint256) = 40


struct Epoch:
    root: bytes32
    # What its leaves add up to, as the publisher says, and what claims by it and all before it add up to at the most.
    total: uint256
    # From when on it counts (unix seconds).
    counts_at: uint256


FRAC: public(immutable(address))


# @dev How many epochs were posted and not vetoed; they count from 1.
epoch_count: public(uint256)
epochs: public(HashMap[uint256, Epoch])


# @dev What was paid in by `fund`, and what was paid out, in all and to an account.
funded: public(uint256)
claimed_total: public(uint256)
claimed: public(HashMap[address, uint256])


event Funded:
    payer: indexed(address)
    amount: uint256
    funded: uint256


event Posted:
    epoch: indexed(uint256)
    root: bytes32
    total: uint256
    counts_at: uint256


event Vetoed:
    epoch: indexed(uint256)
    root: bytes32


event Claimed:
    account: indexed(address)
    epoch: indexed(uint256)
    amount: uint256
    cumulative: uint256


@deploy
def __init__(frac: address):
    """
    @notice The deployer becomes the admin, and hands that on in two steps.
    @param frac The token that is paid out.
    """
    ownable.__init__()
    ownable_2step.__init__()
    roles.__init__()
    assert frac != empty(address) and frac.is_contract, "rewards: FRAC is no contract"
    FRAC = frac


@external
def fund(amount: uint256):
    """
    @notice Pays in FRAC that was approved. By anybody; it comes out by roots alone.
    @param amount FRAC, in its smallest unit.
    """
    assert amount != 0, "rewards: nothing to fund"
    self.funded += amount
    log Funded(payer=msg.sender, amount=amount, funded=self.funded)
    assert extcall IERC20(FRAC).transferFrom(msg.sender, self, amount), "rewards: FRAC was not paid"


@external
def post(epoch: uint256, root: bytes32, total: uint256):
    """
    @notice Posts the root of the next epoch, once the one before counts. By the publisher.
    @param epoch Its number, so that a transaction that comes late posts nothing twice.
    @param root Over (account, cumulative) of all epochs together.
    @param total What the leaves add up to: no less than before, no more than was funded.
    """
    assert roles._holds(PUBLISHER, msg.sender), "rewards: caller is not the publisher"
    count: uint256 = self.epoch_count
    assert epoch == count + 1, "rewards: that is not the next epoch"
    assert self._counts(count), "rewards: the epoch before does not count yet"
    assert root != empty(bytes32), "rewards: the root is zero"
    assert total >= self.epochs[count].total, "rewards: the total is less than before"
    assert total <= self.funded, "rewards: the total is more than was funded"
    counts_at: uint256 = block.timestamp + DELAY_S
    self.epoch_count = epoch
    self.epochs[epoch] = Epoch(root=root, total=total, counts_at=counts_at)
    log Posted(epoch=epoch, root=root, total=total, counts_at=counts_at)


@external
def veto(epoch: uint256):
    """
    @notice Takes back a root that does not count yet; its number is posted again. By the guardian.
    @param epoch The newest epoch.
    """
    assert roles._holds(GUARDIAN, msg.sender), "rewards: caller is not the guardian"
    assert epoch == self.epoch_count and not self._counts(epoch), "rewards: that epoch is not waiting"
    log Vetoed(epoch=epoch, root=self.epochs[epoch].root)
    self.epoch_count = epoch - 1
    self.epochs[epoch] = empty(Epoch)


@external
@view
def claimable(account: address, cumulative: uint256) -> uint256:
    """
    @notice What a claim of this leaf would pay now. The proof is not looked at.
    @param account Whose it is.
    @param cumulative What its leaf says.
    @return uint256 FRAC.
    """
    claimed: uint256 = self.claimed[account]
    if cumulative <= claimed:
        return 0
    return min(cumulative - claimed, self._total() - self.claimed_total)


@external
def claim(epoch: uint256, account: address, cumulative: uint256, proof: DynArray[bytes32, _MAX_PROOF]) -> uint256:
    """
    @notice Pays an account what it has earned and not had. By anybody; it is paid to the account. Nothing to pay is no
            error, so that claims for many can go in one transaction.
    @param epoch The epoch by whose root it is proven; any that counts.
    @param account Who earned it.
    @param cumulative What it has earned in all up to that epoch.
    @param proof From the leaf's sibling up.
    @return uint256 What was paid.
    """
    assert 0 < epoch and epoch <= self.epoch_count, "rewards: there is no such epoch"
    assert self._counts(epoch), "rewards: the epoch does not count yet"
    leaf: bytes32 = keccak256(abi_encode(keccak256(abi_encode(account, cumulative))))
    assert merkle_proof_verification._verify(
        proof, self.epochs[epoch].root, leaf
    ), "rewards: the proof does not lead to the epoch's root"
    claimed: uint256 = self.claimed[account]
    if cumulative <= claimed:
        return 0
    amount: uint256 = min(cumulative - claimed, self._total() - self.claimed_total)
    if amount == 0:
        return 0
    self.claimed[account] = claimed + amount
    self.claimed_total += amount
    log Claimed(account=account, epoch=epoch, amount=amount, cumulative=cumulative)
    assert extcall IERC20(FRAC).transfer(account, amount), "rewards: FRAC was not paid out"
    return amount


@internal
@view
def _counts(epoch: uint256) -> bool:
    return block.timestamp >= self.epochs[epoch].counts_at


@internal
@view
def _total() -> uint256:
    """
    @dev The total of the newest epoch that counts.
    """
    count: uint256 = self.epoch_count
    if count != 0 and not self._counts(count):
        count -= 1
    return self.epochs[count].total
