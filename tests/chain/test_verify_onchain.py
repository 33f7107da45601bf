"""Signatures and roots, held against a real escrow on the embedded chain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from chain.client.contract import Contract
from chain.client.deployment import Manifest
from chain.client.escrow import Escrow, Limits, Opening
from chain.client.node import Head, Log, RangeTooWide
from chain.client.rpc import Rpc
from chain.documents.epoch import EpochDocument, EpochPayouts
from chain.documents.form import Signature, encode
from chain.documents.payouts import PayoutsDocument, build
from chain.documents.result import Fees, ResultDocument
from chain.documents.signature import sign, signer
from chain.ethereum import Account
from chain.payout_tree import PayoutTree
from chain.verify.finding import Standing
from chain.verify.history import blocks_at
from chain.verify.onchain import SETTLER, Claimed, check
from chain.verify.report import report
from chain.verify.session import Documents
from spaces import registry, transcript
from tests.chain.documents_of import TIER, epoch_of, result_of
from tests.chain.node import Net, account, net_prepared
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
        given = {name: encode(each) for name, each in found.items() if each is not None}  # type: ignore[arg-type]
        return Documents(**given)  # type: ignore[arg-type]

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
    async with net_prepared(_funded, tmp_path) as (chain, manifest):
        escrow = Escrow(chain.rpc, manifest.address("escrow"))
        claimed = Claimed(chain_id=CHAIN_ID, escrow=escrow.address)
        await _opened(chain, escrow, played[1])
        yield await _documents(chain, escrow, claimed, *played)


async def _funded(chain: Net, manifest: Manifest) -> None:
    escrow = Escrow(chain.rpc, manifest.address("escrow"))
    token = Contract(chain.rpc, "usdc_dev", manifest.address("usdc"))
    admin = account(ADMIN).address
    await chain.send(ADMIN, *escrow.invoke("offer_role", SETTLER, admin))
    await chain.send(ADMIN, *escrow.invoke("take_role", SETTLER))
    for who in (OWNER, OTHER):
        owner = account(who).address
        await chain.send(ADMIN, *token.invoke("mint", owner, 10 * TIER))
        await chain.send(who, *token.invoke("approve", escrow.address, 10 * TIER))
        await chain.send(who, *escrow.deposit(10 * TIER))
        await chain.send(who, *escrow.set_limits(Limits(TIER, 10 * TIER, FAR, 1)))


async def _opened(chain: Net, escrow: Escrow, result: ResultDocument) -> None:
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
            "settled by",
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
        ("escrow", {"result": replace(world.result, tier_micros=0)}),
        ("opened", {"result": with_wallets(without_pot(world.result), OTHER, OWNER)}),
        ("escrow", {"result": voided(without_pot(world.result))}),
        ("settled by", {"epoch": epoch_of([world.result, besides(world.result)])}),
        ("pay-outs", {"epoch": None, "payouts": leaves(world, epoch=1)}),
        ("pay-outs", {"epoch": None, "payouts": leaves(world, escrow="0x" + "e5" * 20)}),
    ]
    for line, changed in lies:
        findings = await check(world.documents(**changed), world.claimed, world.chain.rpc)
        told = {each.what for each in findings if each.standing is Standing.FALSE}
        assert line in told, report(findings)


def without_pot(result: ResultDocument) -> ResultDocument:
    return replace(result, payouts_micros=[], fees_micros=Fees(0, 0, 0))


def voided(result: ResultDocument) -> ResultDocument:
    return replace(result, status="void", reason="because", ranks=[], ratings=[], verdict=None)


def besides(result: ResultDocument) -> ResultDocument:
    return replace(result, session="01JD0000000000000000000009")


def leaves(world: World, *, epoch: int = 1, escrow: str | None = None) -> PayoutsDocument:
    """Another tree than the chain's."""
    document, _ = build(epoch, CHAIN_ID, escrow or world.claimed.escrow, {"0x" + "11" * 20: 1})
    return document


def seats_signed(
    world: World, *keys: Any, of: transcript.Transcript | None = None
) -> ResultDocument:
    """With a signature of each seat that has a key, by the arena's word."""
    where = (CHAIN_ID, world.claimed.escrow)
    seats = [
        seat if key is None else replace(seat, sig=sign(key, *where, of or world.played))
        for seat, key in zip(world.result.seats, keys, strict=True)
    ]
    result = replace(world.result, seats=seats)
    return replace(result, sig=sign(account(ADMIN), *where, result))


async def test_seats_signatures_are_of_this_transcript_and_by_whom_the_result_names(
    world: World,
) -> None:
    async def line(result: ResultDocument) -> tuple[Standing, str] | None:
        found = await check(world.documents(result=result), world.claimed, world.chain.rpc)
        return next(((f.standing, f.words) for f in found if f.what == "seat signatures"), None)

    own, other = account(OWNER), Account.from_key(b"\x21" * 32)
    assert await line(world.result) is None, "nothing was signed, and that is no lie"
    honest = seats_signed(world, own, other)
    standing, words = await line(honest) or (None, "")
    assert standing is Standing.TRUE
    assert f"seat 0 by its owner's wallet {own.address}" in words
    assert f"seat 1 by what the result says is its agent's key, {other.address}" in words
    standing, words = await line(seats_signed(world, None, other)) or (None, "")
    assert (standing, words[:6]) == (Standing.TRUE, "1 of 2")

    another = replace(world.played, sealed_ms=world.played.sealed_ms + 1)
    signed = honest.seats[1].sig
    assert isinstance(signed, Signature)
    forged = replace(signed, signer=own.address)
    bent = replace(
        signed, value=f"{signed.value[:20]}{int(signed.value[20], 16) ^ 1:x}{signed.value[21:]}"
    )
    lies = [
        seats_signed(world, own, other, of=another),
        *(
            replace(honest, seats=[honest.seats[0], replace(honest.seats[1], sig=sig)])
            for sig in (forged, bent)
        ),
    ]
    for lie in lies:
        standing, words = await line(lie) or (None, "")
        assert standing is Standing.FALSE, words


async def test_nothing_is_said_to_be_paid_by_leaves_that_are_not_the_chains(world: World) -> None:
    found = await world.found(epoch=None, payouts=leaves(world))
    assert found["pay-outs"] is Standing.FALSE
    assert "paid" not in found


async def test_the_escrow_is_asked_though_nobody_gives_the_result(world: World) -> None:
    found = await world.found(result=None)
    assert found["escrow"] is Standing.UNCHECKED


async def test_a_session_of_which_nothing_was_taken_and_that_is_void_is_no_lie(
    world: World,
) -> None:
    seats = [replace(seat, wallet=None) for seat in world.result.seats]
    found = await world.found(result=voided(besides(replace(world.result, seats=seats))))
    assert found["escrow"] is Standing.TRUE
    assert "opened" not in found


async def test_two_epochs_cannot_both_hold_a_result_of_one_session(world: World) -> None:
    """A second result of the session, in the root of an epoch that settled another one."""
    escrow = Escrow(world.chain.rpc, world.claimed.escrow)
    second = replace(world.result, ranks=world.result.ranks[::-1])
    payouts = world.epoch.payouts
    shown = replace(epoch_of([second]), epoch=2, chain_id=CHAIN_ID, escrow=escrow.address)
    shown = replace(shown, payouts=payouts)
    beside = Opening(
        "01J0000000000000000000BES1", TIER, (account(OTHER).address, account(OWNER).address)
    )
    roots = bytes.fromhex(shown.root), bytes.fromhex(payouts.root)
    closing = escrow.close_epoch(2, *roots, payouts.total_micros, [beside])
    assert int((await world.chain.send(ADMIN, *closing))["status"], 16) == 1
    found = await world.found(result=second, epoch=shown)
    assert found["root"] is Standing.TRUE
    assert found["settled by"] is Standing.FALSE


async def test_what_a_former_settler_signed_stays_signed(world: World) -> None:
    escrow = Escrow(world.chain.rpc, world.claimed.escrow)
    await world.chain.send(ADMIN, *escrow.offer_role("settler", account(OTHER).address))
    await world.chain.send(OTHER, *escrow.take_role("settler"))
    names = ("signature", "result signature", "epoch signature")
    found = await world.found()
    assert {found[name] for name in names} == {Standing.TRUE}
    where = (CHAIN_ID, escrow.address)
    found = await world.found(
        result=replace(world.result, sig=sign(account(OWNER), *where, world.result))
    )
    assert found["result signature"] is Standing.FALSE, "she has never been settler"


class Forgetful:
    """A node that has no logs, or gives few at once."""

    def __init__(self, rpc: Rpc, most: int) -> None:
        self._rpc = rpc
        self._most = most

    def __getattr__(self, name: str) -> Any:
        return getattr(self._rpc, name)

    async def logs(
        self, addresses: Sequence[str], first: int, last: int, topics: Sequence[str] = ()
    ) -> list[Log]:
        if not self._most:
            return []
        if last - first >= self._most:
            raise RangeTooWide("too many")
        return await self._rpc.logs(addresses, first, last, topics)


@pytest.mark.parametrize("most", [0, 1, 3])
async def test_a_node_without_old_logs_makes_no_lies(world: World, most: int) -> None:
    escrow = Escrow(world.chain.rpc, world.claimed.escrow)
    await world.chain.send(ADMIN, *escrow.offer_role("settler", account(OTHER).address))
    await world.chain.send(OTHER, *escrow.take_role("settler"))
    node = Forgetful(world.chain.rpc, most)
    findings = await check(world.documents(), world.claimed, node)
    found = {each.what: each.standing for each in findings}
    names = ("signature", "result signature", "epoch signature", "opened", "settled by")
    due = Standing.TRUE if most else Standing.UNCHECKED
    assert {found[name] for name in names} == {due}, report(findings)


class Seconds:
    """A chain of three blocks each second."""

    async def head(self) -> Head:
        return Head(99, "0x", "0x", 1_033, 0)

    async def block(self, number: int) -> Head | None:
        return Head(number, "0x", "0x", 1_000 + number // 3, 0) if number < 100 else None


async def test_all_blocks_of_a_second_are_looked_at() -> None:
    node: Any = Seconds()
    assert await blocks_at(node, 1_000) == (0, 2)
    assert await blocks_at(node, 1_007) == (21, 23)
    assert await blocks_at(node, 1_033) == (99, 99)
    assert await blocks_at(node, 1_034) is None
    assert await blocks_at(node, 999) is None


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
