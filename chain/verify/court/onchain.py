"""What the chain says of a case: whether its filings, seeds and lists stand there, and what the clerk has anchored.

Believed: the node that is asked, and the court's address, which the caller names.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import msgspec

from chain.client.contract import Caller
from chain.client.court import CourtContract
from chain.client.hearings import Hearings
from chain.client.judge_registry import JudgeRegistry
from chain.court.filing import is_filed
from chain.documents import case as cases
from chain.documents import court_epoch as court_epochs
from chain.documents.case import CaseDocument, Hearing
from chain.documents.court_epoch import CourtEpoch
from chain.documents.form import DocumentError
from chain.verify.court import forced
from chain.verify.court.findings import ON_CHAIN
from chain.verify.finding import Finding, false, line, true, unchecked
from chain.verify.session import Documents

WHICH = "which court? name --manifest, or --court"


class Seat(msgspec.Struct, frozen=True, kw_only=True):
    """Where the court is to be looked at."""

    chain_id: int
    court: str | None
    """None: the caller has not said."""


async def findings(documents: Documents, seat: Seat, node: Caller) -> AsyncIterator[Finding]:
    """Nothing where no file of the court was given that can be read. Raises RpcUnavailable while the node does not answer,
    NoContract where no court is."""
    case = _case(documents)
    if case is None:
        return
    if seat.court is None:
        for what in ON_CHAIN:
            yield unchecked(what, WHICH)
        return
    if (case.chain_id, case.court.lower()) != (seat.chain_id, seat.court.lower()):
        words = f"the case is of court {case.court} on chain {case.chain_id}"
        yield false("filed", f"{words}, not of {seat.court}")
        return
    court = CourtContract(node, seat.court)
    yield await _filed(court, case)
    yield await _seeded(court, case)
    yield await _staked(JudgeRegistry(node, await court.registry()), case)
    epoch = _epoch(documents)
    if epoch is None:
        yield unchecked("anchored", "follows from the court's epoch: see line anchor")
    else:
        yield await _anchored(court, epoch)
    hearings = await court.hearings()
    if hearings is None:
        yield unchecked(forced.WHAT, "the court has no contract for hearings on the chain")
    else:
        yield await forced.finding(Hearings(node, hearings), case, epoch)


async def _filed(court: CourtContract, case: CaseDocument) -> Finding:
    """Each filing is a leaf of the batch that it names, and draws from the batch's snapshot."""
    for hearing in case.hearings:
        filing, number = hearing.filing.filing(), hearing.filing.hearing
        batch = await court.batch(hearing.filed.batch)
        if batch.block == 0:
            return false("filed", f"hearing {number}: the court has no batch {hearing.filed.batch}")
        proof = [bytes.fromhex(each) for each in hearing.filed.proof]
        if not is_filed(filing, proof, batch.root):
            words = f"batch {hearing.filed.batch} does not hold this filing"
            return false("filed", f"hearing {number}: {words}")
        if batch.snapshot != filing.snapshot:
            words = f"its batch draws from snapshot {batch.snapshot}, not {filing.snapshot}"
            return false("filed", f"hearing {number}: {words}")
    return true("filed", f"{_batches(case)}, before anybody was drawn")


async def _seeded(court: CourtContract, case: CaseDocument) -> Finding:
    for hearing in case.hearings:
        held = (await court.batch(hearing.filed.batch)).seed
        if held.hex() != hearing.seed:
            said = f"{held.hex()[:16]}…" if any(held) else "none"
            return false("seed", f"hearing {hearing.filing.hearing}: the court's is {said}")
    return true("seed", "as the court has kept it, from the hash of a later block")


async def _staked(registry: JudgeRegistry, case: CaseDocument) -> Finding:
    for snapshot in case.snapshots:
        held = (await registry.kept(snapshot.number)).digest
        if held.hex() != snapshot.digest:
            return false("staked", f"the registry holds another snapshot {snapshot.number}")
    numbers = ", ".join(str(each.number) for each in case.snapshots)
    return true("staked", f"who could be drawn is as the registry has kept it: snapshot {numbers}")


async def _anchored(court: CourtContract, epoch: CourtEpoch) -> Finding:
    if epoch.court.lower() != court.address.lower():
        return false("anchored", f"the epoch is of court {epoch.court}")
    if await court.epoch_count() < epoch.epoch:
        words = f"the court has {await court.epoch_count()} epochs, not {epoch.epoch}"
        return false("anchored", words)
    held = await court.epoch(epoch.epoch)
    said = (epoch.cases_root, epoch.earned_root, epoch.total_micros)
    wrong = ""
    if (held.cases_root.hex(), held.earned_root.hex(), held.total) != said:
        wrong = f"the court holds {held.cases_root.hex()[:16]}… for epoch {epoch.epoch}"
    return line("anchored", wrong, f"the court holds these leaves for epoch {epoch.epoch}")


def _case(documents: Documents) -> CaseDocument | None:
    try:
        return None if documents.case is None else cases.read(documents.case)
    except DocumentError:
        return None  # said already


def _epoch(documents: Documents) -> CourtEpoch | None:
    try:
        return None if documents.court_epoch is None else court_epochs.read(documents.court_epoch)
    except DocumentError:
        return None


def _batches(case: CaseDocument) -> str:
    def told(hearing: Hearing) -> str:
        return f"hearing {hearing.filing.hearing} in batch {hearing.filed.batch}"

    return ", ".join(map(told, case.hearings))
