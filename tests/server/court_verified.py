"""What a stranger's verifier says of a case that the clerk has closed: of its file, the court's epoch, and the chain."""

from __future__ import annotations

from chain.content import cid
from chain.documents import case as cases
from chain.verify.court import findings, onchain
from chain.verify.finding import Finding, lies, merged
from chain.verify.report import report
from chain.verify.session import Documents
from server.court.recount import Recount
from tests.chain.rpc import CHAIN_ID
from tests.server.court_chain_world import CourtWorld


async def verified(world: CourtWorld, session: str) -> dict[str, Finding]:
    """By line. Nothing of it may be a lie."""
    document = await world.store.court.document(session)
    assert document is not None
    epoch = await world.store.court_epochs.newest()
    held = epoch is not None and cases.document_digest(document).hex() in epoch.document.decode()
    given = Documents(case=document, court_epoch=epoch.document if epoch and held else None)
    pure = list(findings.findings(given, Recount(), lambda block: str(cid.of(block))))
    seat = onchain.Seat(chain_id=CHAIN_ID, court=world.court.address)
    asked = [each async for each in onchain.findings(given, seat, world.chain.rpc)]
    told = merged(pure, asked)
    assert lies(told) == [], report(told)
    return {each.what: each for each in told}
