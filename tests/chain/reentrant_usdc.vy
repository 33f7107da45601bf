# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title A token that calls back
@license GNU Affero General Public License v3.0 only
@notice For tests: what USDC would be if it told receivers and payers of a transfer, as ERC-777 does. It also can lie about
        how much it moves.
"""


balanceOf: public(HashMap[address, uint256])
fee: public(uint256)
target: address
call: Bytes[1024]


@external
def mint(account: address, amount: uint256):
    self.balanceOf[account] += amount


@external
def set_fee(fee: uint256):
    """
    @notice What each movement loses on its way.
    """
    self.fee = fee


@external
def set_callback(target: address, call: Bytes[1024]):
    """
    @notice What is called in the middle of each movement.
    """
    self.target = target
    self.call = call


@external
def transfer(to: address, amount: uint256) -> bool:
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    self._move(owner, to, amount)
    return True


@internal
def _move(owner: address, to: address, amount: uint256):
    self.balanceOf[owner] -= amount
    if self.target != empty(address):
        raw_call(self.target, self.call)
    self.balanceOf[to] += amount - self.fee
