"""What is logged for machines, and what a terminal shows of it."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import structlog

from server.logs import EVERY_S, ROUTINE, Calm

ROOT = Path(__file__).parents[2]


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_routine_is_counted_and_told_once_a_minute() -> None:
    clock = Clock()
    calm = Calm(clock)
    for event in ("session sealed", "job", "job", "leads"):
        with pytest.raises(structlog.DropEvent):
            calm(None, "info", {"event": event, "level": "info"})
    clock.now += EVERY_S + 2
    told = calm(None, "info", {"event": "job", "level": "info", "session": "S"})
    assert told == {"event": "in 62 s", "level": "info", "sessions": 1, "jobs": 3}
    with pytest.raises(structlog.DropEvent):
        calm(None, "info", {"event": "job", "level": "info"})


def test_what_counts_as_nothing_tells_nothing() -> None:
    clock = Clock()
    calm = Calm(clock)
    clock.now += EVERY_S
    with pytest.raises(structlog.DropEvent):
        calm(None, "info", {"event": "leads"})


@pytest.mark.parametrize(("method", "event"), [("warning", "job"), ("info", "serving")])
def test_news_are_shown_as_they_are(method: str, event: str) -> None:
    line = {"event": event, "session": "S"}
    assert Calm(Clock())(None, method, line) is line


def test_every_routine_event_is_one_that_is_logged() -> None:
    """Else a line that was renamed would fill terminals again, unnoticed."""
    code = "\n".join(
        file.read_text(encoding="utf-8")
        for folder in ("server", "bots")
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "logs.py"
    )
    logged = set(re.findall(r'(?:info|write|debug)\(\s*"([^"]+)"', code))
    assert set(ROUTINE) <= logged


PROGRAM = """
import sys, structlog
from server import logs
logs.configure(sys.argv[1], as_json=False)
log = structlog.get_logger()
log.info("job", session="S1")
log.warning("session sealed", session="S2", status="void")
log.info("serving", api="http://127.0.0.1:1")
try:
    1 / 0
except ZeroDivisionError:
    log.exception("a defect")
"""


def _on_a_terminal(level: str) -> str:
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [sys.executable, "-c", PROGRAM, level], check=True, stderr=theirs, cwd=ROOT, timeout=30
        )
        return re.sub("\x1b\\[[0-9;]*m", "", os.read(ours, 65_536).decode())
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_terminal_is_calm_and_shows_all_when_asked() -> None:
    said = _on_a_terminal("info")
    assert "S1" not in said
    assert "S2" in said
    assert "serving" in said
    assert "ZeroDivisionError" in said
    assert "S1" in _on_a_terminal("debug")


def test_a_pipe_is_given_every_line_as_json() -> None:
    result = subprocess.run(
        [sys.executable, "-c", PROGRAM, "info"],
        check=True, stderr=subprocess.PIPE, text=True, cwd=ROOT, timeout=30,
    )  # fmt: skip
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert [line["event"] for line in lines] == ["job", "session sealed", "serving", "a defect"]
    assert lines[0]["session"] == "S1"
