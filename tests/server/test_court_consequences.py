"""What epochs cost judges: rows of twenty hearings below the floor are found and brought, each hearing in one of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from chain.client.contract import Invocation
from chain.client.court import CourtContract
from chain.client.plans import COURT_TERMS
from chain.court.anchor import NO_ORDINAL
from chain.documents import court_epoch, form
from chain.documents.court_epoch import HearingLine, SeatLine
from judges.court.terms import WINDOW
from server.court.onchain.consequences import Consequences
from server.court.onchain.proofs import Standing
from server.store import Store
from server.store.court_epochs import EpochRow
from server.store.court_logs import Said
from tests.chain.court.cases import filing_of

COURT = "0x" + "c0" * 20
BAD, GOOD = "0x" + "aa" * 20, "0x" + "bb" * 20
LOG = Said(1, 0, "0x", "0x", "Filed", 1, None, None, None, {})


class NoNode:
    async def call(self, to: str, data: bytes, block: int | None = None) -> bytes:
        raise AssertionError("what is brought follows from rows")


class Proven:
    """Every hearing is filed, in a batch of its own."""

    async def of(self, case: bytes, hearing: int) -> Standing:
        return Standing(1, filing_of("S", b"", hearing, 3), 0, (), LOG)


class Asked:
    """What was to be done on the chain, by name."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def standing(self, name: str) -> Any:
        return None

    async def act(self, name: str, make: Callable[[], Awaitable[Invocation]]) -> None:
        await make()
        self.names.append(name)


async def terms() -> Any:
    return COURT_TERMS


def line(number: int, skill: int, ordinal: int) -> HearingLine:
    seats = [SeatLine(BAD, ordinal, skill, 0), SeatLine(GOOD, number, 500_000, 0)]
    return HearingLine(f"S{number:03}", 0, "11" * 32, "22" * 32, seats)


async def keep(store: Store, number: int, lines: list[HearingLine]) -> None:
    document = court_epoch.build(number, 1, COURT, 0, lines, {})
    roots = document.cases_root, document.earned_root
    row = EpochRow(number, *roots, 0, form.encode(document), "", 0)
    assert await store.court_epochs.put(row, document, []) == row


async def test_twenty_in_a_row_below_the_floor_are_brought_over_epochs(store: Store) -> None:
    asked = Asked()
    consequences = Consequences(
        court=CourtContract(NoNode(), COURT),
        logs=store.court_logs,
        epochs=store.court_epochs,
        proofs=Proven(),  # type: ignore[arg-type]
        acts=asked,  # type: ignore[arg-type]
        terms=terms,
        least_micros=1,
    )
    await keep(store, 1, [line(n, -1_500_000, n) for n in range(12)])
    assert await consequences._charge(1), "twelve are no row"
    more = [line(n, -1_500_000, n) for n in range(12, WINDOW + 5)]
    absent = line(900, 0, NO_ORDINAL)
    await keep(store, 2, [*more, absent])
    assert not await consequences._charge(2)
    assert asked.names == [f"court:c0c0c0c0:rolling:{BAD[2:]}:0"]
