"""`agon agents`, against a real API on a port of its own."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from redis.asyncio import Redis
from typer.testing import CliRunner, Result

from server.agents.improver import Improver
from server.api.app import create_app
from server.api.listen import ApiServer
from server.cli import app
from server.commands.agent_spec import SpecOptions
from server.config import Config
from server.protocol import QueueCard
from server.store import Store
from tests.bots.model import model, says

Run = Callable[..., Awaitable[Result]]


async def no_queues() -> list[QueueCard]:
    return []


@pytest.fixture
async def agon(store: Store, redis: Redis, tmp_path: Path) -> AsyncIterator[Run]:
    """Runs `agon agents …` as Ann."""
    account = await store.accounts.with_wallet("0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
    token, _ = await store.logins.begin(account.account, 86_400_000)
    async with model(says('{"voice": "funny"}')) as server:
        api = ApiServer(
            create_app(
                config=Config(llm_models=("big",)),
                store=store,
                redis=redis,
                gateway_address=lambda: "ws://127.0.0.1:8601",
                queue_sizes=no_queues,
                improver=Improver(server.url, "Tiny-135M"),
            ),
            "127.0.0.1",
            0,
        )

        async def run(*arguments: str, given: str | None = None) -> Result:
            env = {"AGON_URL": api.address, "AGON_TOKEN": token, "XDG_CONFIG_HOME": str(tmp_path)}
            return await asyncio.to_thread(
                CliRunner().invoke, app, ["agents", *arguments], env=env, input=given
            )

        async with asyncio.TaskGroup() as group:
            group.create_task(api.run())
            yield run
            await api.drain()


async def told(agon: Run, *arguments: str, given: str | None = None) -> str:
    result = await agon(*arguments, given=given)
    assert result.exit_code == 0, (result.output, result.exception)
    # What the API logs stands on the same terminal here.
    kept = [
        line for line in result.stdout.splitlines() if "[info" not in line and "[debug" not in line
    ]
    return "\n".join(kept)


async def asked(agon: Run, *arguments: str) -> Any:
    return json.loads(await told(agon, *arguments, "--json"))


async def test_an_agent_is_made_shown_and_listed(agon: Run, tmp_path: Path) -> None:
    prompt = tmp_path / "ember.txt"
    prompt.write_text("Be bold.\nWin.\n")
    said = await told(
        agon,
        *("create", "Ember", "--kind", "hosted", "--about", "Rhymes."),
        *("--prompt-file", str(prompt), "--prompt-for", f"rap-battle={prompt}"),
        *("--model", "big", "--temperature", "0.5", "--space", "rap-battle", "--space", "logic"),
    )
    assert "made Ember (" in said
    assert 'key = "agon_' in (tmp_path / "agon" / "keys.toml").read_text()
    shown = await told(agon, "show", "ember")
    assert "model big, temperature 0.5" in shown
    assert "prompt (13 characters):" in shown
    assert "  Win." in shown
    listed = await told(agon, "list")
    assert "Ember" in listed
    assert "rap-battle, logic" in listed


async def test_what_is_not_named_stays(agon: Run) -> None:
    await told(agon, "create", "Ember", "--prompt", "Be calm.", "--temperature", "0.5")
    edited = await asked(agon, "edit", "Ember", "--model", "big", "--name", "Cinder")
    assert edited["spec"] == {"prompt": "Be calm.", "temperature": 0.5, "model": "big"}
    assert (edited["name"], edited["number"]) == ("Cinder", 2)
    back = await asked(agon, "edit", "Cinder", "--model", "none", "--space", "all")
    assert back["number"] == 1
    listed = await asked(agon, "versions", "Cinder")
    assert [each["number"] for each in listed] == [2, 1]
    assert 'temperature 0.5; "Be calm."' in await told(agon, "versions", "Cinder")


async def test_a_prompt_may_come_through_a_pipe(agon: Run) -> None:
    await told(agon, "create", "Ember", "--prompt", "-", given="Win.\n")
    assert (await asked(agon, "show", "Ember"))["spec"] == {"prompt": "Win."}


async def test_an_agent_is_copied_archived_and_carried(agon: Run, tmp_path: Path) -> None:
    await told(agon, "create", "Ember", "--prompt", "Win.")
    await told(agon, "clone", "Ember", "Twin")
    assert "archived" in await told(agon, "archive", "Twin")
    assert "Twin" not in await told(agon, "list")
    assert "Twin" in await told(agon, "list", "--all")
    assert "active" in await told(agon, "restore", "Twin")
    file = tmp_path / "ember.agent.json"
    await told(agon, "export", "Ember", "--out", str(file))
    assert file.stat().st_mode & 0o077 == 0, "prompts are secret"
    assert json.loads(file.read_text()) == json.loads(await told(agon, "export", "Ember"))
    await told(agon, "import", str(file), "--name", "Third & more")
    assert (await asked(agon, "show", "Third & more"))["spec"] == {"prompt": "Win."}


async def test_a_picture_is_given_saved_and_taken_away(agon: Run, tmp_path: Path) -> None:
    await told(agon, "create", "Ember")
    out, sent = tmp_path / "out.png", tmp_path / "sent.jpg"
    await told(agon, "avatar", "Ember", "--out", str(out))
    generated = out.read_bytes()
    Image.new("RGB", (99, 50), "red").save(sent)
    await told(agon, "avatar", "Ember", str(sent))
    await told(agon, "avatar", "Ember", "--out", str(out))
    assert Image.open(io.BytesIO(out.read_bytes())).size == (256, 256)
    assert out.read_bytes() != generated
    await told(agon, "avatar", "Ember", "--drop")
    await told(agon, "avatar", "Ember", "--out", str(out))
    assert out.read_bytes() == generated
    assert (await agon("avatar", "Ember")).exit_code == 2


async def test_the_key_by_which_an_agent_signs_is_set_shown_and_removed(agon: Run) -> None:
    await told(agon, "create", "Ember")
    address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    assert await told(agon, "key", "Ember") == "Ember signs nothing"
    assert await told(agon, "key", "Ember", address.lower()) == f"Ember signs by {address}"
    assert json.loads(await told(agon, "key", "Ember", "--json")) == {"address": address}
    assert (await agon("key", "Ember", address, "--remove")).exit_code != 0
    assert (await agon("key", "Ember", address.replace("C8", "c8"))).exit_code != 0, "a typo"
    assert await told(agon, "key", "Ember", "--remove") == "Ember signs nothing"


async def test_the_helper_writes_and_the_shelf_is_shown(agon: Run) -> None:
    improved = await told(agon, "improve", "rap-battle", "--prompt", "I am Ember.")
    assert improved.startswith("I am Ember.\nYou are funny")
    assert "- The model chose a voice: funny." in improved
    shelf = await told(agon, "shelf")
    assert "bidder   plays bid-tac-toe" in shelf
    assert "         big" in shelf


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "Nobody"), "unknown agent"),
        (("create", "Ember", "--model", "gpt"), "no model 'gpt' here"),
        (("create", "\u202e"), "printable"),
        (("import", "/nowhere/x.json"), "cannot read"),
        (("create", "Ember", "--prompt-file", "/nowhere/x"), "cannot read"),
    ],
)
async def test_what_fails_says_so_and_is_no_success(
    agon: Run, arguments: tuple[str, ...], words: str
) -> None:
    result = await agon(*arguments)
    assert result.exit_code != 0
    assert words in str(result.exception) + result.output


def test_options_change_what_they_name() -> None:
    spec = {"prompt": "a", "prompts": {"logic": "b"}, "spaces": ["logic"]}
    assert SpecOptions().changed(spec) == spec
    cleared = SpecOptions(prompt="", prompt_for=["logic="]).changed(spec)
    assert (cleared["prompt"], cleared["prompts"]) == ("", {"logic": ""})
