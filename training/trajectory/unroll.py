"""A transcript as what each seat was asked and said, and what came of it. Pure.

The transcript is replayed by the rules that wrote it (`spaces.transcript.replay`), so one that does not hold
teaches nothing. Every seat's questions are asked anew with the one system prompt of the agent that is to
learn: a rival's prompt is secret, and what is learnt is how this agent should have answered.

What a transcript does not keep is what was said in an attempt that did not count: such a turn has its reason
and no words. Matches that are played in process (`training.play`) keep them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from chain.content import cid
from spaces import transcript
from spaces.space import Space
from spaces.transcript import Attempt
from training.trajectory.returns import Verdict, standings
from training.trajectory.turn import PlainQuestions, Questions, SeatRecord, Turn, with_fault


def unroll(
    document: bytes,
    system: str,
    questions: Questions | None = None,
    *,
    players: Sequence[str] = (),
    verdict: Verdict | None = None,
) -> tuple[SeatRecord, ...]:
    """The seats' records, in the order of the seats; none where nothing came of the session (`standings`).

    `players` are the versions by seat, as the result says; empty while they are secret. Raises
    TranscriptError for what is no transcript or does not hold, ValueError for players or a verdict of
    another number of seats.
    """
    told = transcript.read(document)
    seats = len(told.seats)
    if players and len(players) != seats:
        raise ValueError(f"{len(players)} players for {seats} seats")
    if verdict is not None and len(verdict.ranks) != seats:
        raise ValueError(f"a verdict over {len(verdict.ranks)} seats for {seats}")
    listener = _Turns(str(cid.of(document)), system, questions or PlainQuestions())
    replayed = transcript.replay(told, listener)
    standing = standings(replayed.outcome, verdict)
    if standing is None:
        return ()
    who = tuple(players) or ("",) * seats
    return tuple(
        SeatRecord(
            session=listener.session,
            space=told.space,
            seat=seat,
            seats=seats,
            player=who[seat],
            rivals=(*who[:seat], *who[seat + 1 :]),
            turns=tuple(each for each in listener.turns if each.seat == seat),
            return_milli=standing[seat].return_milli,
            score_milli=standing[seat].score_milli,
            seed=told.seed,
            termination=replayed.outcome.termination,
        )
        for seat in range(seats)
    )


class _Turns:
    """Listens to a replay and writes down the turns."""

    def __init__(self, session: str, system: str, questions: Questions) -> None:
        self.session = session
        self.turns: list[Turn] = []
        self._system, self._questions = system, questions

    def attempted(self, space: Space[Any, Any, Any], attempt: Attempt) -> None:
        decision = attempt.decision
        asked = self._questions.ask(
            space, attempt.state, decision.seat, decision.kind, self._system
        )
        self.turns.append(
            Turn(
                session=self.session,
                seat=decision.seat,
                number=attempt.turn,
                kind=decision.kind,
                attempt=attempt.number,
                messages=with_fault(asked, attempt.told),
                completion=_words(space, attempt),
                legal=attempt.action is not None,
                reason=attempt.reason or "",
            )
        )


def _words(space: Space[Any, Any, Any], attempt: Attempt) -> str:
    """What the agent said, as the rules took it. Never the raw reply: what is not plain in it no judge has seen
    when it won, and a rival could hide there what it wants others to learn."""
    return "" if attempt.action is None else space.answer_text(attempt.action)
