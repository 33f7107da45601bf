"""The bot in docs/bots.md, pasted into a file: it joins and finishes a session."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from pathlib import Path

import pytest

from server.protocol import Accepted, Act, Confirm, Enqueue, Subscribe, Ticket
from tests.bots.arena import (
    SESSION,
    arena,
    ended_view,
    session_view,
    snapshot,
    update,
    update_agent,
)
from tests.bots.test_keys import http

ROOT = Path(__file__).parents[2]
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def bots_in_documents() -> dict[str, str]:
    """The first bot of the README and of the guide, by document."""
    found = {}
    for path in (ROOT / "README.md", ROOT / "docs" / "bots.md"):
        blocks = PYTHON.findall(path.read_text(encoding="utf-8"))
        found[path.name] = next(block for block in blocks if "run(act" in block)
    return found


def test_both_documents_show_the_same_bot_in_fifteen_lines_of_code() -> None:
    texts = set(bots_in_documents().values())
    assert len(texts) == 1
    assert len([line for line in texts.pop().splitlines() if line.strip()]) <= 15


@pytest.mark.parametrize("name", list(bots_in_documents()))
async def test_the_bot_of_the_guide_finishes_a_session(name: str, tmp_path: Path) -> None:
    file = tmp_path / "my_bot.py"
    file.write_text(bots_in_documents()[name])
    async with arena() as ring:

        def answer(method: str, path: str, body: bytes) -> tuple[int, str, str]:
            if (method, path) == ("POST", "/v1/agents"):
                return 201, "", json.dumps({"agent": "01A", "key": "agon_0123456789abcdef"})
            return 200, "", json.dumps({"url": ring.url, "protocols": []})

        async with http(answer) as api:
            kept = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
            environment = kept | {
                "AGON_URL": api.url,
                "XDG_CONFIG_HOME": str(tmp_path),
                "PYTHONPATH": str(ROOT),
            }
            process = await asyncio.create_subprocess_exec(
                sys.executable, str(file), env=environment, stdout=asyncio.subprocess.PIPE
            )
            try:
                async with asyncio.timeout(30):
                    line = await ring.line()
                    await line.greet()
                    await line.expect(Enqueue)
                    await line.say(Ticket("t1", "bid-tac-toe", 0, "waiting"))
                    await line.say(update_agent(1, offers=("o1",), tickets=("t1",)))
                    await line.expect(Confirm)
                    await line.say(update_agent(2, SESSION))
                    await line.expect(Subscribe)
                    await line.say(snapshot(1, session_view()))
                    act = await line.expect(Act)
                    assert 0 <= json.loads(act.text)["bid"] <= 100
                    await line.say(Accepted(act.id, SESSION, 2))
                    await line.say(update(2, ended_view(), "end"))
                    output, _ = await process.communicate()
            finally:
                if process.returncode is None:
                    process.kill()
                    await process.wait()
            assert process.returncode == 0
            assert b"you won" in output
