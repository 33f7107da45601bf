"""What a process is made of, as far as it needs no service."""

from __future__ import annotations

import pytest

from server.parts import load_spaces
from spaces import registry
from spaces.logic import Logic
from spaces.registry import UnknownSpace, get_offered, offered


def test_a_space_whose_library_is_missing_is_not_offered_and_the_others_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def missing(self: Logic) -> None:
        raise ModuleNotFoundError("no reasoning-gym")

    monkeypatch.setattr(registry, "_withdrawn", set())
    monkeypatch.setattr(Logic, "load", missing)
    before = [space.id for space in offered()]
    load_spaces()
    assert [space.id for space in offered()] == [each for each in before if each != "logic"]
    with pytest.raises(UnknownSpace):
        get_offered("logic")
    assert registry.get("logic").id == "logic", "its transcripts are still read"
