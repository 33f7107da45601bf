"""Identities: an agent is its owner's alone, and nobody is its wallet who has not agreed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boa
import pytest

from chain.ethereum import LocalAccount
from tests.chain.contracts import deploy, reverts
from tests.chain.wallets import mirrored, now, sign, wallet

ANN, BOB, EVE, WALLET = wallet(1), wallet(2), wallet(3), wallet(4)
NOBODY = "0x" + "0" * 40
CARD = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

# A wallet that is a contract: it takes what its owner has signed, whatever else stands behind the 65 bytes.
SMART_WALLET = """
OWNER: immutable(address)
@deploy
def __init__(owner: address):
    OWNER = owner
@external
@view
def isValidSignature(digest: bytes32, signature: Bytes[2048]) -> bytes4:
    r: uint256 = extract32(signature, 0, output_type=uint256)
    s: uint256 = extract32(signature, 32, output_type=uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    if ecrecover(digest, v, r, s) == OWNER:
        return 0x1626BA7E
    return 0xFFFFFFFF
"""

# A receiver that names its wallet at once, while it is being handed the agent.
EAGER_RECEIVER = """
interface Agents:
    def setAgentWallet(agent: uint256, wallet: address, deadline: uint256, signature: Bytes[2048]): nonpayable
wallet: address
deadline: uint256
signature: Bytes[2048]
@external
def prepare(wallet: address, deadline: uint256, signature: Bytes[2048]):
    self.wallet = wallet
    self.deadline = deadline
    self.signature = signature
@external
def onERC721Received(operator: address, owner: address, agent: uint256, data: Bytes[1024]) -> bytes4:
    extcall Agents(msg.sender).setAgentWallet(agent, self.wallet, self.deadline, self.signature)
    return 0x150B7A02
"""


@pytest.fixture
def agents() -> Iterator[Any]:
    with boa.env.anchor():
        yield deploy("agents")


def register(agents: Any, owner: LocalAccount) -> int:
    agent: int = agents.register(CARD, sender=owner.address)
    return agent


def consent(
    agents: Any,
    agent: int,
    signer: LocalAccount,
    wallet: str,
    owner: str,
    deadline: int,
    **other: Any,
) -> bytes:
    v, r, s = sign(signer, agents, "AgentWalletSet", agent, wallet, owner, deadline, **other)
    return r + s + bytes([v])


def test_whoever_registers_an_agent_owns_it_and_is_its_wallet(agents: Any) -> None:
    assert (register(agents, ANN), register(agents, BOB)) == (1, 2)
    assert agents.ownerOf(1) == agents.getAgentWallet(1) == ANN.address
    assert agents.getMetadata(1, "agentWallet") == bytes.fromhex(ANN.address[2:])
    assert agents.tokenURI(1) == CARD
    assert agents.totalSupply() == agents.registered() == 2


def test_nobody_has_a_role() -> None:
    agents = deploy("agents")
    absent = ("owner", "safe_mint", "set_minter", "transfer_ownership", "burn", "pause")
    assert not any(hasattr(agents, name) for name in absent)


@pytest.mark.parametrize(
    "uri", ["", "ipfs://", "ipfs://bafy", "https://example.org/" + "a" * 60, CARD.upper()]
)
def test_a_card_is_named_by_its_content(agents: Any, uri: str) -> None:
    with reverts("agents: the URI is not ipfs:// and a CID"):
        agents.register(uri)
    register(agents, ANN)
    with reverts("agents: the URI is not ipfs:// and a CID"):
        agents.setAgentURI(1, uri, sender=ANN.address)


def test_a_card_is_changed_by_the_owner_or_whom_it_approved(agents: Any) -> None:
    register(agents, ANN)
    with reverts("agents: the caller is neither owner nor approved"):
        agents.setAgentURI(1, CARD + "/v2", sender=EVE.address)
    agents.approve(BOB.address, 1, sender=ANN.address)
    agents.setAgentURI(1, CARD + "/v2", sender=BOB.address)
    assert agents.tokenURI(1) == CARD + "/v2"


def test_metadata_is_bounded_and_the_wallets_key_is_reserved(agents: Any) -> None:
    register(agents, ANN)
    agents.setMetadata(1, "space", b"x" * 1024, sender=ANN.address)
    assert agents.getMetadata(1, "space") == b"x" * 1024
    agents.setMetadata(1, "space", b"", sender=ANN.address)
    assert agents.getMetadata(1, "space") == b""
    with reverts("agents: agentWallet is set by setAgentWallet"):
        agents.setMetadata(1, "agentWallet", bytes(20), sender=ANN.address)
    with reverts("agents: the key is empty"):
        agents.setMetadata(1, "", b"1", sender=ANN.address)
    with reverts("agents: the caller is neither owner nor approved"):
        agents.setMetadata(1, "space", b"1", sender=EVE.address)
    with pytest.raises(boa.BoaError):
        agents.setMetadata(1, "space", b"x" * 1025, sender=ANN.address)
    with pytest.raises(boa.BoaError):
        agents.setMetadata(1, "k" * 65, b"", sender=ANN.address)


def test_a_wallet_has_agreed_by_its_signature(agents: Any) -> None:
    register(agents, ANN)
    until = now() + 300
    agreed = consent(agents, 1, WALLET, WALLET.address, ANN.address, until)
    agents.setAgentWallet(1, WALLET.address, until, agreed, sender=ANN.address)
    assert agents.getAgentWallet(1) == WALLET.address
    # Whom the owner approved may bring it; what was signed names the owner all the same.
    agents.approve(BOB.address, 1, sender=ANN.address)
    agents.unsetAgentWallet(1, sender=BOB.address)
    agents.setAgentWallet(1, WALLET.address, until, agreed, sender=BOB.address)
    assert agents.getAgentWallet(1) == WALLET.address


def test_a_signature_is_for_one_agent_wallet_owner_deadline_chain_and_registry(agents: Any) -> None:
    register(agents, ANN)
    register(agents, ANN)
    until = now() + 300
    agreed = consent(agents, 1, WALLET, WALLET.address, ANN.address, until)
    not_signed = "agents: the wallet has not signed this"
    with reverts(not_signed):
        agents.setAgentWallet(2, WALLET.address, until, agreed, sender=ANN.address)
    with reverts(not_signed):
        agents.setAgentWallet(1, EVE.address, until, agreed, sender=ANN.address)
    with reverts(not_signed):
        agents.setAgentWallet(1, WALLET.address, until - 1, agreed, sender=ANN.address)
    for elsewhere in ({"chainId": 8453}, {"verifyingContract": EVE.address}):
        foreign = consent(agents, 1, WALLET, WALLET.address, ANN.address, until, **elsewhere)
        with reverts(not_signed):
            agents.setAgentWallet(1, WALLET.address, until, foreign, sender=ANN.address)
    with reverts("agents: the caller is neither owner nor approved"):
        agents.setAgentWallet(1, WALLET.address, until, agreed, sender=EVE.address)
    agents.transferFrom(ANN.address, BOB.address, 1, sender=ANN.address)
    with reverts(not_signed):
        agents.setAgentWallet(1, WALLET.address, until, agreed, sender=BOB.address)


def test_a_signature_is_of_now(agents: Any) -> None:
    register(agents, ANN)
    until = now() + 301
    agreed = consent(agents, 1, WALLET, WALLET.address, ANN.address, until)
    with reverts("agents: the deadline is more than 300 s ahead"):
        agents.setAgentWallet(1, WALLET.address, until, agreed, sender=ANN.address)
    boa.env.time_travel(seconds=400)
    with reverts("agents: the signature has expired"):
        agents.setAgentWallet(1, WALLET.address, until, agreed, sender=ANN.address)


def test_malformed_signatures_are_no_signatures(agents: Any) -> None:
    register(agents, ANN)
    until = now() + 300
    signature = sign(WALLET, agents, "AgentWalletSet", 1, WALLET.address, ANN.address, until)
    v, r, s = mirrored(signature)
    for bad in (b"", b"\0" * 65, r + s + bytes([v]), signature[1] + signature[2], b"\1" * 130):
        with reverts("agents: the wallet has not signed this"):
            agents.setAgentWallet(1, WALLET.address, until, bad, sender=ANN.address)
    with reverts("agents: the wallet is the zero address"):
        agents.setAgentWallet(1, NOBODY, until, b"\0" * 65, sender=ANN.address)


def test_a_contract_agrees_by_erc_1271(agents: Any) -> None:
    register(agents, ANN)
    smart = str(boa.loads(SMART_WALLET, WALLET.address).address)
    until = now() + 60
    agreed = consent(agents, 1, WALLET, smart, ANN.address, until)
    agents.setAgentWallet(1, smart, until, agreed + b"\7" * 300, sender=ANN.address)
    assert agents.getAgentWallet(1) == smart
    with reverts("agents: the wallet has not signed this"):
        forged = consent(agents, 1, EVE, smart, ANN.address, until)
        agents.setAgentWallet(1, smart, until, forged, sender=ANN.address)
    with reverts(
        "agents: the wallet has not signed this"
    ):  # a contract that knows nothing of signatures
        agents.setAgentWallet(1, str(agents.address), until, agreed, sender=ANN.address)


def test_of_an_account_with_code_the_key_still_counts(agents: Any) -> None:
    register(agents, ANN)
    boa.env.set_code(WALLET.address, b"\x00")  # code that knows nothing of signatures (EIP-7702)
    until = now() + 60
    agreed = consent(agents, 1, WALLET, WALLET.address, ANN.address, until)
    agents.setAgentWallet(1, WALLET.address, until, agreed, sender=ANN.address)
    assert agents.getAgentWallet(1) == WALLET.address


def test_a_wallet_is_cleared_when_the_agent_changes_hands(agents: Any) -> None:
    register(agents, ANN)
    agents.transferFrom(ANN.address, BOB.address, 1, sender=ANN.address)
    assert agents.getAgentWallet(1) == NOBODY
    assert agents.getMetadata(1, "agentWallet") == b""
    until = now() + 60
    agreed = consent(agents, 1, WALLET, WALLET.address, BOB.address, until)
    agents.setAgentWallet(1, WALLET.address, until, agreed, sender=BOB.address)
    agents.safeTransferFrom(BOB.address, EVE.address, 1, sender=BOB.address)
    assert agents.getAgentWallet(1) == NOBODY
    with reverts("agents: the caller is neither owner nor approved"):
        agents.transferFrom(EVE.address, BOB.address, 1, sender=BOB.address)


def test_a_wallet_set_while_the_agent_is_handed_over_is_the_new_owners(agents: Any) -> None:
    register(agents, ANN)
    receiver = boa.loads(EAGER_RECEIVER)
    until = now() + 60
    agreed = consent(agents, 1, WALLET, WALLET.address, str(receiver.address), until)
    receiver.prepare(WALLET.address, until, agreed)
    agents.safeTransferFrom(ANN.address, str(receiver.address), 1, sender=ANN.address)
    assert agents.getAgentWallet(1) == WALLET.address


def test_nobody_is_kept_as_a_wallet(agents: Any) -> None:
    register(agents, ANN)
    until = now() + 60
    agreed = consent(agents, 1, WALLET, WALLET.address, ANN.address, until)
    agents.setAgentWallet(1, WALLET.address, until, agreed, sender=ANN.address)
    with reverts("agents: the caller is neither owner, approved nor the wallet"):
        agents.unsetAgentWallet(1, sender=EVE.address)
    agents.unsetAgentWallet(1, sender=WALLET.address)
    assert agents.getAgentWallet(1) == NOBODY


def test_an_approved_transfer_clears_the_wallet_too(agents: Any) -> None:
    assert agents.supportsInterface(bytes.fromhex("80ac58cd"))
    register(agents, ANN)
    agents.setApprovalForAll(EVE.address, True, sender=ANN.address)
    agents.safeTransferFrom(ANN.address, EVE.address, 1, b"note", sender=EVE.address)
    assert (agents.ownerOf(1), agents.getAgentWallet(1)) == (EVE.address, NOBODY)
