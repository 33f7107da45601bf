"""What `agon demo --no-tui` says: names and units for people, and of a void session why and no more."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest

from judges.evidence import CHECKED
from server.demo import narrator
from server.demo.narrator import Narrator
from spaces.transcript import read, replay

RECORDED = Path(__file__).parents[1] / "playthroughs" / "sessions"
NAMES = ("Sage", "Spark", "Guess", "Hunch", "Fluke")


class Arena:
    """The calls of the API that a narrator makes, answered from one recorded transcript."""

    def __init__(self, name: str, **changes: Any) -> None:
        self.document = (RECORDED / f"{name}.transcript.json").read_bytes()
        transcript = read(self.document)
        outcome = msgspec.to_builtins(transcript.outcome)
        if outcome["termination"] == "void":
            outcome = {"reason": transcript.entries[-1].body["reason"]}
        self.detail: dict[str, Any] = {
            "session": transcript.session,
            "space": transcript.space,
            "status": "void" if "reason" in outcome else "ended",
            "seats": [{"seat": each.seat, "name": NAMES[each.seat]} for each in transcript.seats],
            "outcome": outcome,
            "digest": replay(transcript).digest,
            "headline": "",
            "verdict": None,
            "steps": [{"name": "sealed", "state": "done"}],
            **changes,
        }

    def answer(self, path: str) -> bytes:
        if path.endswith("/transcript"):
            return self.document
        listed = path.startswith("/v1/sessions?")
        return msgspec.json.encode({"sessions": [self.detail]} if listed else self.detail)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Iterator[Any]:
    """A function from an arena to the lines that are printed of its one session."""
    servers: list[HTTPServer] = []

    def tell(arena: Arena) -> list[str]:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = arena.answer(self.path)
                self.send_response(404 if self.path.endswith("/result") else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *args: Any) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        Narrator(f"http://127.0.0.1:{server.server_port}", None).tell(1)
        return capsys.readouterr().out.splitlines()

    yield tell
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("logic_medium", " solved, "),
        ("trade_wars_two_rounds", "+"),
        ("prediction_quantiles", " -3.209"),
    ],
)
def test_a_result_has_names_and_units(told: Any, name: str, said: str) -> None:
    lines = told(Arena(name))
    text = "\n".join(lines)
    assert "seat 0" not in text
    assert all(f"  {each}: " in text for each in NAMES), "the rounds tell who did what"
    verdict = next(at for at, line in enumerate(lines) if line.startswith("verdict "))
    standings = lines[verdict + 1 : verdict + 6]
    assert sorted(line.split()[1] for line in standings) == sorted(NAMES)
    assert any(said in line for line in standings)
    longest = max(sum(c.isdigit() for c in word) for line in standings for word in line.split())
    assert longest <= 8, "no raw units"


@pytest.mark.parametrize("name", ["trade_wars_void", "prediction_unresolved", "bid_tac_toe_void"])
def test_a_void_session_is_void_for_a_reason_and_has_no_scores(told: Any, name: str) -> None:
    arena = Arena(name)
    lines = told(arena)
    reason = arena.detail["outcome"]["reason"]
    assert f"void    {reason}; nobody is scored" in lines
    assert any(f"void: {reason}" in line for line in lines), "and as it happens"
    head = next(at for at, line in enumerate(lines) if line.startswith("── "))
    assert [line.split()[0] for line in lines[head:] if line] == [
        *("──", "void", "digest", "cid", "proof")
    ]


def test_whose_model_failed_is_told_by_name(told: Any) -> None:
    reason = "seat 1 could not be played: the model at seat 0 is dead"
    lines = told(Arena("trade_wars_void", outcome={"reason": reason}))
    said = "Spark could not be played: the model at seat 0 is dead"
    assert f"void    {said}; nobody is scored" in lines


def test_a_market_that_moves_all_the_time_is_told_of_now_and_then(
    told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(narrator, "POLL_S", 0.0)
    arena = Arena("trade_wars_two_rounds")
    candles = iter(range(6))

    def moves(path: str) -> bytes:
        candle = None if path.endswith(("limit=100", "/transcript")) else next(candles, None)
        if candle is None:
            return Arena.answer(arena, path)
        live = {"status": "live", "digest": None, "headline": f"candle {candle}"}
        return msgspec.json.encode(arena.detail | live)

    arena.answer = moves  # type: ignore[method-assign]
    progress = [line for line in told(arena) if line.startswith("  … ")]
    assert len(progress) == 2
    assert progress[0].endswith("candle 0")
    assert progress[1].endswith("sealed done")


def test_what_five_writers_have_is_listed_best_first(told: Any) -> None:
    verdict = {
        "judges": ["house"],
        "lines": [{"name": "craft", "scores_milli": [5_000, 6_500, 7_250, 1_000, 0]}],
        "evidence": [
            {"name": "words", "values_milli": [38_000, 41_000, 9_500, 1_000, 0]},
            {"name": "rhymes", "values_milli": [1_000, 0, 0, 1_000, 0], "note": f"{CHECKED}, …"},
        ],
        "totals_milli": [5_000, 6_500, 7_250, 1_000, 0],
        "ranks": [3, 2, 1, 4, 5],
    }
    arena = Arena("writing_bread", verdict=verdict)
    text = "\n".join(told(arena))
    assert "words: Sage 38  Spark 41  Guess 9.50  Hunch 1  Fluke 0" in text
    assert "rhymes: Sage yes  Spark no  Guess no  Hunch yes  Fluke no" in text
    assert "→ Guess wins\n  1  Guess  7.3\n  2  Spark  6.5\n" in text
    assert "[Sage]" in text
