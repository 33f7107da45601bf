"""Asking every judge about every trial, and a journal of what they said: a bench that was stopped goes on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

import msgspec

from judges.bench.trials import Trial
from judges.faults import JudgeFault
from judges.judge import Judge
from judges.leaning import Leaning
from judges.parse import Ballot
from judges.rubric import MILLI, Rubric, rubric_of

NONCE = "5eed0fa9be11c0de"
"""No contestant of the bench has seen it."""


class Said(msgspec.Struct, frozen=True):
    """What one judge said of one trial."""

    family: str
    judge: str
    trial: str
    """`Trial.key`."""
    scores_milli: tuple[tuple[int, ...], ...] = ()
    """For each rubric line and seat; empty where the judge failed."""
    by_order: tuple[int, ...] = ()
    """Of a model: for each order in which it was asked, how far it preferred seat 0, in thousandths of a point
    or of log odds. Empty for judges that are led by instruments."""
    fault: str = ""
    ms: int = 0
    asked: int = 0
    """Questions to a model."""
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Progress(msgspec.Struct, frozen=True):
    done: int
    of: int
    family: str
    trial: str


class BadJournal(ValueError):
    """The journal in the folder is of another bench, or is no journal."""


class Journal:
    """One file, a line for each thing said, written as it is said. A last line that was cut off is dropped."""

    def __init__(self, path: Path, stamp: str) -> None:
        """`stamp` says what is asked; a journal with another one is not continued. Raises BadJournal, OSError."""
        self.said: dict[tuple[str, str], Said] = {}
        self.failed: list[Said] = []
        """Of this run: a judge that failed is asked again when the bench goes on."""
        self._path = path
        head = msgspec.json.encode({"bench": stamp})
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        if lines and lines[0] and lines[0] != head:
            raise BadJournal(
                f"{path} holds another bench; choose another --out, or remove it to begin again"
            )
        for line in filter(None, lines[1:-1]):
            try:
                found = msgspec.json.decode(line, type=Said)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BadJournal(f"{path} is damaged: {error}") from None
            if not found.fault:
                self._keep(found)
        path.parent.mkdir(parents=True, exist_ok=True)
        kept = [head, *(msgspec.json.encode(each) for each in self.said.values())]
        path.write_bytes(b"\n".join(kept) + b"\n")
        self._file: IO[bytes] = path.open("ab")

    def add(self, said: Said) -> None:
        self._keep(said)
        self._file.write(msgspec.json.encode(said) + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def _keep(self, said: Said) -> None:
        if said.fault:
            self.failed.append(said)
        else:
            self.said[said.family, said.trial] = said


async def ask_all(
    judges: Mapping[str, Judge],
    trials: Sequence[Trial],
    journal: Journal,
    told: Callable[[Progress], None],
    at_once: int = 1,
) -> int:
    """Ask each judge about each trial that it has said nothing of; how many it failed to judge.

    Cancelling is safe: what was said stays in the journal.
    """
    left = [
        (family, trial)
        for trial in trials
        for family in judges
        if (family, trial.key) not in journal.said
    ]
    total = len(trials) * len(judges)
    done = total - len(left)
    failed = 0
    queue = iter(left)

    async def work() -> None:
        nonlocal done, failed
        for family, trial in queue:
            said = await _ask(family, judges[family], trial)
            journal.add(said)
            done += 1
            failed += bool(said.fault)
            told(Progress(done, total, family, trial.key))

    async with asyncio.TaskGroup() as workers:
        for _ in range(max(1, at_once)):
            workers.create_task(work())
    return failed


async def _ask(family: str, judge: Judge, trial: Trial) -> Said:
    from judges.llm import ModelJudge

    rubric = rubric_of(trial.case.space)
    started = time.monotonic()
    try:
        if isinstance(judge, ModelJudge):
            answers, calls = await judge.answers(rubric, trial.case, NONCE)
            opinion = judge.opinion_of(answers, trial.case)
            by_order = tuple(_preferred(rubric, each) for each in answers)
        else:
            opinion, calls = await judge.opinion(rubric, trial.case, NONCE)
            by_order = ()
    except JudgeFault as fault:
        return Said(family, judge.model, trial.key, fault=fault.reason)
    return Said(
        family=family,
        judge=judge.model,
        trial=trial.key,
        scores_milli=opinion.scores_milli,
        by_order=by_order,
        ms=int((time.monotonic() - started) * 1_000),
        asked=sum(call.attempts for call in calls),
        prompt_tokens=sum(call.prompt_tokens for call in calls),
        completion_tokens=sum(call.completion_tokens for call in calls),
    )


def _preferred(rubric: Rubric, answer: Ballot | Leaning) -> int:
    """Of two seats, how far this answer is for seat 0, over the weighed lines."""
    if isinstance(answer, Leaning):
        values = [odds if answer.order[0] == 0 else -odds for odds in answer.odds]
    else:
        lines = range(len(rubric.lines))
        values = [answer.score(line, 0) - answer.score(line, 1) for line in lines]
    weighed = sum(line.weight * value for line, value in zip(rubric.lines, values, strict=True))
    return round(weighed * MILLI / rubric.weight)
