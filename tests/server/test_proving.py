"""The verifier behind the spectator's screen: what it tells, whom it asks, and that it writes no secret on a screen."""

from __future__ import annotations

import pytest

from chain.verify.finding import Finding as Found
from chain.verify.finding import true
from chain.verify.session import Documents
from server.commands import chain_at, fetching
from server.commands.chain_at import ChainAt
from server.commands.proving import ArenaProver
from server.commands.running import DEFAULT_URL, CommandError
from server.config import Config
from spaces import transcript
from tests.chain.documents_of import bent, cid_of, documents_of
from tests.chain.test_verify import game
from tui_client.proof import proof
from tui_client.proof.finding import Against, Finding, Name, Standing, Told, Unproven, Unwatched
from tui_client.proof.proof import Prove, Proving

ESCROW = "0x" + "e5" * 20


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> Documents:
    """What any arena is found to serve."""
    found = documents_of(game())
    serve(monkeypatch, found)
    return found


def serve(monkeypatch: pytest.MonkeyPatch, found: Documents) -> None:
    monkeypatch.setattr(fetching, "documents", lambda *_: found)


def told_by(prover: ArenaProver, session: str) -> list[Told]:
    told: list[Told] = []
    prover.prove(session, told.append)
    return told


def session_of(documents: Documents) -> str:
    assert documents.transcript is not None
    return transcript.read(documents.transcript).session


def test_an_honest_session_is_told_line_by_line(documents: Documents) -> None:
    told = told_by(ArenaProver(url=DEFAULT_URL), session_of(documents))
    names = {each.what: each.text for each in told if isinstance(each, Name)}
    assert documents.transcript is not None
    assert documents.result is not None
    assert names["transcript"] == cid_of(documents.transcript)
    assert names["result"] == cid_of(documents.result)
    assert names["epoch"] == "1"
    found = [each for each in told if isinstance(each, Finding)]
    assert [each.what for each in found[:3]] == ["content id", "transcript", "replay"]
    assert {each.standing for each in found} == {Standing.TRUE, Standing.UNCHECKED}


def test_a_lie_is_told_as_one(documents: Documents, monkeypatch: pytest.MonkeyPatch) -> None:
    assert documents.result is not None
    lying = bent(documents.result, ranks=[2, 1] if b'"ranks":[1,2]' in documents.result else [1, 2])
    serve(monkeypatch, Documents(transcript=documents.transcript, result=lying))
    told = told_by(ArenaProver(url=DEFAULT_URL), session_of(documents))
    lies = {
        each.what for each in told if isinstance(each, Finding) and each.standing is Standing.FALSE
    }
    assert "ranks" in lies


def test_what_the_chain_says_comes_after_the_rest(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def of_chain(_: Documents, *where: object) -> list[Found]:
        asked.append(where)
        return [true("root", "the escrow holds it")]

    monkeypatch.setattr(fetching, "of_chain", of_chain)
    prover = ArenaProver(url=DEFAULT_URL, rpc="http://node", chain=8453, escrow=ESCROW)
    told = told_by(prover, session_of(documents))
    assert asked == [(ChainAt("http://node", 8453, ESCROW, named=True),)]
    assert told[-1] == Finding("root", Standing.TRUE, "the escrow holds it")


def test_the_chain_of_an_arena_on_this_machine_is_found_and_said(
    documents: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = ChainAt("http://127.0.0.1:8545", 31_337, ESCROW, named=False)
    monkeypatch.setattr(chain_at, "find", lambda *_: at)
    monkeypatch.setattr(fetching, "of_chain", lambda _, where: [true("root", where.escrow)])
    prover = ArenaProver(url=DEFAULT_URL, settings=Config)
    assert "alone" in prover.against[0], "so far as it is known before"
    told = told_by(prover, session_of(documents))
    said = (
        "this arena, http://127.0.0.1:8600, and the rules here",
        f"chain 31337, http://127.0.0.1:8545, escrow {ESCROW}",
    )
    assert told[0] == Against(said)
    assert told[-1] == Finding("root", Standing.TRUE, ESCROW)
    opened = proof.opened(Prove("S", "by hand", tuple(prover.against)), 1)
    assert proof.after(opened, Proving(1, told[0])).against == said


def test_an_arena_that_does_not_answer_is_said_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> Documents:
        raise CommandError("no arena at http://x: start one with `agon serve`")

    monkeypatch.setattr(fetching, "documents", away)
    with pytest.raises(Unproven, match="no arena at http://x"):
        told_by(ArenaProver(url="http://x"), "S")


def test_it_stops_where_nobody_looks_any_more(documents: Documents) -> None:
    told: list[Told] = []

    def tell(each: Told) -> None:
        told.append(each)
        if len(told) == 4:
            raise Unwatched

    with pytest.raises(Unwatched):
        ArenaProver(url=DEFAULT_URL).prove(session_of(documents), tell)
    assert len(told) == 4


def test_a_screen_says_whom_it_asked_and_how_to_ask_by_hand() -> None:
    alone = ArenaProver(url=DEFAULT_URL)
    assert alone.against == ["this arena alone, http://127.0.0.1:8600, and the rules here"]
    assert alone.by_hand("01J") == "agon verify 01J"
    asked = ArenaProver(
        url="https://arena.example",
        ipfs="http://127.0.0.1:5001",
        rpc="https://me:word@node.example/v2/SECRET",
        chain=8453,
        escrow=ESCROW,
    )
    assert asked.by_hand("01J; rm -rf ~") == (
        "agon verify '01J; rm -rf ~' --url https://arena.example --ipfs http://127.0.0.1:5001"
        f' --rpc "$RPC_URL" --chain 8453 --escrow {ESCROW}'
    )
    shown = "\n".join([*asked.against, asked.by_hand("01J")])
    assert "SECRET" not in shown
    assert "word" not in shown
    assert "chain 8453, https://node.example, escrow" in shown
