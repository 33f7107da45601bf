"""The `agon` command as a user meets it: help with examples, one-line errors, exit statuses."""

from __future__ import annotations

import importlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bots.errors import NotAnArena
from server import cli, roles
from server.config import ConfigError
from spaces import registry
from tests import forked_agon

ROOT = Path(__file__).parents[2]
COMMANDS = {name: row for rows in cli.COMMANDS.values() for name, row in rows.items()}
HEAVY = frozenset(
    [
        "aiosqlite",
        "alembic",
        "arq",
        "asyncpg",
        "eth_account",
        "httpx",
        "numpy",
        "openskill",
        "PIL",
        "prometheus_client",
        "pyarrow",
        "redis",
        "rich",
        "scipy",
        "sqlalchemy",
        "starlette",
        "structlog",
        "sympy",
        "textual",
        "uvicorn",
        "uvloop",
        "websockets",
        "xllamacpp",
        "bots",
        "judges",
        "spaces",
        "tui_client",
    ]
)
"""What takes long to import, and what imports such things."""
PLAYED = sorted((ROOT / "tests" / "playthroughs").rglob("*.json"))


def agon(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    return forked_agon.agon(*arguments, env=os.environ | env)


def started(*arguments: str) -> subprocess.CompletedProcess[str]:
    """By an interpreter of its own, from the start."""
    return subprocess.run(
        [sys.executable, "-m", "server.cli", *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_as_in_the_list_and_with_an_example(command: str) -> None:
    result = agon(command, "--help")
    assert result.returncode == 0
    assert COMMANDS[command].help in " ".join(result.stdout.split())
    assert f"Example: agon {command}" in result.stdout


def test_the_list_of_commands_fits_a_terminal_and_has_whole_sentences() -> None:
    listed = agon("--help").stdout
    for name, row in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(row.help)}$", listed, re.MULTILINE)
        assert row.help.endswith(".")


def imported(*arguments: str, **env: str) -> set[str]:
    """The modules that `agon` has imported when it ends."""
    code = (
        "import sys\nfrom server import cli\nsys.argv[0] = 'agon'\n"
        "try:\n    cli.main()\nexcept SystemExit:\n    print(*sys.modules, file=sys.stderr)\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, cwd=ROOT, timeout=60, env=os.environ | env,
    )  # fmt: skip
    return set(told.stderr.split())


@pytest.mark.parametrize("arguments", [["--help"], ["money", "--help"], ["docter"]])
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    assert not HEAVY & imported(*arguments)


def test_an_owner_s_command_imports_no_database_and_no_screen(tmp_path: Path) -> None:
    found = imported("money", "balance", XDG_CONFIG_HOME=str(tmp_path))
    assert "httpx" in found
    assert not {"sqlalchemy", "redis", "scipy", "textual", "tui_client", "uvicorn"} & found


def test_failures_that_are_known_by_name_are_there() -> None:
    for name in cli.KNOWN_FAILURES:
        module, _, kind = name.rpartition(".")
        found = getattr(importlib.import_module(module), kind)
        assert issubclass(found, Exception)
        assert f"{found.__module__}.{found.__qualname__}" == name
    assert cli.is_known(NotAnArena("x"))  # a BotError
    assert not cli.is_known(ValueError("x"))


def test_help_is_told_without_types_of_python() -> None:
    for arguments in (["automation", "set"], ["serve"], ["jobs"], ["agents", "create"]):
        told = agon(*arguments, "--help").stdout
        assert not re.search(r"--[a-z-]+ <", told), told


@pytest.mark.parametrize("group", ["agents", "automation", "money", "points", "results", "admin"])
def test_no_line_of_a_list_is_cut_off(group: str) -> None:
    listed = agon(group, "--help").stdout.partition("Commands:")[2]
    assert not re.search(r"\.\.\.$", listed, re.MULTILINE), listed


def test_a_misspelt_command_is_told_of_the_right_one() -> None:
    assert "Did you mean 'doctor'?" in agon("docter").stderr


@pytest.mark.parametrize(
    ("text", "quotas"),
    [
        ("none", {}),
        ("logic=2, rap-battle", {"logic": 2, "rap-battle": 0}),
        ("openspiel:go(board_size=5)=3,logic", {"openspiel:go:board_size-5": 3, "logic": 0}),
    ],
)
def test_the_house_is_told_of_games_in_any_spelling(
    text: str, quotas: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyspiel")
    monkeypatch.setattr(registry, "_registered", {})
    registry.offer(["openspiel:go:board_size-5"])
    assert roles.parse_house(text) == quotas
    with pytest.raises(ConfigError, match="is not offered here; name it in AGON_SPACES"):
        roles.parse_house("openspiel:go(board_size=3)")


@pytest.mark.parametrize(
    ("arguments", "env", "said"),
    [
        (("serve", "--role", "king"), {}, "no role king; there are: api"),
        (("serve", "--house", "chess=1"), {}, "chess=1"),
        (("serve",), {"AGON_TICK_MS": "soon"}, "tick_ms"),
        (("serve",), {"AGON_DATABASE_URL": "mysql://x"}, "postgresql"),
        (("demo", "--space", "chess", "--no-tui"), {}, "no space 'chess'"),
        (("replay", "nowhere.json"), {}, "nowhere.json: cannot be read: No such file"),
        (("replay", "README.md"), {}, "transcript"),
        (("replay", "--bridge", "openspiel:poker", "x"), {}, "OpenSpiel has no game 'poker'"),
        (("bot", "--space", "openspiel:poker"), {}, "OpenSpiel has no game 'poker'"),
        (("login", "--url", "http://127.0.0.1:9", "--print-message", "0x12"), {}, "no address"),
        (
            ("login", "--print-message", "0x5aaeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
            {},
            "wrong checksum",
        ),
        (("login", "--signature", "0x12"), {}, "--message and --signature go together"),
        (("whoami", "--url", "http://127.0.0.1:9"), {}, "agon login --url http://127.0.0.1:9"),
        (("whoami", "--url", "nonsense"), {}, "no http(s) address"),
        (
            ("transcript", "01J8", "--url", "http://127.0.0.1:9"),
            {},
            "is `agon serve` running there?",
        ),
        (("bot", "--space", "bid-tac-toe", "--brain", "genius"), {}, "no brain 'genius'"),
        (("bot", "--space", "rap-battle", "--brain", "llm"), {}, "--llm-url or AGON_LLM_URL"),
        (
            ("bot", "--space", "rap-battle", "--brain", "llm"),
            {"AGON_LLM_URL": "http://127.0.0.1:9/v1"},
            "wants --model or AGON_LLM_MODEL",
        ),
    ],
)
def test_what_cannot_be_done_is_one_line_and_a_failure(
    arguments: tuple[str, ...], env: dict[str, str], said: str, tmp_path: Path
) -> None:
    result = agon(*arguments, **env, AGON_DATA_DIR=str(tmp_path))
    assert result.returncode != 0
    assert said in result.stderr
    assert "Traceback" not in result.stderr


def test_ctrl_c_ends_a_bot_that_waits_for_an_arena(tmp_path: Path) -> None:
    bot = subprocess.Popen(
        [sys.executable, "-m", "server.cli", "bot", "--space", "bid-tac-toe"],
        stdout=subprocess.PIPE, text=True, cwd=ROOT,
        env=os.environ | {"AGON_URL": "http://127.0.0.1:9", "XDG_CONFIG_HOME": str(tmp_path)},
    )  # fmt: skip
    try:
        assert bot.stdout is not None
        assert "nothing answers at" in bot.stdout.readline()
        bot.send_signal(signal.SIGINT)
        assert bot.wait(5) == 0
    finally:
        bot.kill()
        bot.communicate()


def test_replay_tells_a_transcript_from_a_lie(tmp_path: Path) -> None:
    transcript = next(file for file in PLAYED if b'"agon-transcript/1"' in file.read_bytes())
    told = started("replay", str(transcript))
    assert told.returncode == 0
    assert "digest" in told.stdout
    lie = tmp_path / "lie.json"
    lie.write_bytes(transcript.read_bytes().replace(b'"turn":1', b'"turn":2', 1))
    refused = started("replay", str(lie))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def test_a_bad_transcript_keeps_no_other_from_being_checked(tmp_path: Path) -> None:
    good = [str(file) for file in PLAYED if file.name.startswith(("logic_", "bid_tac_toe_void"))]
    result = agon("replay", "nowhere.json", good[0], "README.md", *good[1:])
    assert result.returncode == 1
    assert result.stdout.count("digest   ") == len(good)
    first, second, count = result.stderr.splitlines()
    assert first.startswith("agon: nowhere.json: cannot be read: ")
    assert second.startswith("agon: README.md: ")
    assert count == f"agon: 2 of {len(good) + 2} transcripts failed"


def test_config_prints_every_knob_and_no_secret() -> None:
    result = agon("config", "--explain", AGON_LLM_API_KEY="sk-very-secret")
    assert "spectator_delay_ms" in result.stdout
    assert "sk-very-secret" not in result.stdout
