"""An honest session verifies; every lie is told by the line that it belongs to."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from chain.documents import epoch as epochs
from chain.documents.form import encode
from chain.documents.result import Fees, Payout, ResultDocument
from chain.verify.finding import Standing, lies
from chain.verify.report import report, summary
from chain.verify.session import Documents, check
from spaces import merkle, registry
from tests.chain.documents_of import asked, bent, cid_of, documents_of, epoch_of, result_of
from tests.conformance.rig import Dice, Session, play

replace = msgspec.structs.replace


def game(number: int = 9) -> Session:
    return play(registry.get("bid-tac-toe"), {"chips": 20}, number)


def battle() -> Session:
    return play(registry.get("rap-battle"), {"rounds": 1}, 3)


def void() -> Session:
    return play(registry.get("bid-tac-toe"), {"chips": 20}, 4, Dice(void=1.0))


HONEST = documents_of(game())
assert HONEST.transcript is not None
assert HONEST.result is not None
assert HONEST.epoch is not None
RESULT = msgspec.json.decode(HONEST.result, type=ResultDocument)


def standings(documents: Documents, **known: Any) -> dict[str, Standing]:
    return {each.what: each.standing for each in check(documents, asked(**known), cid_of)}


def test_an_honest_session_holds() -> None:
    assert standings(HONEST, session=RESULT.session, cid=RESULT.transcript) == {
        "content id": Standing.TRUE,
        "transcript": Standing.TRUE,
        "replay": Standing.TRUE,
        "signature": Standing.UNCHECKED,
        "result": Standing.TRUE,
        "seats": Standing.TRUE,
        "ranks": Standing.TRUE,
        "money": Standing.TRUE,
        "seat signatures": Standing.UNCHECKED,
        "result signature": Standing.UNCHECKED,
        "ratings": Standing.UNCHECKED,
        "epoch": Standing.TRUE,
        "root": Standing.UNCHECKED,
    }


@pytest.mark.parametrize(("session", "tier"), [(game(), 0), (void(), 500_000), (void(), 0)])
def test_free_and_void_sessions_hold(session: Session, tier: int) -> None:
    found = check(documents_of(session, tier), asked(), cid_of)
    assert lies(found) == []
    assert {"ranks", "money", "seats", "replay"} <= {
        each.what for each in found if each.standing is Standing.TRUE
    }


def test_what_judges_decided_is_not_said_to_be_checked() -> None:
    found = standings(documents_of(battle()))
    assert found["ranks"] is Standing.UNCHECKED
    assert found["money"] is Standing.TRUE
    assert Standing.FALSE not in found.values()


def flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def of_transcript(change: Callable[[dict[str, Any]], object]) -> Callable[[], Documents]:
    def lie() -> Documents:
        assert HONEST.transcript is not None
        value = json.loads(HONEST.transcript)
        change(value)
        raw = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        assert HONEST.result is not None
        return replace(HONEST, transcript=raw, result=bent(HONEST.result, transcript=cid_of(raw)))

    return lie


def of_result(**changes: Any) -> Callable[[], Documents]:
    """With the epoch made anew over the lie: only its own line can tell it."""

    def lie() -> Documents:
        result = replace(RESULT, **changes)
        return replace(HONEST, result=encode(result), epoch=encode(epoch_of([result])))

    return lie


def with_seats(*seats: Any) -> Callable[[], Documents]:
    return of_result(seats=list(seats))


FIRST, SECOND = RESULT.seats
LIES: dict[str, tuple[str, Callable[[], Documents]]] = {
    "one bit of the transcript": (
        "content id",
        lambda: replace(HONEST, transcript=flipped(HONEST.transcript or b"", 300)),
    ),
    "another seed": ("replay", of_transcript(lambda t: t.update(seed="00" * 32))),
    "another root": ("replay", of_transcript(lambda t: t.update(root="00" * 32))),
    "an action left out": ("replay", of_transcript(lambda t: t["entries"].pop(3))),
    "another outcome": (
        "replay",
        of_transcript(lambda t: t["outcome"].update(returns=[0, 0], termination="draw")),
    ),
    "other rules": ("replay", of_transcript(lambda t: t.update(rules="bid-tac-toe/9"))),
    "another session's transcript": (
        "result",
        lambda: replace(HONEST, transcript=game(10).document()),
    ),
    "spaces in the transcript": (
        "transcript",
        lambda: replace(HONEST, transcript=(HONEST.transcript or b"") + b" "),
    ),
    "a result of another session": ("result", of_result(session="01JD0000000000000000000001")),
    "a result of another Space": ("result", of_result(space="rap-battle")),
    "another transcript's id": ("result", of_result(transcript=cid_of(b"else"))),
    "swapped seats": (
        "seats",
        with_seats(replace(SECOND, seat=0), replace(FIRST, seat=1)),
    ),
    "another version": ("seats", with_seats(replace(FIRST, version="agent-0@v2"), SECOND)),
    "another salt": ("seats", with_seats(replace(FIRST, salt="ff" * 32), SECOND)),
    "a seat too many": ("seats", lambda: _crowded()),
    "swapped ranks": ("ranks", of_result(ranks=RESULT.ranks[::-1])),
    "judges where rules decide": (
        "ranks",
        lambda: replace(
            HONEST,
            result=bent(
                HONEST.result or b"", verdict=result_of(battle(), battle().document()).verdict
            ),
        ),
    ),
    "a wrong pay-out": (
        "money",
        of_result(
            payouts_micros=[Payout(each.to, each.amount - 1) for each in RESULT.payouts_micros]
        ),
    ),
    "a pay-out to another": (
        "money",
        of_result(
            payouts_micros=[
                Payout("usdc:agent:MALLORY", each.amount) for each in RESULT.payouts_micros
            ]
        ),
    ),
    "a higher fee": (
        "money",
        of_result(
            fees_micros=replace(RESULT.fees_micros, protocol=RESULT.fees_micros.protocol + 1)
        ),
    ),
    "another tier": ("money", of_result(tier_micros=100_000)),
    "a pot that nobody gets": (
        "money",
        of_result(payouts_micros=[], fees_micros=Fees(0, 0, 0)),
    ),
    "void, and nothing goes back": (
        "money",
        of_result(
            status="void",
            reason="because",
            ranks=[],
            ratings=[],
            verdict=None,
            payouts_micros=[],
            fees_micros=Fees(0, 0, 0),
        ),
    ),
    "void although it was played, and nothing goes back": (
        "money",
        of_result(status="void", reason="because", ranks=[], ratings=[], verdict=None),
    ),
    "void and ranked": ("result", of_result(status="void", reason="because")),
    "ranks that are none": ("result", of_result(ranks=[2, 2])),
    "a result that the epoch does not hold": (
        "epoch",
        lambda: replace(
            HONEST, epoch=encode(epoch_of([replace(RESULT, session="01JD0000000000000000000009")]))
        ),
    ),
    "another result in the epoch": (
        "epoch",
        lambda: replace(HONEST, epoch=encode(epoch_of([replace(RESULT, tier_micros=0)]))),
    ),
    "another root of the epoch": (
        "epoch",
        lambda: replace(HONEST, epoch=encode(replace(epoch_of([RESULT]), root="00" * 32))),
    ),
}


def _crowded() -> Documents:
    result = replace(
        RESULT,
        seats=[FIRST, SECOND, replace(SECOND, seat=2)],
        ranks=[*RESULT.ranks, 3],
    )
    return replace(HONEST, result=encode(result), epoch=encode(epoch_of([result])))


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_told_by_its_line(name: str) -> None:
    line, lie = LIES[name]
    found = (
        check(lie(), asked(session=RESULT.session, cid=None), cid_of)
        if line != "content id"
        else check(lie(), asked(session=RESULT.session, cid=RESULT.transcript), cid_of)
    )
    told = [each.what for each in lies(found)]
    assert told, report(found)
    assert told[0] == line, report(found)
    assert summary(found).startswith("FALSE: ")


def test_nothing_is_said_to_be_true_that_could_not_be_fetched() -> None:
    documents = Documents(missing={"transcript": "nobody has it", "result": "gone"})
    found = check(documents, asked(session="S"), cid_of)
    assert {each.standing for each in found} == {Standing.UNCHECKED}
    assert summary(found) == "nothing could be checked"
    assert "nobody has it" in report(found)


def test_a_hostile_reason_cannot_write_on_the_terminal() -> None:
    documents = replace(
        documents_of(game()),
        result=bent(
            HONEST.result or b"",
            status="void",
            ranks=[],
            ratings=[],
            reason="\x1b[2J\nok   all is well",
        ),
    )
    told = report(check(documents, asked(), cid_of))
    assert "\x1b" not in told
    assert "\nok   all is well" not in told


@pytest.mark.parametrize(
    "raw",
    [b"", b"{}", b"[" * 100_000, b"null", b'{"v":"agon-result/2"}', b"\xff", b'{"v":1e400}'],
)
def test_what_is_no_document_is_a_finding_and_no_crash(raw: bytes) -> None:
    found = check(Documents(transcript=raw, result=raw, epoch=raw), asked(), cid_of)
    assert {each.what for each in lies(found)} >= {"transcript", "result", "epoch"}


def test_an_epoch_proves_each_of_its_results() -> None:
    results = [replace(RESULT, session=f"01JD00000000000000000000{n:02}") for n in range(11)]
    epoch = epoch_of(results)
    for row in epoch.results:
        place, proof = epochs.proof_of(epoch, row.session)
        root = bytes.fromhex(epoch.root)
        assert merkle.verify(bytes.fromhex(row.digest), place, len(epoch.results), proof, root)
