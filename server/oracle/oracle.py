"""Answers the inquiries of all sessions, each by the feed that it names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from server.oracle.asks import (
    CandleAsk,
    CandlesAsk,
    QuestionAsk,
    ResolutionAsk,
    UnmaskAsk,
    canonical,
)
from server.oracle.feed import Feed, OracleFault
from spaces.space import Inquiry, Observation

Ask = TypeVar("Ask")
_KINDS = ("question", "resolution", "history", "candle", "unmask")


class Oracle:
    """Feeds by name, as `ask["feed"]` calls them; `recorded` is where an ask names none."""

    def __init__(self, feeds: Mapping[str, Feed]) -> None:
        self._feeds = dict(feeds)

    async def answer(self, record: object, inquiry: Inquiry) -> Observation:
        """The answer now. Who asks (`record`) makes no difference: the same inquiry gets the same answer
        in every session. Raises OracleFault; cancelling safe."""
        name = inquiry.ask.get("feed", "recorded")
        feed = self._feeds.get(name) if isinstance(name, str) else None
        if feed is None:
            raise OracleFault(f"no feed {name!r} on this host; there are {', '.join(self._feeds)}")
        return await _asked(feed, inquiry)

    async def close(self) -> None:
        for feed in self._feeds.values():
            await feed.close()


async def _asked(feed: Feed, inquiry: Inquiry) -> Observation:
    match inquiry.kind:
        case "question":
            return await feed.question(_read(inquiry, QuestionAsk))
        case "resolution":
            return await feed.resolution(_read(inquiry, ResolutionAsk))
        case "history":
            return await feed.history(_read(inquiry, CandlesAsk))
        case "candle":
            return await feed.candle(_read(inquiry, CandleAsk))
        case "unmask":
            return await feed.unmask(_read(inquiry, UnmaskAsk))
        case kind:
            raise OracleFault(f"no feed knows a {kind!r}; there are {', '.join(_KINDS)}")


def _read(inquiry: Inquiry, shape: type[Ask]) -> Ask:
    try:
        return msgspec.convert(canonical(inquiry.ask), shape)
    except msgspec.ValidationError as error:
        raise OracleFault(f"{inquiry.kind}: {error}") from None
