"""The trainer is a role of its own, and nobody has it who did not ask for it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from server.config import Config, ConfigError
from server.role import Role
from server.roles import parse_roles
from server.training import extra


def test_a_process_trains_where_it_has_slots_and_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    with_slots = Config(training_cpu_slots=1)
    monkeypatch.setattr(extra, "NEEDED", ("json",))
    assert not extra.by_default(Config())
    assert extra.by_default(with_slots)
    extra.check()
    monkeypatch.setattr(extra, "NEEDED", ("json", "no_such_module"))
    assert not extra.by_default(with_slots)
    with pytest.raises(ConfigError, match=r"agon-arena\[training\]"):
        extra.check()


def test_only_who_trains_has_the_role_unasked() -> None:
    assert Role.TRAINER not in parse_roles(None)
    assert parse_roles(None, trains=True) == parse_roles(None) | {Role.TRAINER}
    assert parse_roles(["trainer"]) == {Role.TRAINER}


def test_the_trainer_itself_imports_nothing_of_the_extra() -> None:
    program = (
        "import sys, server.training.composing, server.training.child;"
        "print(*sorted({'torch', 'transformers', 'peft', 'trl', 'gguf'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr[-500:]
