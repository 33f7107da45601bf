"""What an operator does with pinned documents: carry a season away, bring it back, see that all of it is there.

A season is one directory of its transcripts (`SESSION.json`) and, where a chain moves the money, of results (`SESSION.result.json`) and
epochs (`epoch-N.json`, `epoch-N.payouts.json`). Its id stands for all of them: any IPFS node that pins it keeps the season. All that is
here can be made again from the database, but for pay-outs that newer ones have replaced.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec

from chain.content import car, cid, pin_set
from chain.content.cid import Cid
from chain.content.dag_pb import MAX_BLOCK
from chain.content.errors import IpfsError
from chain.content.ipfs import Imported, Ipfs
from chain.content.pin_set import Entry
from chain.content.unixfs import Block
from server.store import Store
from server.store.document_pins import DocumentPin
from server.store.pins import PinRow

PAGE = 256
"""Transcripts looked at together."""
PIECE = 1024 * 1024


class Exported(msgspec.Struct, frozen=True):
    season: int
    root: str
    sessions: int
    documents: int
    """Results and documents of epochs."""
    bytes: int
    """Of the archive."""


class Finding(msgspec.Struct, frozen=True):
    """A document that is not as it should be."""

    session: str
    """Whose transcript it is; or `result:SESSION`, `epoch:N`, `payouts:N`."""
    cid: str
    wrong: str


class Verified(msgspec.Struct, frozen=True):
    pins: int
    findings: list[Finding]
    mended: int
    """Of the findings."""
    asked: int
    """Sealed sessions that nobody had asked to pin, and that are pinned now or soon."""


async def season_root(store: Store, ipfs: Ipfs, season: int) -> tuple[Cid, list[Entry]]:
    """Pin the season's directory in the content store, by the name `agon season N`. Idempotent; a later one of a season
    that goes on is another id, and shares its pages."""
    entries = [_entry(row) async for row in rows(store, season)]
    entries += [_document_entry(row) async for row in documents(store, season) if _is_block(row)]
    entries.sort(key=lambda entry: entry.name)
    return await ipfs.pin_set(f"agon season {season}", entries), entries


async def export(store: Store, ipfs: Ipfs, season: int, out: Path) -> Exported:
    """Write the season as one CAR: its directory, then its transcripts, as the content store has them. `out` is replaced when all
    is written. Raises IpfsError, OSError."""
    root, entries = await season_root(store, ipfs, season)
    written = out.with_name(f".{out.name}.new")
    size = 0
    try:
        with written.open("wb") as file:
            async for piece in _archive(ipfs, root, entries):
                size += file.write(piece)
        written.replace(out)
    finally:
        written.unlink(missing_ok=True)
    documents = sum(
        entry.name.startswith("epoch-") or entry.name.endswith(".result.json") for entry in entries
    )
    return Exported(season, str(root), len(entries) - documents, documents, size)


async def _archive(ipfs: Ipfs, root: Cid, entries: list[Entry]) -> AsyncIterator[bytes]:
    yield car.header([root])
    for block in reversed(
        list(pin_set.blocks(entries))
    ):  # the root first, as every reader likes it
        yield car.section(block)
    for entry in entries:
        yield car.section(Block(entry.cid, await ipfs.block(entry.cid)))


async def import_file(ipfs: Ipfs, file: Path) -> list[Imported]:
    """Keep what is in an archive, and pin its roots. Raises IpfsError, OSError."""

    with file.open("rb") as opened:

        async def pieces() -> AsyncIterator[bytes]:
            while piece := opened.read(PIECE):
                yield piece

        return await ipfs.import_car(pieces())


async def verify(
    store: Store, ipfs: Ipfs, *, season: int | None = None, mend: bool = False
) -> Verified:
    """Fetch every pinned document by its id, and compare it with the one that the database has.

    What is not there, not pinned or not the same is marked as lost; `mend` keeps it anew from the database. Raises IpfsError where the
    content store itself does not serve.
    """
    pinned = {each.cid async for each in ipfs.pins()}
    count = mended = 0
    findings: list[Finding] = []
    page: list[PinRow] = []

    async def done_with(page: list[PinRow]) -> None:
        nonlocal mended
        found = [each for row in page for each in await _look(store, ipfs, row, pinned)]
        findings.extend(found)
        bad = {each.session for each in found}
        if bad and mend:
            mended += await _mend(store, ipfs, sorted(bad))
        elif bad:
            await store.pins.mark(bad, "lost")
        if good := {row.session for row in page if row.state == "lost"} - bad:
            await store.pins.mark(good, "pinned")

    async for row in rows(store, season):
        count += 1
        page.append(row)
        if len(page) == PAGE:
            await done_with(page)
            page = []
    await done_with(page)
    async for pin in documents(store, season):
        count += 1
        wrong = await _wrong(store, ipfs, pin, pinned)
        if wrong and mend and await _keep(store, ipfs, pin):
            mended += 1
            await store.document_pins.mark([pin], "pinned")
        elif wrong:
            await store.document_pins.mark([pin], "lost")
        elif pin.state == "lost":
            await store.document_pins.mark([pin], "pinned")
        if wrong:
            findings.append(Finding(f"{pin.kind}:{pin.name}", pin.cid, wrong))
    return Verified(count, findings, mended, await _ask(store) if mend else 0)


async def _wrong(store: Store, ipfs: Ipfs, pin: DocumentPin, pinned: set[Cid]) -> str:
    """What is wrong with a result, or a document of an epoch; empty: nothing."""
    id_ = cid.parse(pin.cid)
    document = await _document(store, pin)
    if document is not None and _is_block(pin) and not id_.is_of(document):
        return "the database has another document than was pinned"
    if id_ not in pinned:
        return "not pinned in the content store"
    try:
        await ipfs.block(id_)
    except IpfsError as error:
        return str(error)
    return ""


async def _document(store: Store, pin: DocumentPin) -> bytes | None:
    """What the database has of it; None of pay-outs that newer ones have replaced."""
    if pin.kind == "result":
        kept = await store.signed.result(pin.name)
        return None if kept is None else kept.document
    row = await store.epochs.get(int(pin.name))
    if row is None:
        return None
    return row.document if pin.kind == "epoch" else row.payouts


async def _keep(store: Store, ipfs: Ipfs, pin: DocumentPin) -> bool:
    """Keep it anew. False where the database has it no more, or another."""
    document = await _document(store, pin)
    if document is None or (_is_block(pin) and not cid.parse(pin.cid).is_of(document)):
        return False
    if _is_block(pin):
        await ipfs.keep([document])
        return True
    return str(await ipfs.add(document)) == pin.cid


def _is_block(pin: DocumentPin) -> bool:
    """Larger ones are files of several."""
    return pin.bytes <= MAX_BLOCK


async def _look(store: Store, ipfs: Ipfs, row: PinRow, pinned: set[Cid]) -> list[Finding]:
    id_ = cid.parse(row.cid)
    sealed = await store.sessions.transcript(row.session)
    if sealed is None or not id_.is_of(sealed):
        return [
            Finding(row.session, row.cid, "the database has another transcript than was pinned")
        ]
    if id_ not in pinned:
        return [Finding(row.session, row.cid, "not pinned in the content store")]
    try:
        await ipfs.block(id_)
    except IpfsError as error:
        return [Finding(row.session, row.cid, str(error))]
    return []


async def _mend(store: Store, ipfs: Ipfs, sessions: list[str]) -> int:
    """Keep their transcripts anew, from the database; those that are another than was pinned stay as they are."""
    mended = []
    for session in sessions:
        row, sealed = await store.pins.get(session), await store.sessions.transcript(session)
        if row is not None and sealed is not None and cid.parse(row.cid).is_of(sealed):
            await ipfs.keep([sealed])
            mended.append(session)
    await store.pins.mark(mended, "pinned")
    await store.pins.mark(set(sessions) - set(mended), "lost")
    return len(mended)


async def _ask(store: Store) -> int:
    asked = 0
    while found := await store.pins.ask_for_those_without():
        asked += found
    return asked


async def rows(store: Store, season: int | None = None) -> AsyncIterator[PinRow]:
    """Every pin, in the order of the sessions' ids."""
    after = ""
    while page := await store.pins.page(season=season, after=after):
        for row in page:
            yield row
        after = page[-1].session


async def documents(store: Store, season: int | None = None) -> AsyncIterator[DocumentPin]:
    """Every pin of a result or an epoch, in the order of kinds and names."""
    after = ("", "")
    while page := await store.document_pins.page(season=season, after=after):
        for pin in page:
            yield pin
        after = (page[-1].kind, page[-1].name)


def _document_entry(pin: DocumentPin) -> Entry:
    number = pin.name if pin.kind == "result" else f"epoch-{int(pin.name):09}"
    name = f"{number}.json" if pin.kind == "epoch" else f"{number}.{pin.kind}.json"
    return Entry(name, cid.parse(pin.cid), pin.bytes)


def _entry(row: PinRow) -> Entry:
    return Entry(f"{row.session}.json", cid.parse(row.cid), row.bytes)


def lines(found: Verified) -> Iterator[str]:
    """For people."""
    for each in found.findings:
        yield f"{each.session} {each.cid}: {each.wrong}"
    if found.asked:
        yield f"{found.asked} sealed sessions had not been asked for; a worker pins them"
    verdict = "all there" if not found.findings else f"{len(found.findings)} wrong"
    yield f"{found.pins} pinned documents: {verdict}" + (
        f", {found.mended} mended" if found.mended else ""
    )
