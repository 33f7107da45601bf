# pragma version ==0.4.3
# SPDX-License-Identifier: AGPL-3.0-only
# pragma nonreentrancy off
"""
@title Identities of agents
@license GNU Affero General Public License v3.0 only
@author The authors of Agon
@notice An ERC-721 token for each agent, in the spirit of ERC-8004: its URI names the agent card on IPFS, its metadata
        is small and bounded, and its wallet is the address that may be paid in its name. A wallet other than the
        registrant's has agreed by an EIP-712 signature (or ERC-1271), and is cleared when the agent changes hands.
        Names, events, domain and signed type are those of ERC-8004's identity registry, so that its tools work here.
@dev There are no roles, no pause and no burning: what is registered stays, and only its owner can change it. The
     functions of snekmate's ERC-721 that would need a minter are not exported.
"""


from snekmate.auth import ownable
initializes: ownable


from snekmate.tokens import erc721
initializes: erc721[ownable := ownable]


from snekmate.utils import eip712_domain_separator
uses: eip712_domain_separator


exports: (
    erc721.supportsInterface,
    erc721.name,
    erc721.symbol,
    erc721.balanceOf,
    erc721.ownerOf,
    erc721.approve,
    erc721.getApproved,
    erc721.setApprovalForAll,
    erc721.isApprovedForAll,
    erc721.tokenURI,
    erc721.totalSupply,
    erc721.tokenByIndex,
    erc721.tokenOfOwnerByIndex,
    erc721.permit,
    erc721.nonces,
    erc721.DOMAIN_SEPARATOR,
    erc721.eip712Domain,
)


# @dev What the wallet signs (ERC-8004). It names the owner, so that a signature is worth nothing to the next one.
_WALLET_TYPE_HASH: constant(bytes32) = keccak256(
    "AgentWalletSet(uint256 agentId,address newWallet,address owner,uint256 deadline)"
)


# @dev The furthest ahead a wallet's signature may be dated, in seconds (ERC-8004): it cannot be kept for later.
MAX_DEADLINE_S: public(constant(uint256)) = 300


# @dev The metadata key that only a signature can set.
_WALLET_KEY: constant(String[11]) = "agentWallet"


# @dev A card is named by its content: the scheme, and at least as many characters as a CID has (version 0: 46).
_SCHEME: constant(String[7]) = "ipfs://"
_MIN_URI: constant(uint256) = 7 + 46


_ERC1271_MAGIC: constant(bytes4) = 0x1626BA7E


# @dev Half the order of secp256k1: of the two signatures of a message, the one with the higher s is refused (EIP-2).
_HALF_ORDER: constant(uint256) = 57_896_044_618_658_097_711_785_492_504_343_953_926_418_782_139_537_452_191_302_581_570_759_080_747_168


_wallets: HashMap[uint256, address]
_metadata: HashMap[uint256, HashMap[String[64], Bytes[1024]]]


# @dev How many agents were registered; ids count from 1.
registered: public(uint256)


event Registered:
    agentId: indexed(uint256)
    agentURI: String[128]
    owner: indexed(address)


event URIUpdated:
    agentId: indexed(uint256)
    newURI: String[128]
    updatedBy: indexed(address)


event MetadataSet:
    agentId: indexed(uint256)
    indexedMetadataKey: indexed(String[64])
    metadataKey: String[64]
    metadataValue: Bytes[1024]


@deploy
def __init__():
    """
    @dev snekmate makes the deployer owner and minter; both mean nothing here, and the owner is taken away to show it.
    """
    ownable.__init__()
    erc721.__init__("Agon agents", "AGENT", "", "ERC8004IdentityRegistry", "1")
    ownable._transfer_ownership(empty(address))


@external
def register(agentURI: String[128]) -> uint256:
    """
    @notice Registers an agent of the caller's; its wallet is the caller's until another is set.
    @param agentURI The agent card, `ipfs://` and a CID (and a path).
    @return uint256 The agent's id.
    """
    self._check_uri(agentURI)
    agent_id: uint256 = self.registered + 1
    self.registered = agent_id
    erc721._mint(msg.sender, agent_id)
    erc721._set_token_uri(agent_id, agentURI)
    log Registered(agentId=agent_id, agentURI=agentURI, owner=msg.sender)
    self._set_wallet(agent_id, msg.sender)
    # Last, as it calls the caller if that is a contract: whatever that does, it finds a registered agent.
    assert erc721._check_on_erc721_received(
        empty(address), msg.sender, agent_id, b""
    ), "agents: the caller does not take ERC-721 tokens"
    return agent_id


@external
def setAgentURI(agentId: uint256, newURI: String[128]):
    """
    @notice Names another agent card. By the owner, or whom it approved.
    @param agentId The agent.
    @param newURI As in `register`.
    """
    self._check_controls(msg.sender, agentId)
    self._check_uri(newURI)
    erc721._set_token_uri(agentId, newURI)
    log URIUpdated(agentId=agentId, newURI=newURI, updatedBy=msg.sender)


@external
@view
def getMetadata(agentId: uint256, metadataKey: String[64]) -> Bytes[1024]:
    """
    @notice What was set under a key; nothing if nothing was. Of `agentWallet`: the wallet's 20 bytes.
    @param agentId The agent.
    @param metadataKey The key.
    @return Bytes The value.
    """
    if metadataKey == _WALLET_KEY:
        return self._packed(self._wallets[agentId])
    return self._metadata[agentId][metadataKey]


@external
def setMetadata(agentId: uint256, metadataKey: String[64], metadataValue: Bytes[1024]):
    """
    @notice Sets a value; an empty one clears it. By the owner, or whom it approved. It stays when the agent changes hands.
    @param agentId The agent.
    @param metadataKey Any key but `agentWallet`, which a signature sets.
    @param metadataValue The value.
    """
    self._check_controls(msg.sender, agentId)
    assert metadataKey != _WALLET_KEY, "agents: agentWallet is set by setAgentWallet, with the wallet's signature"
    assert len(metadataKey) != 0, "agents: the key is empty"
    self._metadata[agentId][metadataKey] = metadataValue
    log MetadataSet(
        agentId=agentId, indexedMetadataKey=metadataKey, metadataKey=metadataKey, metadataValue=metadataValue
    )


@external
@view
def getAgentWallet(agentId: uint256) -> address:
    """
    @notice The address that may be paid in the agent's name; zero after it has changed hands, until one is set.
    @param agentId The agent.
    @return address The wallet.
    """
    return self._wallets[agentId]


@external
def setAgentWallet(agentId: uint256, newWallet: address, deadline: uint256, signature: Bytes[2048]):
    """
    @notice Sets the wallet, which has agreed by signing `AgentWalletSet`. By the owner, or whom it approved.
    @param agentId The agent.
    @param newWallet The wallet; a contract answers by ERC-1271.
    @param deadline Until when the signature counts (unix seconds), at most MAX_DEADLINE_S ahead.
    @param signature Of the wallet: 65 bytes r, s, v, or what its contract takes.
    """
    self._check_controls(msg.sender, agentId)
    assert newWallet != empty(address), "agents: the wallet is the zero address"
    assert block.timestamp <= deadline, "agents: the signature has expired"
    assert deadline <= block.timestamp + MAX_DEADLINE_S, "agents: the deadline is more than 300 s ahead"
    digest: bytes32 = eip712_domain_separator._hash_typed_data_v4(
        keccak256(abi_encode(_WALLET_TYPE_HASH, agentId, newWallet, erc721._owner_of(agentId), deadline))
    )
    assert self._has_signed(newWallet, digest, signature), "agents: the wallet has not signed this"
    self._set_wallet(agentId, newWallet)


@external
def unsetAgentWallet(agentId: uint256):
    """
    @notice Clears the wallet. By the owner, whom it approved, or the wallet itself: nobody is kept as one.
    @param agentId The agent.
    """
    assert (
        msg.sender == self._wallets[agentId] or erc721._is_approved_or_owner(msg.sender, agentId)
    ), "agents: the caller is neither owner, approved nor the wallet"
    self._set_wallet(agentId, empty(address))


@external
def transferFrom(owner: address, to: address, token_id: uint256):
    """
    @notice Gives the agent to another; its wallet is cleared. ERC-721.
    @param owner Who has it.
    @param to Who gets it.
    @param token_id The agent.
    """
    self._check_controls(msg.sender, token_id)
    self._clear_for(token_id)
    erc721._transfer(owner, to, token_id)


@external
def safeTransferFrom(owner: address, to: address, token_id: uint256, data: Bytes[1_024] = b""):
    """
    @notice As `transferFrom`; a contract must say that it takes ERC-721 tokens.
    @dev The wallet is cleared before the receiver is called, which may set its own at once.
    @param owner Who has it.
    @param to Who gets it.
    @param token_id The agent.
    @param data For the receiver.
    """
    self._check_controls(msg.sender, token_id)
    self._clear_for(token_id)
    erc721._safe_transfer(owner, to, token_id, data)


@internal
def _check_controls(account: address, agent_id: uint256):
    assert erc721._is_approved_or_owner(account, agent_id), "agents: the caller is neither owner nor approved"


@internal
@pure
def _check_uri(uri: String[128]):
    assert len(uri) >= _MIN_URI and slice(uri, 0, 7) == _SCHEME, "agents: the URI is not ipfs:// and a CID"


@internal
def _clear_for(agent_id: uint256):
    if self._wallets[agent_id] != empty(address):
        self._set_wallet(agent_id, empty(address))


@internal
def _set_wallet(agent_id: uint256, wallet: address):
    self._wallets[agent_id] = wallet
    log MetadataSet(
        agentId=agent_id, indexedMetadataKey=_WALLET_KEY, metadataKey=_WALLET_KEY, metadataValue=self._packed(wallet)
    )


@internal
@pure
def _packed(wallet: address) -> Bytes[20]:
    """
    @dev An address as metadata: its 20 bytes, or none for the zero address.
    """
    if wallet == empty(address):
        return b""
    return slice(convert(wallet, bytes32), 12, 20)


@internal
@view
def _has_signed(wallet: address, digest: bytes32, signature: Bytes[2048]) -> bool:
    """
    @dev A key's signature counts even where the address has code (an EIP-7702 account is still its key's). Whoever
         holds the key of an address may speak for it; no contract's address has a known one.
    """
    if len(signature) == 65:
        s: uint256 = extract32(signature, 32, output_type=uint256)
        v: uint256 = convert(slice(signature, 64, 1), uint256)
        if s <= _HALF_ORDER and ecrecover(digest, v, extract32(signature, 0, output_type=uint256), s) == wallet:
            return True
    if not wallet.is_contract:
        return False
    success: bool = False
    answer: Bytes[32] = b""
    success, answer = raw_call(
        wallet,
        abi_encode(digest, signature, method_id=_ERC1271_MAGIC),
        max_outsize=32,
        is_static_call=True,
        revert_on_failure=False,
    )
    return success and len(answer) == 32 and convert(answer, bytes32) == convert(_ERC1271_MAGIC, bytes32)
