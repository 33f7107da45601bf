"""The court's arithmetic for a verifier: `judges.court` beside `chain.court`, which do not know each other."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal

from chain.court.filing import Filing
from chain.court.snapshot import Snapshot, family_name
from chain.verify.court.rules import Means, Over, Reckoned, Rubric, Sheet
from judges import panel
from judges.case import case_of
from judges.court import escalation, overturn
from judges.court.draw import Candidate, TooFew, draw
from judges.court.hearing import missing
from judges.court.reckoning import Question, reckon
from judges.court.terms import quorum
from judges.rubric import NoRubric, rubric_of
from judges.screen import screen
from spaces.transcript import Replayed


class Recount:
    """`chain.verify.court.rules.Rules`."""

    def rubric(self, space: str) -> Rubric | None:
        try:
            found = rubric_of(space)
        except NoRubric:
            return None
        names = tuple(each.name for each in found.lines)
        return Rubric(found.id, names, tuple(each.weight for each in found.lines))

    def drawn(
        self, snapshot: Snapshot, seats: int, word: Callable[[int], int]
    ) -> tuple[list[str], list[str]]:
        candidates = candidates_of(snapshot)
        try:
            found = draw(candidates, seats, word)
        except TooFew as error:
            raise ValueError(str(error)) from None
        judges = [each.judge for each in candidates]
        return [judges[at] for at in found.seated], [judges[at] for at in found.reserves]

    def reckon(self, filing: Filing, sheets: Sequence[Sheet], reference: Sheet | None) -> Reckoned:
        found = reckon(question_of(filing), sheets, reference)
        seats = tuple(Means(each.skill, each.pay, each.slash) for each in found.seats)
        return Reckoned(found.medians, found.totals, found.margin, seats)

    def missed(self, filing: Filing, standing: Literal["unrevealed", "absent"]) -> Means:
        found = missing(filing.lock, bound=standing == "unrevealed")
        return Means(found.skill, found.pay, found.slash)

    def unpaid(self, filing: Filing) -> Means:
        return Means(0, 0, 0)

    def overturned(
        self, filing: Filing, sheet: Sheet, was: Sequence[int], last: Sequence[int]
    ) -> int:
        return overturn.overturn_slash(question_of(filing), sheet, was, last, filing.margin)

    def quorum(self, seats: int) -> int:
        return max(1, quorum(seats))

    def following(
        self, over: Sequence[Over], margin: int, escalations: int, can: Callable[[int], bool]
    ) -> int | None:
        ended = [escalation.Ended(each.seats, each.margin) for each in over]
        found = escalation.following(ended, margin, escalations, can)
        return found.seats if isinstance(found, escalation.Again) else None

    def seatable(self, snapshot: Snapshot, seats: int, lock: int) -> bool:
        return escalation.coverable(candidates_of(snapshot), seats, lock)

    def ranks(self, space: str, totals: Sequence[int], played: Replayed | None) -> list[int]:
        forfeited = () if played is None else self.forfeited(played)
        return list(panel.ranks(totals, rubric_of(space).tie_milli, forfeited))

    def forfeited(self, played: Replayed) -> Collection[int]:
        case = case_of(played.space.id, played.space.observe(played.state, None))
        return screen(case).forfeited


def candidates_of(snapshot: Snapshot) -> list[Candidate]:
    """Whom a draw chooses from, in the snapshot's order; a family that is no text is called by its hex."""
    return [
        Candidate(each.judge, each.operator, family_name(each.family), each.weight)
        for each in snapshot.judges
    ]


def question_of(filing: Filing) -> Question:
    return Question(
        weights=filing.weights,
        contestants=filing.contestants,
        prior=filing.prior,
        scale=filing.scale,
        seats=filing.seats,
        fee=filing.fee,
        lock=filing.lock,
    )
