"""Signatures and roots, held against a real escrow on the embedded chain."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from chain.client.escrow import Escrow, Limits, Opening
from chain.documents.epoch import EpochDocument, EpochPayouts
from chain.documents.form import Signature, encode
from chain.documents.result import ResultDocument
from chain.documents.signature import sign, signer
from chain.ethereum import Account
from chain.payout_tree import PayoutTree
from chain.verify.finding import Standing
from chain.verify.onchain import SETTLER, Claimed, check
from chain.verify.report import report
from chain.verify.session import Documents
from spaces import registry, transcript
from tests.chain.documents_of import TIER, epoch_of, result_of
from tests.chain.node import Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID
from tests.conformance.rig import play

replace = msgspec.structs.replace
FAR = 2**40
ADMIN, OWNER, OTHER = 0, 1, 2


class World(NamedTuple):
    """One session that was opened, settled in epoch 1, and signed for, by the admin as settler."""

    chain: Net
    claimed: Claimed
    played: transcript.Transcript
    result: ResultDocument
    epoch: EpochDocument

    def documents(self, **changed: object) -> Documents:
        found = {"transcript": self.played, "result": self.result, "epoch": self.epoch} | changed
        return Documents(**{name: encode(each) for name, each in found.items()})  # type: ignore[arg-type]

    async def found(self, **changed: object) -> dict[str, Standing]:
        findings = await check(self.documents(**changed), self.claimed, self.chain.rpc)
        return {each.what: each.standing for each in findings}


@pytest.fixture(scope="module")
def played() -> tuple[transcript.Transcript, ResultDocument]:
    document = play(registry.get("bid-tac-toe"), {"chips": 20}, 9).document()
    return transcript.read(document), result_of_bytes(document)


def result_of_bytes(document: bytes) -> ResultDocument:
    session = play(registry.get("bid-tac-toe"), {"chips": 20}, 9)
    result = result_of(session, document)
    return with_wallets(result, OWNER, OTHER)


def with_wallets(result: ResultDocument, *who: int) -> ResultDocument:
    seats = [
        replace(seat, wallet=account(each).address)
        for seat, each in zip(result.seats, who, strict=True)
    ]
    return replace(result, seats=seats)


@pytest.fixture
async def world(
    tmp_path: Path, played: tuple[transcript.Transcript, ResultDocument]
) -> AsyncIterator[World]:
    async with net() as chain:
        manifest = await deployed(chain, tmp_path)
        at = {name: manifest.address(name) for name in ("usdc", "escrow")}
        escrow = Escrow(chain.rpc, at["escrow"])
        claimed = Claimed(chain_id=CHAIN_ID, escrow=at["escrow"])
        await _settled(chain, escrow, at["usdc"], played[1])
        yield await _documents(chain, escrow, claimed, *played)


async def _settled(chain: Net, escrow: Escrow, usdc: str, result: ResultDocument) -> None:
    from chain.client.contract import Contract

    token = Contract(chain.rpc, "usdc_dev", usdc)
    admin = account(ADMIN).address
    await chain.send(ADMIN, *escrow.invoke("offer_role", SETTLER, admin))
    await chain.send(ADMIN, *escrow.invoke("take_role", SETTLER))
    for who in (OWNER, OTHER):
        owner = account(who).address
        await chain.send(ADMIN, *token.invoke("mint", owner, 10 * TIER))
        await chain.send(who, *token.invoke("approve", escrow.address, 10 * TIER))
        await chain.send(who, *escrow.deposit(10 * TIER))
        await chain.send(who, *escrow.set_limits(Limits(TIER, 10 * TIER, FAR, 1)))
    swapped = (account(OTHER).address, account(OWNER).address)
    beside = Opening("01J0000000000000000000BES1", TIER, swapped)  # in the same block, and first
    await chain.send(ADMIN, *escrow.open_sessions([beside, _opening(result)]))
    state, _ = await escrow.session(result.session)
    assert state == 1, "open"


def _opening(result: ResultDocument) -> Opening:
    return Opening(result.session, TIER, (account(OWNER).address, account(OTHER).address))


async def _documents(
    chain: Net,
    escrow: Escrow,
    claimed: Claimed,
    played: transcript.Transcript,
    result: ResultDocument,
) -> World:
    settler = account(ADMIN)
    sign_for = (settler, CHAIN_ID, escrow.address)
    signature = sign(*sign_for, played)
    played = replace(played, sig=transcript.Signature(signature.signer, signature.value))
    result = replace(result, sig=sign(*sign_for, result))
    tree = PayoutTree({account(OWNER).address: sum(each.amount for each in result.payouts_micros)})
    epoch = replace(
        epoch_of([result]),
        chain_id=CHAIN_ID,
        escrow=escrow.address,
        payouts=EpochPayouts(tree.root.hex(), tree.total),
    )
    closing = escrow.close_epoch(
        1, bytes.fromhex(epoch.root), tree.root, tree.total, [_opening(result)]
    )
    receipt = await chain.send(ADMIN, *closing)
    assert int(receipt["status"], 16) == 1
    return World(chain, claimed, played, result, replace(epoch, sig=sign(*sign_for, epoch)))


async def test_what_the_chain_holds_is_true_and_each_lie_has_its_line(world: World) -> None:
    """One world for all of them: each only reads."""
    assert await world.found() == dict.fromkeys(
        (
            "signature",
            "result signature",
            "epoch signature",
            "root",
            "pay-outs",
            "opened",
            "escrow",
        ),
        Standing.TRUE,
    )
    stranger = account(OTHER)
    where = (CHAIN_ID, world.claimed.escrow)
    lies: list[tuple[str, dict[str, object]]] = [
        ("result signature", {"result": replace(world.result, tier_micros=100_000)}),
        (
            "result signature",
            {"result": replace(world.result, sig=sign(stranger, *where, world.result))},
        ),
        (
            "result signature",
            {"result": replace(world.result, sig=sign(account(ADMIN), 1, where[1], world.result))},
        ),
        (
            "result signature",
            {"result": replace(world.result, sig=Signature(stranger.address, "0x" + "00" * 65))},
        ),
        ("root", {"epoch": replace(world.epoch, epoch=2)}),
        ("root", {"epoch": replace(world.epoch, chain_id=1)}),
        (
            "root",
            {"epoch": epoch_of([replace(world.result, session="01JD0000000000000000000009")])},
        ),
        (
            "pay-outs",
            {"epoch": replace(world.epoch, payouts=EpochPayouts("11" * 32, 1))},
        ),
        ("escrow", {"result": replace(world.result, session="01JD0000000000000000000009")}),
        ("opened", {"result": with_wallets(world.result, OTHER, OWNER)}),
        ("opened", {"result": replace(world.result, tier_micros=100_000)}),
    ]
    for line, changed in lies:
        findings = await check(world.documents(**changed), world.claimed, world.chain.rpc)
        told = {each.what for each in findings if each.standing is Standing.FALSE}
        assert line in told, report(findings)


async def test_unsigned_documents_are_not_said_to_be_signed(world: World) -> None:
    from msgspec import UNSET

    found = await world.found(result=replace(world.result, sig=UNSET))
    assert found["result signature"] is Standing.UNCHECKED


def test_a_signature_is_of_one_document_on_one_chain_for_one_escrow(
    played: tuple[transcript.Transcript, ResultDocument],
) -> None:
    key = Account.from_key(b"\7" * 32)
    escrow = "0x" + "e5" * 20
    for document in (played[0], played[1], epoch_of([played[1]])):
        signature = sign(key, 8453, escrow, document)
        assert sign(key, 8453, escrow, document) == signature
        assert signer(8453, escrow, document, signature) == key.address
        assert signer(8454, escrow, document, signature) != key.address
        assert signer(8453, "0x" + "e6" * 20, document, signature) != key.address
        assert signer(8453, escrow, document, Signature(key.address, "0x" + "ff" * 65)) is None
