"""The arena's own panel, where no staked judges are drawn: those that the operator names."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from judges import panel
from judges.case import Case
from judges.evidence import evidence_of
from judges.instruments.embedding import Vectors
from judges.instruments.pronounce import VowelsOf
from judges.judge import Judge
from judges.llm import Call
from judges.rubric import rubric_of
from judges.screen import screen
from judges.verdict import Opinion, Verdict


class Judging(msgspec.Struct, frozen=True):
    """A verdict and what it took."""

    verdict: Verdict
    calls: tuple[Call, ...]


class HousePanel:
    """Asks each of its judges and takes the median. One judge that fails fails the panel."""

    def __init__(
        self, judges: Sequence[Judge], vowels_of: VowelsOf, vectors: Vectors | None = None
    ) -> None:
        self._judges = tuple(judges)
        self._vowels_of = vowels_of
        self._vectors = vectors

    async def judge(self, case: Case, nonce: str) -> Judging:
        """Raises JudgeFault, or NoRubric for a Space that judges do not decide."""
        rubric = rubric_of(case.space)
        opinions: list[Opinion] = []
        calls: list[Call] = []
        for judge in self._judges:
            opinion, asked = await judge.opinion(rubric, case, nonce)
            opinions.append(opinion)
            calls.extend(asked)
        evidence = evidence_of(case, self._vowels_of, self._vectors)
        forfeited = screen(case).forfeited
        note = "; ".join(dict.fromkeys(judge.how for judge in self._judges))
        verdict = panel.aggregate(rubric, opinions, evidence, note, forfeited)
        return Judging(verdict, tuple(calls))

    async def aclose(self) -> None:
        for judge in self._judges:
            await judge.aclose()
