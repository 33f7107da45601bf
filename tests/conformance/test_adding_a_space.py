"""The example of docs/adding-a-space.md is a whole Space: it passes what every Space must pass."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spaces import registry
from spaces.transcript import read, replay
from tests.conformance import checks as suite
from tests.conformance.plays import Plays
from tests.conformance.rig import AnySpace, Dice, play

PAGE = Path(__file__).parents[2] / "docs" / "adding-a-space.md"

CHECKS: list[Callable[..., Any]] = [
    check
    for name, check in vars(suite).items()
    if name.startswith("test_") and list(inspect.signature(check).parameters) == ["plays"]
]


@pytest.fixture(scope="module")
def space() -> AnySpace:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code is not None
    module = types.ModuleType("spaces.rock_paper_scissors")
    sys.modules[module.__name__] = module  # where msgspec looks up what the annotations name
    exec(code[1], module.__dict__)
    made: AnySpace = module.RockPaperScissors()
    return made


@pytest.fixture(scope="module")
def plays(space: AnySpace) -> Iterator[Plays]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "_registered", {space.id: space})
        yield Plays(space, {"goal": 2})


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_example_passes_the_conformance_suite(plays: Plays, check: Callable[..., Any]) -> None:
    check(plays)


def test_the_example_is_replayed_once_it_is_registered(
    space: AnySpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_registered", {space.id: space})
    for number in range(50):
        session = play(space, {}, number, Dice(fault=0.2, forfeit=0.05, void=0.02))
        assert replay(read(session.document())).state == session.state


def test_the_suite_is_found() -> None:
    assert len(CHECKS) > 10
