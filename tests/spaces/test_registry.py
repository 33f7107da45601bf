from __future__ import annotations

import pytest

from spaces.registry import UnknownSpace, all_spaces, get


def test_every_space_is_found_by_its_id() -> None:
    assert [get(space.id) for space in all_spaces()] == list(all_spaces())
    assert all(space.rules.startswith(f"{space.id}/") for space in all_spaces())


def test_an_unknown_space_is_named_with_those_that_exist() -> None:
    with pytest.raises(UnknownSpace) as caught:
        get("chess")
    assert str(caught.value) == "no space 'chess'; there are bid-tac-toe, rap-battle"
    assert isinstance(caught.value, KeyError)
