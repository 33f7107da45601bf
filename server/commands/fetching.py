"""Where a verifier's documents come from: files first, then content ids, then the arena."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from chain.verify.finding import Finding, unchecked
from chain.verify.session import Documents
from server.commands.arena_word import MAX_BYTES, Proof, fetch, newest_payouts, proof_of
from server.commands.running import CommandError

if TYPE_CHECKING:  # it brings web3 with it
    from server.commands.chain_at import ChainAt

NAMES = ("transcript", "result", "epoch", "payouts", "case", "court_epoch")
NO_EPOCH = "no epochs yet: settlement here is simulated, no chain holds a root"
NO_PROOF = "the arena tells of no proof of such a session"
AWAY = "; is the node up? The chain that an arena started ends with it: `agon chain dev --file DATA_DIR/chain/devchain.sqlite` serves it"
NOT_PAID = "the session pays nothing on a chain, so it is in no epoch"
NOT_CLOSED = "no epoch holds it yet: ask again when the next one is closed"
REFUNDED = "the session is void: its entries went back, and it is in no epoch"
replace = msgspec.structs.replace
_CID = re.compile(r"b[a-z2-7]{58}")
_VERSION = re.compile(rb'"v":"agon-(transcript|result|epoch|payouts|case|court-epoch)/1"')


class Wanted(msgspec.Struct, frozen=True):
    """What is to be checked, and where it may be had."""

    session: str | None = None
    url: str | None = None
    files: Mapping[str, Path | None] = {}
    ipfs: str | None = None
    cids: Mapping[str, str | None] = {}


def named(
    what: str | None, files: Mapping[str, Path | None]
) -> tuple[str | None, Mapping[str, Path | None]]:
    """A session's id; or none, and the files with those that `what` is and that lies beside it. Raises CommandError for a
    file that is not there."""
    if what is None or not (file := Path(what)).is_file():
        if what is not None and ("/" in what or what.endswith(".json")):
            raise CommandError(f"there is no file {what}")
        return what, files
    taken = {**files, "transcript": files["transcript"] or file}
    for name in ("result", "case", "court_epoch"):
        beside = file.with_name(file.name.replace(".transcript.json", f".{name}.json"))
        if taken[name] is None and beside != file and beside.is_file():
            taken[name] = beside
    return None, taken


def is_cid(what: str | None) -> bool:
    return what is not None and _CID.fullmatch(what) is not None


def documents(wanted: Wanted) -> Documents:
    """What can be had. Raises CommandError for a file that cannot be read and an arena that does not answer."""
    found = _Found()
    for name, file in wanted.files.items():
        if file is not None:
            found.given[name] = _read(name, file)
    proof = _of_arena(wanted, found)
    if wanted.ipfs is not None:
        _of_content(wanted.ipfs, _ids(proof, wanted), found)
    _of_court(wanted, found)
    return Documents(
        transcript=found.given.get("transcript"),
        result=found.given.get("result"),
        epoch=found.given.get("epoch"),
        payouts=found.given.get("payouts"),
        case=found.given.get("case"),
        court_epoch=found.given.get("court_epoch"),
        missing=found.missing,
        kept=tuple(found.kept),
        lost=found.lost,
    )


def by_cid(cid: str, wanted: Wanted) -> Documents:
    """What is under a content id, whichever document it is; of a result its transcript, too. Raises CommandError."""
    if wanted.ipfs is None:
        raise CommandError(f"{cid} is a content id: name a content store by --ipfs")
    first = _Found()
    _of_content(wanted.ipfs, {"document": cid}, first)
    block = first.given.get("document")
    if block is None:
        why = first.lost.get("document") or first.missing["document"]
        raise CommandError(f"{cid}: {why}")
    kind = _VERSION.search(block)
    if kind is None:
        raise CommandError(
            f"{cid} is no transcript, result, epoch, pay-outs or court's file of an arena"
        )
    cids = {**wanted.cids, kind[1].decode().replace("-", "_"): cid}
    return documents(replace(wanted, session=None, cids=cids))


def of_chain(documents: Documents, at: ChainAt) -> list[Finding]:
    """What the chain says of them. Raises CommandError where the caller's node does not answer."""
    import asyncio

    from chain.client.contract import NoContract
    from chain.client.node import Reverted, WrongChain

    try:
        return asyncio.run(_asked(documents, at))
    except (OSError, NoContract, Reverted) as error:
        if at.named:
            away = isinstance(error, OSError) and not isinstance(error, WrongChain)
            raise CommandError(f"--rpc: {error}{AWAY if away else ''}") from None
        return [unchecked("chain", f"{error}")]


async def _asked(documents: Documents, at: ChainAt) -> list[Finding]:
    from chain.client.node import WrongChain
    from chain.client.rpc import Rpc
    from chain.verify import onchain
    from chain.verify.court import onchain as court

    node = Rpc(at.rpc, at.chain_id)
    try:
        await node.check()
        if at.genesis is not None and (begins := await node.genesis()) != at.genesis:
            raise WrongChain(
                f"the node's chain {at.chain_id} begins with {begins[:18]}…, the manifest's with {at.genesis[:18]}…"
            )
        claimed = onchain.Claimed(chain_id=at.chain_id, escrow=at.escrow)
        found = await onchain.check(documents, claimed, node)
        seat = court.Seat(chain_id=at.chain_id, court=at.court)
        return found + [each async for each in court.findings(documents, seat, node)]
    finally:
        await node.close()


class _Found:
    """What was found so far."""

    def __init__(self) -> None:
        self.given: dict[str, bytes] = {}
        self.missing: dict[str, str] = {}
        self.kept: list[str] = []
        self.lost: dict[str, str] = {}

    def keep(self, name: str, found: bytes | str) -> None:
        """A document, or why there is none."""
        if isinstance(found, bytes):
            self.given[name] = found
        else:
            self.missing[name] = found


def _of_arena(wanted: Wanted, found: _Found) -> Proof:
    """What the arena hands out of the session, but for what comes from a content store; and what it says of its proof."""
    if wanted.session is None:
        return Proof()
    path = f"/v1/sessions/{quote(wanted.session, safe='')}"
    proof = proof_of(wanted.url, path)
    if wanted.ipfs is not None and proof.closed is not None:
        epoch = replace(proof.closed, payouts_cid=newest_payouts(wanted.url))
        proof = replace(proof, epoch=epoch)
    ids = {} if wanted.ipfs is None else _ids(proof, wanted)
    for name in ("transcript", "result"):
        if name not in found.given and ids.get(name) is None:
            if name == "transcript" and wanted.ipfs is not None and not proof.known:
                continue  # by the result's word
            found.keep(name, fetch(wanted.url, f"{path}/{name}"))
    if proof.closed is None:
        if "epoch" not in found.given:
            found.missing["epoch"] = _why_no_epoch(proof)
        return proof
    for name, where in (
        ("epoch", f"/v1/epochs/{proof.closed.epoch}"),
        ("payouts", "/v1/epochs/latest/payouts"),
    ):
        if name not in found.given and ids.get(name) is None:
            found.keep(name, fetch(wanted.url, where))
    return proof


def _of_court(wanted: Wanted, found: _Found) -> None:
    """The court's file, by its id where there is a content store; and the court's epoch that has anchored it."""
    id_ = _case_named(found.given.get("result"))
    if id_ is None and "case" not in found.given:
        return
    if "case" not in found.given and "case" not in found.lost:
        if wanted.ipfs is not None:
            _take_content(wanted.ipfs, {"case": id_ or ""}, found)
        elif wanted.session is not None:
            found.keep("case", fetch(wanted.url, f"{_case_path(wanted.session)}/document"))
        else:
            found.missing["case"] = f"it is {id_}: give --case, or --ipfs"
    if "court_epoch" not in found.given and "court_epoch" not in found.lost:
        if wanted.session is not None:
            found.keep("court_epoch", fetch(wanted.url, f"{_case_path(wanted.session)}/epoch"))
        else:
            found.missing["court_epoch"] = "give --court-epoch, or --court-epoch-cid with --ipfs"


def _case_path(session: str) -> str:
    return f"/v1/court/cases/{quote(session, safe='')}"


def _case_named(result: bytes | None) -> str | None:
    """The court's file that a result names, whatever it is worth."""
    from chain.documents import result as results
    from chain.documents.form import DocumentError

    try:
        verdict = None if result is None else results.read(result).verdict
    except DocumentError:
        return None
    return None if verdict is None else verdict.case


def _why_no_epoch(proof: Proof) -> str:
    if not proof.known:
        return NO_PROOF
    if proof.escrow is None:
        on_chain = any(each.name == "signed" and each.state == "done" for each in proof.lines)
        return NOT_PAID if on_chain else NO_EPOCH
    return REFUNDED if proof.escrow.state == "refunded" else NOT_CLOSED


def _ids(proof: Proof, wanted: Wanted) -> dict[str, str]:
    """The caller's, and the arena's where he names none."""
    return _cids_of(proof) | {name: cid for name, cid in wanted.cids.items() if cid is not None}


def _cids_of(proof: Proof) -> dict[str, str]:
    """The content ids that the arena names; of the transcript and the result once it says that they are pinned."""
    told: dict[str, str | None] = {}
    for name, document in (("transcript", proof.transcript), ("result", proof.result)):
        told[name] = document.cid if document is not None and document.pinned else None
    if proof.closed is not None:
        told |= {"epoch": proof.closed.cid, "payouts": proof.closed.payouts_cid}
    return {name: cid for name, cid in told.items() if cid is not None and is_cid(cid)}


def _of_content(url: str, cids: Mapping[str, str], found: _Found) -> None:
    """Documents by their ids; the transcript's is the result's word where nobody else has said it. Raises CommandError."""
    wanted = {name: cid for name, cid in cids.items() if name not in found.given}
    _take_content(url, wanted, found)
    if "transcript" in found.given or wanted.get("transcript") or "document" in cids:
        return
    id_ = _named(found.given.get("result"), found.given.get("case"))
    if id_ is None:
        found.missing["transcript"] = "nobody has said its content id: give --cid, or a result"
    else:
        _take_content(url, {"transcript": id_}, found)


def _take_content(url: str, cids: Mapping[str, str], found: _Found) -> None:
    import asyncio

    from chain.content import cid as cids_of
    from chain.content.errors import IpfsError, Unavailable
    from chain.content.ipfs import Ipfs

    async def take() -> None:
        async with Ipfs(url) as ipfs:
            for name, text in cids.items():
                try:
                    found.given[name] = await ipfs.cat(cids_of.parse(text), MAX_BYTES)
                    found.kept.append(name)
                except cids_of.NotACid as error:
                    option = "--cid" if name == "transcript" else f"--{name.replace('_', '-')}-cid"
                    raise CommandError(f"{option}: {error}") from None
                except Unavailable as error:
                    found.missing[name] = str(error)
                except IpfsError as error:
                    found.missing[name] = found.lost[name] = str(error)

    if cids:
        asyncio.run(take())


def _named(result: bytes | None, case: bytes | None) -> str | None:
    """The transcript's content id that a result, or a court's file, names; whatever it is worth."""
    from chain.documents import case as cases
    from chain.documents import result as results
    from chain.documents.form import DocumentError

    try:
        if result is not None:
            return results.read(result).transcript
        return None if case is None else cases.read(case).transcript
    except DocumentError:
        return None


def _read(name: str, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).removesuffix(b"\n")  # editors add one
    except OSError as error:
        option = name.replace("_", "-")
        raise CommandError(f"--{option} {file}: cannot be read: {error.strerror}") from None
