# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy on
"""
@title Fractals
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Agon's points, as an account can show them on the chain. They are bound to the account for ever: there is no
        transfer and no approval, and nobody can take them away. The publisher posts roots over what each account has
        earned in a season, each more than the last; anybody may bring an account what a root says that it has.
@dev Append-only: a root stays, a balance never falls, and a season is closed for good when the next one begins. A hostile
     publisher can make points, which its totals show; it cannot undo any. Points are worth nothing here, so there is no
     pause and no veto.
     A leaf is keccak256(keccak256(abi.encode(season, account, points))), pairs are sorted (OpenZeppelin's StandardMerkleTree).
     `locked` and `Locked` are in the manner of ERC-5192, which is about single tokens: its interface id is not claimed.
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


# @dev May post roots.
PUBLISHER: public(constant(bytes32)) = keccak256("publisher")


_MAX_PROOF: constant(uint256) = 40


name: public(constant(String[8])) = "Fractals"
symbol: public(constant(String[3])) = "FAP"
decimals: public(constant(uint8)) = 0


# @dev The season that roots are posted for, from 1 on; zero before the first.
season: public(uint256)


# @dev Of a season: how many roots it has (they count from 1), the total of the newest, and what of it was claimed.
root_count: public(HashMap[uint256, uint256])
season_total: public(HashMap[uint256, uint256])
season_claimed: public(HashMap[uint256, uint256])
roots: public(HashMap[uint256, HashMap[uint256, bytes32]])


# @dev Points of an account: of a season, and of all.
points: public(HashMap[uint256, HashMap[address, uint256]])
balanceOf: public(HashMap[address, uint256])
totalSupply: public(uint256)


event Posted:
    season: indexed(uint256)
    number: indexed(uint256)
    root: bytes32
    total: uint256


event Earned:
    account: indexed(address)
    season: indexed(uint256)
    amount: uint256
    points: uint256


event Locked:
    account: indexed(address)


@deploy
def __init__():
    """
    @notice The deployer becomes the admin, and hands that on in two steps.
    """
    ownable.__init__()
    ownable_2step.__init__()
    roles.__init__()


@external
def post(season: uint256, number: uint256, root: bytes32, total: uint256):
    """
    @notice Posts a root for this season or the first one of the next, which closes this one. By the publisher.
    @param season This season's number, or the next.
    @param number The root's number in it, so that a transaction that comes late posts nothing twice.
    @param root Over (season, account, points), each account's points of the season so far.
    @param total What the leaves add up to; no less than before.
    """
    assert roles._holds(PUBLISHER, msg.sender), "fractals: caller is not the publisher"
    current: uint256 = self.season
    assert (current != 0 and season == current) or season == current + 1, "fractals: the season is neither this one nor the next"
    assert number == self.root_count[season] + 1, "fractals: that is not the season's next root"
    assert root != empty(bytes32), "fractals: the root is zero"
    assert total >= self.season_total[season], "fractals: the total is less than before"
    self.season = season
    self.root_count[season] = number
    self.season_total[season] = total
    self.roots[season][number] = root
    log Posted(season=season, number=number, root=root, total=total)


@external
def claim(
    season: uint256, number: uint256, account: address, points: uint256, proof: DynArray[bytes32, _MAX_PROOF]
) -> uint256:
    """
    @notice Gives an account the points that a root says it has earned. By anybody. What it has already had is no error.
    @param season The season.
    @param number The root's number in the season.
    @param account Who earned them.
    @param points What the leaf says: the account's points of the season.
    @param proof From the leaf's sibling up.
    @return uint256 How many points it has more than before.
    """
    root: bytes32 = self.roots[season][number]
    assert root != empty(bytes32), "fractals: there is no such root"
    leaf: bytes32 = keccak256(abi_encode(keccak256(abi_encode(season, account, points))))
    assert merkle_proof_verification._verify(proof, root, leaf), "fractals: the proof does not lead to the root"
    before: uint256 = self.points[season][account]
    if points <= before:
        return 0
    earned: uint256 = points - before
    claimed: uint256 = self.season_claimed[season] + earned
    assert claimed <= self.season_total[season], "fractals: more than the season's total"
    if self.balanceOf[account] == 0:
        log Locked(account=account)
    self.season_claimed[season] = claimed
    self.points[season][account] = points
    self.balanceOf[account] += earned
    self.totalSupply += earned
    log Earned(account=account, season=season, amount=earned, points=points)
    log IERC20.Transfer(sender=empty(address), receiver=account, value=earned)
    return earned


@external
@pure
def locked(account: address) -> bool:
    """
    @notice Whether the account's points cannot be moved: always.
    @param account Any.
    @return bool True.
    """
    return True
