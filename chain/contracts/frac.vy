# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title FRAC
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice Agon's token of stake and incentive: ERC-20 with EIP-2612 permit, 18 decimals, and a supply that is minted
        once, to one treasury, when it is deployed. Nobody owns it, nobody can mint, pause or block.
"""


from ethereum.ercs import IERC20
implements: IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


# @dev `mint`, `set_minter` and everything of the owner are left out on purpose.
exports: (
    erc20.DOMAIN_SEPARATOR,
    erc20.allowance,
    erc20.approve,
    erc20.balanceOf,
    erc20.burn,
    erc20.burn_from,
    erc20.decimals,
    erc20.eip712Domain,
    erc20.name,
    erc20.nonces,
    erc20.permit,
    erc20.symbol,
    erc20.totalSupply,
    erc20.transfer,
    erc20.transferFrom,
)


# @notice All FRAC that there will ever be, less what is burned: one thousand million.
MAX_SUPPLY: public(constant(uint256)) = 10 ** 9 * 10 ** 18


@deploy
@payable
def __init__(treasury: address):
    """
    @param treasury Receives the whole supply; what it does with it (rewards, stakes) is on the chain to see.
    """
    ownable.__init__()
    erc20.__init__("Frac", "FRAC", 18, "Frac", "1")
    erc20._mint(treasury, MAX_SUPPLY)
    ownable._transfer_ownership(empty(address))
