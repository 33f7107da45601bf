"""The steps of a session as the API tells them: what the chain did before it, what follows a match, and what the chain does last.

The live views tell the same while somebody watches (`server.match.views`, `server.jobs.aftermath`); this is for whoever asks later.
"""

from __future__ import annotations

from typing import Literal

from server.api.operation import Services
from server.protocol import Step
from server.store.epochs import EscrowSession
from server.store.outbox import HOLD_NOBODY_UP, OutboxRow
from server.store.pins import PUBLISH
from server.store.sessions import SessionRow


async def steps(services: Services, row: SessionRow, *, live: bool) -> list[Step]:
    """`live`: as spectators see it; then nothing has followed it yet."""
    found = _aftermath(row, [] if live else await services.store.outbox.steps(row.session))
    escrow = await services.store.epochs.session(row.session) if row.tier_micros else None
    if escrow is None:  # nothing is paid on a chain
        return found
    first = await _opened(services, escrow)
    return (
        [first, *found] if live or first.state == "failed" else [first, *found, _anchored(escrow)]
    )


async def opening_tx(services: Services, escrow: EscrowSession) -> str | None:
    """The transaction that has opened it; None where it is in no block."""
    if escrow.opening is None:
        return None
    sent = await services.store.chain_txs.find(services.config.chain_id, escrow.opening)
    return None if sent is None or sent.mined is None else sent.mined.hash


async def _opened(services: Services, escrow: EscrowSession) -> Step:
    if escrow.state == "wanted":
        return Step("opened", "waiting")
    if escrow.state == "refused":
        return Step("opened", "failed", "the escrow has refused it: a wallet would not pay")
    return Step("opened", "done", await opening_tx(services, escrow) or "")


def _anchored(escrow: EscrowSession) -> Step:
    match escrow.state:
        case "settled":
            return Step("anchored", "done", f"epoch {escrow.epoch}, tx {escrow.tx}")
        case "refunded":
            return Step("anchored", "done", f"refunded, tx {escrow.tx}")
        case _:
            return Step("anchored", "waiting")


_NAMES = {
    "void": "voided",
    "judge": "judged",
    "settle": "settled",
    "pin": "pinned",
    "rate": "rated",
}
_GIVEN_UP = {"judge": "judging failed", "settle": "settling failed", "rate": "rating failed"}
_STATES: dict[str, Literal["waiting", "running", "done", "failed"]] = {
    "waiting": "waiting",
    "running": "running",
    "done": "done",
    "dead": "failed",
    "void": "failed",
}
_VOID = "the session is void"


def _aftermath(row: SessionRow, rows: list[OutboxRow]) -> list[Step]:
    """What follows a match, as the live views name it; the reason of a failure stays in our log.

    A step behind one that was given up waits in the outbox, for a redrive; here it has failed.
    """
    found = [Step("sealed", "waiting" if row.digest is None else "done")]
    dead = ""
    for step in rows:
        if step.step in ("open", PUBLISH):
            continue
        name, state = _NAMES.get(step.step, step.step), _STATES[step.state]
        if step.state == "void":
            found.append(Step(name, state, _VOID))
        elif dead and state == "waiting":
            found.append(Step(name, "failed", dead))
        else:
            found.append(Step(name, state))
        if step.state == "dead" and step.step not in HOLD_NOBODY_UP:
            dead = _GIVEN_UP.get(step.step, f"{step.step} failed")
    return found
