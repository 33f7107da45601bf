"""What the judges' diagnostic reads out of a case document is what the document says."""

from __future__ import annotations

from chain.documents import case as cases
from judges.reliability.diagnosis import diagnose
from judges.reliability.documents import heard_of
from tests.chain.court.test_verify_court import case


def test_every_reveal_of_every_hearing_is_read() -> None:
    document = case()
    heard = list(heard_of([cases.encode(document).decode()]))
    assert [each.hearing for each in heard] == [f"{document.session}/0"]
    revealed = [each.judge for each in document.hearings[0].seats if each.standing == "revealed"]
    assert sorted(heard[0].sheets) == sorted(revealed)
    lines = len(document.hearings[0].filing.weights)
    for judge, found in diagnose(heard).items():
        assert judge in revealed
        assert found.answers == lines  # of two contestants there is one pair
