"""The last step of a paid session's proof: what the chain has made of it, told to whoever watches.

No outbox row: settlement on the chain knows by its own tables which sessions an epoch holds, and calls these once the
transaction is confirmed. Calling them again changes nothing. That the escrow has taken the entries, the step `opened`,
stands in the session's record before its first event (`SessionRecord.opening`).
"""

from __future__ import annotations

from server.jobs.aftermath import Aftermath, Change
from server.protocol import Step

SHOWN = "anchored"


async def tell_anchored(aftermath: Aftermath, session: str, epoch: int, tx: str) -> bool:
    """The epoch that holds the session's result is closed on the chain, by this transaction.

    False when nobody can be watching any more. Raises TooEarly when the host does not finish the log.
    """
    body: dict[str, object] = {"epoch": epoch, "tx": tx}
    return await _tell(aftermath, session, f"epoch {epoch}, tx {tx}", body)


async def tell_refunded(aftermath: Aftermath, session: str, tx: str) -> bool:
    """The escrow has given the entries of a void session back, by this transaction. As `tell_anchored`."""
    return await _tell(aftermath, session, f"refunded, tx {tx}", {"refunded": True, "tx": tx})


async def _tell(aftermath: Aftermath, session: str, words: str, body: dict[str, object]) -> bool:
    # Not `once`: after a reorganisation it is told anew, with the transaction that stands.
    done = Step(SHOWN, "done", words)
    return await aftermath.tell(session, Change(SHOWN, "host", body, (done,)))
