from __future__ import annotations

import pytest

from spaces import registry
from spaces.bid_tac_toe import BidTacToe
from spaces.registry import (
    UnknownSpace,
    all_spaces,
    get,
    get_known,
    get_offered,
    offer,
    offered,
    register,
)


class Chess(BidTacToe):
    id = "chess"
    rules = "chess/1"


class OtherChess(Chess):
    rules = "chess/2"


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", {})


def test_every_space_is_found_by_its_id() -> None:
    assert [get(space.id) for space in all_spaces()] == list(all_spaces())
    assert all(space.rules.startswith(f"{space.id}/") for space in all_spaces())


@pytest.mark.parametrize("space_id", ["chess", "", ":", "nobody:chess"])
def test_an_unknown_space_is_named_with_those_that_exist(space_id: str) -> None:
    with pytest.raises(UnknownSpace) as caught:
        get(space_id)
    there_are = ", ".join(space.id for space in all_spaces())
    assert str(caught.value) == f"no space {space_id!r}; there are {there_are}"
    assert isinstance(caught.value, KeyError)


def test_a_registered_space_is_found_and_offered_beside_our_own() -> None:
    chess = Chess()
    register(chess)
    register(Chess())
    assert get("chess") is get_offered("chess") is chess
    assert offered() == (*all_spaces(), chess)


def test_an_id_is_not_given_twice() -> None:
    register(Chess())
    with pytest.raises(ValueError, match="'chess' is taken"):
        register(OtherChess())


def test_an_operator_lists_games_of_other_projects() -> None:
    offer(["openspiel:kuhn_poker(players=2)", " textarena:TicTacToe-v0", "", "bid-tac-toe"])
    added = [space.id for space in offered()[len(all_spaces()) :]]
    assert added == ["openspiel:kuhn_poker", "textarena:tictactoe-v0"]
    with pytest.raises(UnknownSpace, match="OpenSpiel has no game 'poker'"):
        offer(["openspiel:poker"])


def test_what_strangers_ask_for_loads_no_library() -> None:
    with pytest.raises(UnknownSpace):
        get_offered("openspiel:kuhn_poker")


def test_a_transcript_is_read_by_what_is_known_here_and_loads_no_library() -> None:
    with pytest.raises(UnknownSpace, match="'openspiel:kuhn_poker' is a game of another project"):
        get_known("openspiel:kuhn_poker")
    with pytest.raises(UnknownSpace, match="no space 'chess'"):
        get_known("chess")
    offer(["openspiel:kuhn_poker"])
    assert get_known("openspiel:kuhn_poker").id == "openspiel:kuhn_poker"
    assert get_known("bid-tac-toe") is get("bid-tac-toe")


def test_an_id_of_a_stranger_moves_no_cursor() -> None:
    with pytest.raises(UnknownSpace) as caught:
        get_known("openspiel:\x1b[2J")
    assert str(caught.value).isascii()
    assert "\x1b" not in str(caught.value)
