"""Where a reorganisation has given a batch another seed after its panels were drawn: they are drawn again. Pure."""

from __future__ import annotations

import msgspec

from server.court.case import Case

WHY = "the chain was reorganised, and another panel is drawn"


def reseeded(case: Case, seed: str, now_ms: int) -> Case:
    """`seed`: of the last hearing's batch, hex, as the chain has it now. A hearing in which nobody has committed begins anew, by the
    same filing. One in which somebody has is over, and has failed: whoever committed could be drawn again and must not commit
    twice. One that is over stays as it is: its judges did what they were asked."""
    held = case.last
    if case.state != "open" or held.state not in ("committing", "revealing") or held.seed == seed:
        return case
    if held.messages:
        failed = msgspec.structs.replace(
            held, state="failed", ended_ms=now_ms, by_ms=None, note=WHY
        )
        return case.with_last(failed)
    anew = msgspec.structs.replace(
        held,
        state="wanted",
        filed=None,
        filed_ms=None,
        seed=None,
        drawn_ms=None,
        by_ms=None,
        called=False,
        commit_by_ms=None,
        reveal_by_ms=None,
        bench=(),
        note=WHY,
    )
    return case.with_last(anew)
