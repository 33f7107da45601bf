# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
"""
@title USDC for development
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice A token that behaves towards Agon's contracts as Circle's USDC does: 6 decimals, EIP-2612 permit,
        EIP-3009 authorizations, a list of blocked addresses, a pause. FOR DEVELOPMENT AND TESTS ONLY: whoever
        deploys it can mint without bound. It is not USDC, and nothing stands behind it.
@dev Differences from FiatTokenV2_2 that could matter to a reader: signatures are of externally owned accounts
     only (no EIP-1271), there is one owner instead of minter, blocklister and pauser, and reasons of reverts are
     worded in our way. Names, selectors and type hashes are equal.
"""


from ethereum.ercs import IERC20
implements: IERC20


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc20
initializes: erc20[ownable := ownable]


from snekmate.utils import ecdsa


# @dev It is `erc20` that initialises it.
from snekmate.utils import eip712_domain_separator
uses: eip712_domain_separator


exports: (
    erc20.DOMAIN_SEPARATOR,
    erc20.allowance,
    erc20.balanceOf,
    erc20.decimals,
    erc20.eip712Domain,
    erc20.is_minter,
    erc20.mint,
    erc20.name,
    erc20.nonces,
    erc20.owner,
    erc20.set_minter,
    erc20.symbol,
    erc20.totalSupply,
)


# @dev The name of the signing domain. USDC's own differs by chain: clients ask `eip712Domain`, or `name`.
_DOMAIN_NAME: constant(String[50]) = "USD Coin (development)"
_DOMAIN_VERSION: constant(String[20]) = "2"


# @dev EIP-3009, the type hashes of its three messages.
_TRANSFER_WITH_AUTHORIZATION: constant(bytes32) = keccak256(
    "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_RECEIVE_WITH_AUTHORIZATION: constant(bytes32) = keccak256(
    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
)
_CANCEL_AUTHORIZATION: constant(bytes32) = keccak256(
    "CancelAuthorization(address authorizer,bytes32 nonce)"
)


# @notice Whether an authorizer's nonce has been used or cancelled (EIP-3009).
authorizationState: public(HashMap[address, HashMap[bytes32, bool]])


# @notice Whether an address may neither send, receive nor approve.
isBlacklisted: public(HashMap[address, bool])


# @notice Whether nobody may send, receive or approve.
paused: public(bool)


event AuthorizationUsed:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


event AuthorizationCanceled:
    authorizer: indexed(address)
    nonce: indexed(bytes32)


event Blacklisted:
    account: indexed(address)


event UnBlacklisted:
    account: indexed(address)


@deploy
@payable
def __init__():
    """
    @dev The deployer is the owner and the first minter.
    """
    ownable.__init__()
    erc20.__init__("USD Coin (development)", "USDC", 6, _DOMAIN_NAME, _DOMAIN_VERSION)


@external
@view
def version() -> String[20]:
    """
    @notice The version of the signing domain, as USDC tells it.
    """
    return _DOMAIN_VERSION


@external
def transfer(to: address, amount: uint256) -> bool:
    """
    @notice Moves the caller's tokens.
    @param to Who receives them.
    @param amount Micro-dollars.
    """
    self._move(msg.sender, to, amount)
    return True


@external
def transferFrom(owner: address, to: address, amount: uint256) -> bool:
    """
    @notice Moves another's tokens by the allowance that they gave to the caller.
    @param owner Whose tokens.
    @param to Who receives them.
    @param amount Micro-dollars.
    """
    self._require_free(msg.sender)
    erc20._spend_allowance(owner, msg.sender, amount)
    self._move(owner, to, amount)
    return True


@external
def approve(spender: address, amount: uint256) -> bool:
    """
    @notice Lets a spender move the caller's tokens.
    @param spender Who may.
    @param amount How many micro-dollars, in place of what it was before.
    """
    self._require_free(msg.sender)
    self._require_free(spender)
    erc20._approve(msg.sender, spender, amount)
    return True


@external
def permit(owner: address, spender: address, amount: uint256, deadline: uint256, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Gives an allowance by the owner's signature (EIP-2612). Anybody may bring it.
    @param owner Whose tokens.
    @param spender Who may move them.
    @param amount How many micro-dollars.
    @param deadline The last second, as a unix time, at which the signature is good.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature, in the lower half of its range.
    """
    self._require_free(owner)
    self._require_free(spender)
    assert block.timestamp <= deadline, "usdc_dev: the permit has expired"
    nonce: uint256 = erc20.nonces[owner]
    erc20.nonces[owner] = unsafe_add(nonce, 1)
    self._require_signed(
        owner,
        keccak256(abi_encode(erc20._PERMIT_TYPE_HASH, owner, spender, amount, nonce, deadline)),
        v, r, s,
    )
    erc20._approve(owner, spender, amount)


@external
def transferWithAuthorization(
    owner: address, to: address, amount: uint256, valid_after: uint256, valid_before: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice Moves tokens by their owner's signature (EIP-3009). Anybody may bring it, so it cannot be tied to
            what a contract does with the tokens: a deposit goes by `receiveWithAuthorization`.
    @param owner Whose tokens; the signer.
    @param to Who receives them.
    @param amount Micro-dollars.
    @param valid_after Good only after this unix time, in seconds.
    @param valid_before Good only before this unix time, in seconds.
    @param nonce 32 bytes that the owner has not used before.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature, in the lower half of its range.
    """
    self._use_authorization(
        _TRANSFER_WITH_AUTHORIZATION, owner, to, amount, valid_after, valid_before, nonce, v, r, s
    )
    self._move(owner, to, amount)


@external
def receiveWithAuthorization(
    owner: address, to: address, amount: uint256, valid_after: uint256, valid_before: uint256, nonce: bytes32,
    v: uint8, r: bytes32, s: bytes32
):
    """
    @notice As `transferWithAuthorization`, but only the receiver may bring it.
    @param owner Whose tokens; the signer.
    @param to Who receives them: the caller.
    @param amount Micro-dollars.
    @param valid_after Good only after this unix time, in seconds.
    @param valid_before Good only before this unix time, in seconds.
    @param nonce 32 bytes that the owner has not used before.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature, in the lower half of its range.
    """
    assert to == msg.sender, "usdc_dev: caller is not the payee"
    self._use_authorization(
        _RECEIVE_WITH_AUTHORIZATION, owner, to, amount, valid_after, valid_before, nonce, v, r, s
    )
    self._move(owner, to, amount)


@external
def cancelAuthorization(authorizer: address, nonce: bytes32, v: uint8, r: bytes32, s: bytes32):
    """
    @notice Spoils an authorization that has not been used (EIP-3009). Anybody may bring the signature.
    @param authorizer Who signed the authorization, and signs this.
    @param nonce The authorization's.
    @param v Of the signature.
    @param r Of the signature.
    @param s Of the signature, in the lower half of its range.
    """
    assert not self.authorizationState[authorizer][nonce], "usdc_dev: the authorization is used or cancelled"
    self.authorizationState[authorizer][nonce] = True
    self._require_signed(
        authorizer, keccak256(abi_encode(_CANCEL_AUTHORIZATION, authorizer, nonce)), v, r, s
    )
    log AuthorizationCanceled(authorizer=authorizer, nonce=nonce)


@external
def blacklist(account: address):
    """
    @notice Blocks an address, as USDC's issuer can. Only the owner.
    @param account Who may neither send, receive nor approve from now on.
    """
    ownable._check_owner()
    self.isBlacklisted[account] = True
    log Blacklisted(account=account)


@external
def unBlacklist(account: address):
    """
    @notice Lets a blocked address go. Only the owner.
    @param account Who is free again.
    """
    ownable._check_owner()
    self.isBlacklisted[account] = False
    log UnBlacklisted(account=account)


@external
def set_paused(paused: bool):
    """
    @notice Stops or starts every movement, as USDC's issuer can. Only the owner.
    @param paused Whether nothing moves.
    """
    ownable._check_owner()
    self.paused = paused


@internal
def _move(owner: address, to: address, amount: uint256):
    """
    @dev Every movement of tokens between holders goes through here.
    """
    self._require_free(owner)
    self._require_free(to)
    erc20._transfer(owner, to, amount)


@internal
@view
def _require_free(account: address):
    """
    @dev Reverts if nothing moves, or if this account is blocked.
    """
    assert not self.paused, "usdc_dev: paused"
    assert not self.isBlacklisted[account], "usdc_dev: account is blacklisted"


@internal
def _use_authorization(
    type_hash: bytes32, owner: address, to: address, amount: uint256, valid_after: uint256, valid_before: uint256,
    nonce: bytes32, v: uint8, r: bytes32, s: bytes32
):
    """
    @dev Checks an authorization and marks its nonce as used.
    """
    assert block.timestamp > valid_after, "usdc_dev: the authorization is not yet valid"
    assert block.timestamp < valid_before, "usdc_dev: the authorization has expired"
    assert not self.authorizationState[owner][nonce], "usdc_dev: the authorization is used or cancelled"
    self.authorizationState[owner][nonce] = True
    self._require_signed(
        owner,
        keccak256(abi_encode(type_hash, owner, to, amount, valid_after, valid_before, nonce)),
        v, r, s,
    )
    log AuthorizationUsed(authorizer=owner, nonce=nonce)


@internal
@view
def _require_signed(signer: address, struct_hash: bytes32, v: uint8, r: bytes32, s: bytes32):
    """
    @dev Reverts unless the signer signed the EIP-712 message in this contract's domain.
    """
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(struct_hash)
    recovered: address = ecdsa._recover_vrs(
        digest, convert(v, uint256), convert(r, uint256), convert(s, uint256)
    )
    assert recovered == signer, "usdc_dev: invalid signature"
