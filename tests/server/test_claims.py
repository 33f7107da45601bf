"""Claims for many accounts: what is looked up anew, and who has the loop meanwhile."""

from __future__ import annotations

import asyncio

from chain.client.nonces import Call, State, Tx
from chain.client.txs import Alarm
from chain.documents import payouts as payout_documents
from server.settlement.alarms import Alarming
from server.settlement.claims import DUST_MICROS, Claims
from server.store.epochs import EpochRow
from tests.server.escrow_story import ADDRESS, ESCROW, wallet


class Rows:
    """What owners have claimed."""

    def __init__(self) -> None:
        self.micros: dict[str, int] = {}
        self.looks = 0

    async def claimed(self) -> dict[str, int]:
        self.looks += 1
        return dict(self.micros)

    async def claimed_micros(self) -> int:
        return sum(self.micros.values())


class Writer:
    """Takes what is submitted, and is never done."""

    def __init__(self) -> None:
        self.txs: dict[str, Tx] = {}

    async def submit(self, action: str, to: str | None, data: bytes) -> Tx:
        self.txs[action] = Tx(
            chain_id=1, sender="", nonce=len(self.txs), action=action, call=Call(to, data, 0),
            state=State.SENT, made_ms=0,
        )  # fmt: skip
        return self.txs[action]

    async def find(self, action: str) -> Tx | None:
        return self.txs.get(action)


def epoch_of(allotted: dict[str, int]) -> EpochRow:
    document, tree = payout_documents.build(1, 1, ADDRESS, allotted)
    raw = payout_documents.encode(document)
    return EpochRow(1, "closed", "", document.root, tree.total, "0x", 0, b"", raw)


def claims_of(rows: Rows, writer: Writer, alarms: list[Alarm]) -> Claims:
    return Claims(
        rows=rows,  # type: ignore[arg-type]
        escrow=ESCROW,
        writer=writer,
        alarming=Alarming(alarms.append, lambda: 0),
    )


async def test_who_has_claimed_is_looked_up_where_somebody_has_since() -> None:
    rows, writer, alarms = Rows(), Writer(), list[Alarm]()
    claims, epoch = claims_of(rows, writer, alarms), epoch_of({wallet(1): 50_000, wallet(2): 1})
    for _ in range(3):
        await claims.round(epoch)
    assert rows.looks == 1
    assert len(writer.txs) == 1, "the other's is dust"
    rows.micros[wallet(1).lower()] = 50_000
    for _ in range(3):
        await claims.round(epoch)
    assert rows.looks == 2
    rows.micros.clear()  # as a reorganisation does
    await claims.round(epoch)
    assert rows.looks == 3
    assert len(writer.txs) == 1, "it is under way"
    assert alarms == []


async def test_others_have_the_loop_while_a_large_tree_is_made() -> None:
    rows = Rows()
    epoch = epoch_of({wallet(number): DUST_MICROS - 1 for number in range(1, 10_001)})
    claims = claims_of(rows, Writer(), [])
    round_, turns = asyncio.ensure_future(claims.round(epoch)), 0
    while not round_.done():
        await asyncio.sleep(0.001)
        turns += 1
    await round_
    assert turns > 5
