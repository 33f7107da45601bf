"""`agon verify --training` as a stranger uses it, up to where the model would be needed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests import forked_agon
from tests.training.proof.kept import Kept, on_paper


def verify(*arguments: object) -> subprocess.CompletedProcess[str]:
    return forked_agon.agon("verify", *map(str, arguments), env=os.environ)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return laid(on_paper(), tmp_path / "adapter")


def laid(kept: Kept, folder: Path) -> Path:
    """The card and all that it names, as files."""
    folder.mkdir()
    (folder / "card.json").write_bytes(kept.document + b"\n")
    for number, content in enumerate(kept.contents.values()):
        kind = "json" if content.startswith(b"{") else "safetensors"
        (folder / f"{number}.{kind}").write_bytes(content)
    return folder


def test_what_a_folder_shows_is_checked_and_what_no_model_has_made_again_is_not_proved(
    folder: Path,
) -> None:
    for named in (folder, folder / "card.json"):
        done = verify("--training", named)
        assert done.returncode == 1, done.stderr
        assert "LIE" not in done.stdout
        assert "ok  sessions" in done.stdout
        assert "?   steps" in done.stdout


def test_a_lie_is_told(tmp_path: Path) -> None:
    kept = on_paper()
    done = verify("--training", laid(kept.with_card(bytes=1), tmp_path / "lie"))
    assert done.returncode == 1
    assert "LIE weights" in done.stdout
    assert "FALSE: weights" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--training", "nothing.json"), "no such file, and no content id"),
        (("--training", "{folder}", "--steps", "9"), "the training has steps 1 to 4"),
        (("--training", "{folder}", "--system-file", "{folder}"), "cannot be read"),
        (("--training", "{folder}", "01J8"), "an adapter alone"),
        (("--steps", "9"), "name its adapter by --training"),
        (("--training", "{folder}/.."), "0 adapters' cards"),
    ],
)
def test_what_cannot_be_is_said_plainly(
    folder: Path, arguments: tuple[str, ...], words: str
) -> None:
    done = verify(*(each.replace("{folder}", str(folder)) for each in arguments))
    assert done.returncode == 1
    assert words in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_its_help_has_the_options() -> None:
    told = " ".join(verify("--help").stdout.split())
    for option in ("--training", "--steps", "--system-file"):
        assert option in told
