"""What a command is called in the journal of what was sent: whoever is paid is a part of it."""

from __future__ import annotations

from typing import Any

import pytest

from server.commands import token

RECEIVERS = ("0x" + "11" * 20, "0x" + "22" * 20)


def test_a_sale_for_somebody_else_is_another_command(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a sale that was cut off would be told as done by one whose money goes elsewhere."""
    said: list[str] = []

    def act(at: object, command: str, work: object, **_: Any) -> None:
        said.append(command)

    monkeypatch.setattr(token, "act", act)
    for to in (None, *RECEIVERS):
        token.sell("7", "all", to=to)
    assert len(set(said)) == 3
