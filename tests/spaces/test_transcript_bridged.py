"""Transcripts of other projects' games, which anybody may have written: no code of theirs runs unasked."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from server.replay import ReplayFailed, report
from spaces import registry
from spaces.bid_tac_toe import BidTacToe
from spaces.transcript import TranscriptError, read, replay
from tests.conformance.rig import AnySpace, play
from tests.forked_agon import agon

ROOT = Path(__file__).parents[2]
HOSTILE = (
    "openspiel:havannah:board_size-200",
    "openspiel:go:board_size-40",
    "openspiel:mnk:m-1000:n-1000",
    "openspiel:liars_dice:dice_sides-99999999",
    "openspiel:oshi_zumo:coins-9999999",
    "openspiel:hex:board_size-5000",
    "openspiel:quoridor:board_size-500",
)


class Bidding(BidTacToe):
    """A game of somebody else, as a transcript would name it."""

    rules = "stranger/1"


class Breaks(Bidding):
    def initial(self, params: Any, streams: Any) -> Any:
        raise RuntimeError("CHECK failed\nin line 7")


class BreaksOnAMove(Bidding):
    def apply(self, state: Any, seat: int, action: Any, streams: Any) -> Any:
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")


class BreaksAtTheEnd(Bidding):
    def render(self, state: Any, names: Sequence[str] = ()) -> str:
        raise RuntimeError("CHECK failed")


def a_game_called(space_id: str) -> bytes:
    """An honest game of another Space, under this id: all is true but who made the rules."""
    space: AnySpace = Bidding()
    vars(space)["id"] = space_id
    return play(space, {}, 1).document()


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


def test_no_transcript_makes_a_game_of_its_choice(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.json" for number in range(len(HOSTILE))]
    for file, space_id in zip(files, HOSTILE, strict=True):
        file.write_bytes(a_game_called(space_id))
    result = agon("replay", *map(str, files))
    assert result.returncode == 1
    *refused, count = result.stderr.splitlines()
    assert count.endswith(f"{len(HOSTILE)} of {len(HOSTILE)} transcripts failed")
    for file, space_id, line in zip(files, HOSTILE, refused, strict=True):
        assert f"{file}: transcript: '{space_id}' is a game of another project" in line
        assert "is not offered here; name it in AGON_SPACES" in line


OFFER_EACH = """
import sys
from spaces import registry
for space_id in sys.argv[1:]:
    print(space_id, flush=True)
    try:
        registry.offer([space_id])
    except registry.UnknownSpace as error:
        print(error, flush=True)
    else:
        raise SystemExit("it was offered")
"""


def test_nobody_can_offer_what_the_library_would_choke_on() -> None:
    """In a process of its own: without the bounds it would crash, or never end. The last line is the
    culprit then."""
    result = subprocess.run(
        [sys.executable, "-c", OFFER_EACH, *HOSTILE],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip
    told = result.stdout.splitlines()
    assert result.returncode == 0, (result.stderr, told)
    assert told[::2] == list(HOSTILE)
    for refusal in told[1::2]:
        assert " in an id" in refusal or "does not start" in refusal


def test_an_offered_game_replays() -> None:
    document = play(registry.get("openspiel:kuhn_poker"), {}, 3).document()
    with pytest.raises(ReplayFailed, match="'openspiel:kuhn_poker' is a game of another project"):
        report(document)
    registry.offer(["openspiel:kuhn_poker"])
    assert "every action by the rules: ok" in report(document)


@pytest.mark.parametrize("kind", [Breaks, BreaksOnAMove])
def test_what_a_library_raises_is_a_fact_about_the_transcript(kind: type[Bidding]) -> None:
    document, broken = a_game_called("openspiel:broken"), kind()
    vars(broken)["id"] = "openspiel:broken"
    registry.register(broken)
    with pytest.raises(TranscriptError, match="openspiel:broken cannot be played so"):
        replay(read(document))


def test_what_a_library_raises_when_it_is_drawn_is_no_traceback() -> None:
    document, broken = a_game_called("openspiel:broken"), BreaksAtTheEnd()
    vars(broken)["id"] = "openspiel:broken"
    registry.register(broken)
    with pytest.raises(ReplayFailed, match="cannot be played so: 'CHECK failed'"):
        report(document)


def test_a_bug_of_our_own_rules_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("a bug")

    document = play(registry.get("bid-tac-toe"), {}, 1).document()
    monkeypatch.setattr(BidTacToe, "apply", fails)
    with pytest.raises(RuntimeError, match="a bug"):
        replay(read(document))
