"""What each viewer sees of a session after its last event."""

from __future__ import annotations

from collections.abc import Sequence

from server.live.records import SessionRecord, ViewSet
from server.match.decision import Open
from server.match.progress import Progress
from server.protocol import OpenDecision, OpenInquiry, SeatCard, SessionView, Step
from spaces.seed import commitment

_HEADLINE_CHARS = 80


class Views:
    """Builds the ViewSets of one session; what never changes is computed once."""

    def __init__(self, record: SessionRecord) -> None:
        self._record = record
        self._cards = [
            SeatCard(each.seat, each.agent, each.name, each.version, each.rating_milli, each.kind)
            for each in record.seats
        ]
        self._names = [card.name for card in sorted(self._cards, key=lambda card: card.seat)]
        self._seed_commit = commitment(record.session, record.seed)
        self._opened = [Step("opened", "done", record.opening)] if record.opening else []

    def of(self, progress: Progress) -> ViewSet:
        """The views of the public and of every seat. Raises what the rules raise, and
        what `ViewSet.of` does for a state that is no data."""
        headline = _headline(progress, self._names)
        return ViewSet.of(
            progress.offset - 1,
            self._view(progress, None, headline),
            (self._view(progress, card.seat, headline) for card in self._cards),
        )

    def _view(self, progress: Progress, viewer: int | None, headline: str) -> SessionView:
        return SessionView(
            session=self._record.session,
            space=self._record.space,
            rules=self._record.rules,
            status=progress.status,
            opened_ms=self._record.opened_ms,
            seats=self._cards,
            state={} if progress.failure else progress.space.observe(progress.state, viewer),
            headline=headline,
            turn=progress.turn,
            decisions=[_decision(each, viewer) for each in progress.open.values()],
            inquiry=_inquiry(progress),
            you=viewer,
            prompt=_prompt(progress, viewer),
            outcome=progress.outcome,
            seed_commit=self._seed_commit,
            tier_micros=self._record.tier_micros,
            digest=progress.digest,
            steps=self._steps(progress),
            annotations=progress.annotations,
        )

    def _steps(self, progress: Progress) -> list[Step]:
        """What was before the match and what follows it; where the escrow has its entries, it has the last word."""
        anchored = (
            [Step("anchored", "waiting")] if self._opened and progress.status != "live" else []
        )
        return [*self._opened, *_steps(progress), *anchored]


def _headline(progress: Progress, names: Sequence[str]) -> str:
    if progress.failure:
        return "void"
    return progress.space.headline(progress.state, names)[:_HEADLINE_CHARS]


def _prompt(progress: Progress, viewer: int | None) -> str | None:
    own = progress.open.get(viewer) if viewer is not None else None
    if own is None or own.done or progress.failure:
        return None
    return progress.space.prompt(progress.state, own.seat)


def _decision(open_: Open, viewer: int | None) -> OpenDecision:
    deadline_ms, attempt = open_.seen_by(viewer)
    return OpenDecision(
        seat=open_.seat,
        kind=open_.decision.kind,
        deadline_ms=deadline_ms,
        attempt=attempt,
        done=open_.done,
        fault=open_.fault if viewer == open_.seat else None,
    )


def _inquiry(progress: Progress) -> OpenInquiry | None:
    """What is asked of the oracle may be secret, so none of it is shown."""
    asked = progress.inquiry
    if asked is None:
        return None
    return OpenInquiry(asked.number, asked.inquiry.kind, asked.opens_ms, asked.deadline_ms)


def _steps(progress: Progress) -> list[Step]:
    """What follows the match; workers go on from here."""
    if progress.status == "live":
        return []
    steps = [Step("sealed", "done" if progress.digest else "running")]
    if progress.status == "ended" and progress.outcome is not None:
        if progress.outcome["returns"] is None:  # the rules leave it to the judges
            steps.append(Step("judged", "waiting"))
        steps.append(Step("rated", "waiting"))
    return steps
