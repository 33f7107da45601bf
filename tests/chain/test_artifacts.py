"""What is committed is what the sources make; whoever only loads it needs no compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from chain.artifacts import FOLDER, load
from chain.compile import CONTRACTS, compiled, names, sources_digest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", names())
def test_an_artifact_is_made_from_the_sources_that_are_here(name: str) -> None:
    assert load(name).sources_digest == sources_digest(name), "run python -m chain.compile"


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_an_artifact_is_what_its_sources_make(name: str) -> None:
    made = msgspec.to_builtins(compiled(name))
    assert made == msgspec.to_builtins(load(name)), "run python -m chain.compile"


def test_there_is_no_artifact_without_a_source() -> None:
    assert sorted(path.stem for path in FOLDER.glob("*.json")) == names()


def test_artifacts_load_without_the_compiler() -> None:
    program = (
        "import sys; sys.modules['vyper'] = None\n"
        "from chain.artifacts import load\n"
        "print(load('frac').compiler)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.strip() == "vyper 0.4.3", done.stderr


def test_an_unknown_contract_is_named_and_the_known_ones_too() -> None:
    with pytest.raises(LookupError, match=r"no contract 'esrow'; there are .*frac"):
        load("esrow")


@pytest.mark.parametrize("source", sorted(CONTRACTS.rglob("*.vy")), ids=lambda path: path.name)
def test_a_source_says_its_licence_and_its_compiler(source: Path) -> None:
    text = source.read_text()
    assert text.startswith("# pragma version ==0.4.3\n# SPDX-License-Identifier: AGPL-3.0-only\n")
    assert "@license GNU Affero General Public License v3.0 only" in text
