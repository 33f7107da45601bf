# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy off
"""
@title Roles that are offered and taken
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Each role is held by one account at most. The admin (the owner of the `ownable` module) offers it, and the
        account takes it itself, so that no role ends at an address that nobody can sign for. What is compromised is
        revoked at once.
@custom:security What a role may do, the contract that uses this module says. The admin can give each role to itself:
                 whoever judges a contract takes the admin for every role together.
"""


from snekmate.auth import ownable
uses: ownable


# @dev The account that holds a role; zero: nobody does.
role_holder: public(HashMap[bytes32, address])


# @dev The account that may take a role; zero: it is not on offer.
role_offered: public(HashMap[bytes32, address])


event RoleOffered:
    role: indexed(bytes32)
    account: indexed(address)


event RoleTaken:
    role: indexed(bytes32)
    account: indexed(address)
    previous: indexed(address)


event RoleRevoked:
    role: indexed(bytes32)
    account: indexed(address)


@deploy
def __init__():
    pass


@external
def offer_role(role: bytes32, account: address):
    """
    @notice Offers a role; the holder keeps it until the other takes it. Offering to the zero address withdraws an offer.
    @param role The keccak256 of the role's name.
    @param account Who may take it.
    """
    ownable._check_owner()
    self.role_offered[role] = account
    log RoleOffered(role=role, account=account)


@external
def take_role(role: bytes32):
    """
    @notice Takes a role that was offered to the caller; the former holder has it no longer.
    @param role The keccak256 of the role's name.
    """
    assert self.role_offered[role] == msg.sender, "roles: the role is not offered to the caller"
    previous: address = self.role_holder[role]
    self.role_offered[role] = empty(address)
    self.role_holder[role] = msg.sender
    log RoleTaken(role=role, account=msg.sender, previous=previous)


@external
def revoke_role(role: bytes32):
    """
    @notice Takes a role from its holder, and an offer of it back, at once.
    @param role The keccak256 of the role's name.
    """
    ownable._check_owner()
    log RoleRevoked(role=role, account=self.role_holder[role])
    self.role_holder[role] = empty(address)
    self.role_offered[role] = empty(address)


@internal
@view
def _holds(role: bytes32, account: address) -> bool:
    """
    @dev Whether `account` holds `role`. Nobody holds a role that is free: the zero address sends nothing.
    """
    return account != empty(address) and self.role_holder[role] == account
