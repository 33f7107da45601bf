"""What counts as a bid or a mark in an agent's text."""

from __future__ import annotations

import time

import pytest

from spaces.bid_tac_toe.answers import Action, Bid, Mark, parse
from spaces.space import InvalidAction


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("bid: 18", Bid(18)),
        ("BID = 18.", Bid(18)),
        ('{"bid": 18}', Bid(18)),
        ('Sure!\n```json\n{"reason": "centre", "bid": 18}\n```', Bid(18)),
        ("I think about it.\n\n**bid: 18**\n", Bid(18)),
        ("- bid: `18`", Bid(18)),
        ("bid: 5\nNo, wait.\nbid: 7", Bid(7)),
        ('bid: 5\n{"bid": 7}', Bid(7)),
        ('{"bid": 7}\nbid: 5', Bid(5)),
        ("bid: 5\nbid: a lot", Bid(5)),
        ("bid: 5\r\ncell: 3\r", Bid(5)),
        ("bid: 0", Bid(0)),
        ("bid: -3", Bid(-3)),  # readable; the rules refuse it
        ("bid: NUMBER\nbid: 12", Bid(12)),
    ],
)
def test_bids(text: str, action: Action) -> None:
    assert parse("bid", text) == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("cell: 4", Mark(4)),
        ('{"cell": 0}', Mark(0)),
        ("bid: 3\nCell: 8", Mark(8)),
        ("cell: 11", Mark(11)),
    ],
)
def test_marks(text: str, action: Action) -> None:
    assert parse("mark", text) == action


@pytest.mark.parametrize(
    "text",
    [
        "",
        "18",
        "I bid 18",
        "my bid: 18 because the centre matters",
        "bid: 18 or 20",
        "bid: 1e3",
        "bid: 18.5",
        "bid: 1,000",
        "bid: \u0661\u0668",  # digits, but not ASCII
        "bid: 1234567890123456",
        "cell: 4",
        '{"bid": "18"}',
        '{"bid": 18.0}',
        '{"bid": true}',
        '{"bid": null}',
        '{"bid": 99999999999999999999}',
        '{"bid": 18',
        '{"bid": {"bid": 18',
        '"bid": 18',
    ],
)
def test_no_bid_is_guessed(text: str) -> None:
    with pytest.raises(InvalidAction, match="no bid found; answer with one line `bid: NUMBER`"):
        parse("bid", text)


def test_the_reason_shows_the_format_of_a_mark() -> None:
    with pytest.raises(InvalidAction, match="cell: NUMBER"):
        parse("mark", "the centre")


@pytest.mark.parametrize("piece", ["{", '{"a":', "bid", "bid:", "* ", "bid: 1 ", "\n", '{"bid":1,'])
def test_hostile_text_takes_no_time(piece: str) -> None:
    text = (piece * 16_384)[:16_384]
    started = time.perf_counter()
    with pytest.raises(InvalidAction):
        parse("bid", text)
    assert time.perf_counter() - started < 0.25
