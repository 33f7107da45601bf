"""`agon judge bench` as people type it, with judges that ask no model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from server.cli import app
from server.commands.judge_bench import read_model
from server.commands.running import CommandError


def bench(*words: str) -> str:
    result = CliRunner().invoke(app, ["judge", "bench", *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_report_in_every_form(tmp_path: Path) -> None:
    out = tmp_path / "bench"
    words = ("--family", "words", "--family", "sound", "--limit", "6", "--out", str(out))
    said = bench(*words)
    assert "Planted pairs" in said
    assert "panel" in said
    report = json.loads((out / "report.json").read_text())
    assert [each["name"] for each in report["figures"]] == ["words", "sound", "panel"]
    assert report["half"] == "reported"
    page = (out / "report.html").read_text()
    assert "<svg" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert "| panel |" in (out / "report.md").read_text()
    with Image.open(out / "report.png") as picture:
        assert picture.width > 1_000
    before = (out / "journal.jsonl").read_bytes()
    assert json.loads(bench(*words, "--json"))["figures"] == report["figures"]
    assert (out / "journal.jsonl").read_bytes() == before, "nothing is asked twice"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--family", "taste"), "no family of judges is called 'taste'"),
        (("--half", "both"), "--half is reported or tuning"),
        (("--model", "qwen"), "--model is a URL and a name"),
        (("--api-key-file", "/nowhere/key"), "cannot be read"),
        (("--family", "sound", "--material", "/nowhere"), "battles-reported.toml"),
        (("--model", "http://127.0.0.1:9/v1"), "names no model"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match=said):
        bench(*words, "--out", str(tmp_path / "bench"))


def test_a_model_is_named_behind_a_colon() -> None:
    assert read_model("http://127.0.0.1:8000/v1") == ("http://127.0.0.1:8000/v1", "")
    assert read_model("http://127.0.0.1:8000/v1:Qwen/Qwen3-8B:q4") == (
        "http://127.0.0.1:8000/v1", "Qwen/Qwen3-8B:q4",
    )  # fmt: skip
    assert read_model("https://api.example/v1/:m") == ("https://api.example/v1", "m")
