"""The server is stopped. Everybody takes everything out, by the chain and a list of pay-outs that somebody keeps."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from chain.content import cid
from chain.content.errors import IpfsError
from chain.content.ipfs import Ipfs
from chain.documents import payouts as payout_documents
from chain.documents.payouts import PayoutsDocument
from chain.payout_tree import PayoutTree
from server.embedded import ipfs as embedded_ipfs
from server.embedded.data_dir import DataDir
from tests.chaos.season.audit import Doubts
from tests.chaos.season.ground import WITHDRAWAL_DELAY_S, Ground
from tests.chaos.season.owners import Owner

Tree = tuple[PayoutsDocument, PayoutTree]
STORE_BYTES = 1 << 32


class Left(msgspec.Struct):
    withdrawn_micros: int = 0
    claimed_by_owners: int = 0
    """How many had something to claim still, and did it themselves."""
    list_from: str = ""
    """Who had the list of pay-outs."""


async def find_list(wanted: bytes, stores: Sequence[tuple[str, Path]]) -> tuple[str, Tree]:
    """The list of these bytes, asked for by its content id: from the first folder of a content store that has it."""
    id_ = cid.of(wanted)
    for name, folder in stores:
        with DataDir(str(folder)) as data:
            async with Ipfs(await embedded_ipfs.start(data, STORE_BYTES)) as store:
                try:
                    found = await store.cat(id_, payout_documents.MAX_BYTES)
                except IpfsError:
                    continue
                return name, payout_documents.read(found)
    raise AssertionError(f"nobody keeps the list of pay-outs {id_}")


async def leave(
    ground: Ground,
    owners: Sequence[Owner],
    found: Tree,
    doubts: Doubts,
) -> Left:
    """Claim, ask for all, wait out the delay, take it. In the end the escrow has what is the treasury's."""
    left = Left()
    expected = {}
    for owner in owners:
        left.claimed_by_owners += await owner.claim(found) > 0
        expected[owner.name] = (await ground.escrow.account(owner.wallet)).balance
        asked = await owner.ask_for_all()
        doubts.equal(f"{owner.name} asks for the whole balance", asked, expected[owner.name])
    await ground.pass_time(WITHDRAWAL_DELAY_S + 1)
    for owner in owners:
        before = await owner.has_micros()
        await owner.take()
        got = await owner.has_micros() - before
        doubts.equal(f"{owner.name} is paid", got, expected[owner.name])
        rest = await ground.escrow.account(owner.wallet)
        doubts.equal(f"{owner.name} has left in the escrow", rest.balance, 0)
        left.withdrawn_micros += got
    treasury = await ground.escrow.account(ground.treasury)
    owed = found[1].cumulative(ground.treasury) - treasury.claimed
    held = await ground.escrow.held()
    doubts.equal("what the escrow holds is the treasury's", held, treasury.balance + owed)
    doubts.equal(
        "and so is its token balance", await ground.usdc.balance(ground.escrow.address), held
    )
    return left
