"""What watchers of a session learn of its aftermath: verdict and steps, in its views and its log.

The host has gone by then. Workers publish on the channel in its place, each change made from the view
that stood there and refused by Redis if the channel has moved since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from server.clock import Clock
from server.jobs.faults import TooEarly
from server.live import keys
from server.live.log import Head, LiveLog, Moved
from server.live.records import LogEvent, ViewSet
from server.protocol import CaseView, SessionView, Step, VerdictView

ORDER = ("opened", "sealed", "judged", "settled", "pinned", "rated", "anchored")
"""The steps as they are shown; `opened` and `anchored` where the money is on a chain (`server.jobs.anchored`)."""
DIGEST_WAIT_S = 10.0
"""The host appends `digest` right after the store has the transcript; if it dies in between, the next
host does within seconds."""
_LOOK_S = 0.05
_TRIES = 20


class Change(msgspec.Struct, frozen=True):
    """One event of the aftermath and what it does to the views."""

    type: str
    by: str
    body: dict[str, Any]
    steps: tuple[Step, ...]
    verdict: VerdictView | None = None
    court: CaseView | None = None

    def of(self, view: SessionView) -> SessionView:
        return msgspec.structs.replace(
            view,
            steps=merged(view.steps, self.steps),
            verdict=self.verdict or view.verdict,
            court=self.court or view.court,
        )


def merged(standing: Sequence[Step], news: Sequence[Step]) -> list[Step]:
    """The steps with the news in their places."""
    by_name = {step.name: step for step in (*standing, *news)}
    return sorted(
        by_name.values(),
        key=lambda step: ORDER.index(step.name) if step.name in ORDER else len(ORDER),
    )


def step_change(step: Step, *more: Step) -> Change:
    """A step began or failed: the event `step`."""
    return Change(
        "step",
        "host",
        {"name": step.name, "state": step.state, "detail": step.detail},
        (step, *more),
    )


class Aftermath:
    def __init__(self, log: LiveLog, clock: Clock, digest_wait_s: float = DIGEST_WAIT_S) -> None:
        self._log = log
        self._clock = clock
        self._digest_wait_s = digest_wait_s

    async def tell(self, session: str, change: Change, *, once: str = "") -> bool:
        """Publish the change. False when there was nothing to tell: it stands there already, or the
        session's live keys have expired and nobody can be watching.

        `once` names a change that happens at most once in a session; others are told again whenever
        the views say something else. Raises TooEarly when the host does not finish the log.
        """
        channel = keys.session_channel(session)
        for _ in range(_TRIES):
            head = await self._finished(channel)
            views = _session_views(head)
            if head is None or views is None:
                return False
            changed = _changed(views, change)
            if msgspec.structs.replace(changed, offset=views.offset) == views:
                return False
            event = LogEvent(
                t=max(0, self._clock() - _public(views).opened_ms),
                by=change.by,
                type=change.type,
                body=change.body,
            )
            batch = once or f"{change.type}:{head.offset}"
            try:
                await self._log.publish(
                    channel, batch, [event], changed, keys.SESSION_TTL_S, base=head.offset
                )
            except Moved:
                continue
            return True
        raise TooEarly(f"{channel} does not come to rest")

    async def _finished(self, channel: str) -> Head | None:
        """The head once the host has written its last event; after that only workers write."""
        deadline = asyncio.get_running_loop().time() + self._digest_wait_s
        while True:
            head = await self._log.head(channel)
            views = _session_views(head)
            if views is None or _public(views).digest is not None:
                return head
            if asyncio.get_running_loop().time() >= deadline:
                raise TooEarly(f"{channel} has no digest after {self._digest_wait_s:g} s")
            await asyncio.sleep(_LOOK_S)


def _session_views(head: Head | None) -> ViewSet | None:
    if head is None or head.views is None or not isinstance(head.views.public, SessionView):
        return None
    return head.views


def _public(views: ViewSet) -> SessionView:
    public = views.public
    assert isinstance(public, SessionView), "a session's channel shows a session"
    return public


def _changed(views: ViewSet, change: Change) -> ViewSet:
    return ViewSet.of(
        views.offset, change.of(_public(views)), (change.of(view) for view in views.seats)
    )
