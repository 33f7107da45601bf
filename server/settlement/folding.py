"""Logs of one owner in one block that come to the same as fewer. Pure.

A wallet with code may ask its money back and change its mind thousands of times in one block, at 5,000 gas each: a dollar's worth
would have the reader write for minutes. So of each block and owner are kept one deposit, one request and one cancellation at most
(more where the owner has withdrawn in between), and the newest limits.

Blocks are read, and taken back, whole: what is taken back folds to what was followed.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import msgspec

from chain.client.abi import Event

REQUESTED, CANCELLED = "WithdrawalRequested", "WithdrawalCancelled"
DEPOSITED, LIMITED = "Deposited", "LimitsSet"


def folded(events: Sequence[Event], largest_micros: int) -> list[Event]:
    """In the order of the chain, whole blocks. What is added up is never above `largest_micros`."""
    kept: list[Event] = []
    for _, block in itertools.groupby(events, key=lambda event: event.log.number):
        kept += _Block(list(block), largest_micros).fold()
    return kept


class _Block:
    def __init__(self, events: list[Event], largest_micros: int) -> None:
        self._events = events
        self._largest = largest_micros
        self._kept: list[Event | None] = [*events]
        self._last: dict[tuple[str, str], int] = {}
        """By owner and name, the place of what the next one may be folded with."""

    def fold(self) -> list[Event]:
        for place, event in enumerate(self._events):
            match event.name:
                case "LimitsSet":
                    self._drop(event.fields["owner"], LIMITED)
                    self._last[event.fields["owner"], LIMITED] = place
                case "Deposited":
                    self._deposit(place, event)
                case "WithdrawalRequested":
                    self._request(place, event)
                case "WithdrawalCancelled":
                    self._cancel(place, event)
                case "Withdrawn":
                    for name in (REQUESTED, CANCELLED):
                        self._last.pop((event.fields["owner"], name), None)
        return [event for event in self._kept if event is not None]

    def _deposit(self, place: int, event: Event) -> None:
        """With the first one: what is asked back in between lies there already."""
        owner = event.fields["owner"]
        micros = event.fields["amount"] + self._micros(owner, DEPOSITED)
        first = self._last.get((owner, DEPOSITED))
        if first is None or micros > self._largest:
            self._last[owner, DEPOSITED] = place
        else:
            self._kept[first] = _of(self._events[first], micros)
            self._kept[place] = None

    def _request(self, place: int, event: Event) -> None:
        """With the last one: whatever came in before it is there."""
        owner = event.fields["owner"]
        micros = event.fields["amount"] + self._micros(owner, REQUESTED)
        if micros <= self._largest:
            self._drop(owner, REQUESTED)
            self._kept[place] = _of(event, micros)
        self._last[owner, REQUESTED] = place

    def _cancel(self, place: int, event: Event) -> None:
        """What was asked for in this block has not happened; what was asked for before it is what is left of the amount."""
        owner = event.fields["owner"]
        micros = event.fields["amount"] - self._micros(owner, REQUESTED)
        micros += self._micros(owner, CANCELLED)
        if not 0 <= micros <= self._largest:
            return
        self._drop(owner, REQUESTED)
        self._drop(owner, CANCELLED)
        self._kept[place] = _of(event, micros) if micros else None
        if micros:
            self._last[owner, CANCELLED] = place

    def _micros(self, owner: str, name: str) -> int:
        """Of what the next one may be folded with."""
        place = self._last.get((owner, name))
        event = None if place is None else self._kept[place]
        return 0 if event is None else int(event.fields["amount"])

    def _drop(self, owner: str, name: str) -> None:
        place = self._last.pop((owner, name), None)
        if place is not None:
            self._kept[place] = None


def _of(event: Event, micros: int) -> Event:
    return msgspec.structs.replace(event, fields=event.fields | {"amount": micros})
