"""What is learnt from is what is asked: training's questions are the brain's, word for word."""

from __future__ import annotations

import msgspec
import pytest

from bots.brains.llm import LlmBrain, LlmSettings
from bots.turn import Turn
from server.training.questions import BrainQuestions
from spaces import canonical, registry
from tests.conformance.rig import Session, play
from training.chat import Message
from training.trajectory.turn import with_fault

SYSTEM = "You are brief."
PLAYED = {
    "bid-tac-toe": {"chips": 12},
    "rap-battle": {"rounds": 2},
    "writing": {},
    "prediction": {"questions": 1},
    "trade-wars": {"rounds": 1},
}


def asked_by_the_brain(
    session: Session, state: object, seat: int, fault: str | None
) -> list[Message]:
    space = session.space
    decision = next(each for each in space.decisions(state) if each.seat == seat)
    turn = Turn(
        session="s",
        space=space.id,
        turn=1,
        seat=seat,
        kind=decision.kind,
        view=msgspec.json.decode(canonical.encode(space.observe(state, seat))),
        prompt=space.prompt(state, seat),
        attempt=1 if fault is None else 2,
        fault=fault,
    )
    settings = LlmSettings(url="http://model.example/v1", model="an-adapter@v2-00", system=SYSTEM)
    question = LlmBrain(settings)._question(turn)
    return [Message(each.role, each.content) for each in question.messages]


@pytest.mark.parametrize("space_id", PLAYED)
@pytest.mark.parametrize("fault", [None, "a verse has at most 4 lines, got 5"])
def test_every_question_of_a_session_is_the_brains(space_id: str, fault: str | None) -> None:
    session = play(registry.get(space_id), PLAYED[space_id], 4)
    asked = 0
    for state in session.states:
        for each in session.space.decisions(state):
            question = BrainQuestions().ask(session.space, state, each.seat, each.kind, SYSTEM)
            told = list(with_fault(question, fault))
            assert told == asked_by_the_brain(session, state, each.seat, fault)
            asked += 1
    assert asked
