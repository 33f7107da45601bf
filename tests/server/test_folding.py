"""What an owner does again and again in one block comes to as little as it amounts to."""

from __future__ import annotations

from collections import Counter

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chain.client.abi import Event
from chain.client.node import Log
from server.settlement.folding import folded

LARGEST = 1_000
DEPOSIT, REQUEST, CANCEL, LIMITS = (
    "Deposited",
    "WithdrawalRequested",
    "WithdrawalCancelled",
    "LimitsSet",
)

acts = st.lists(
    st.tuples(
        st.integers(0, 2), st.sampled_from("ab"), st.sampled_from("dddrrrcwl"), st.integers(1, 400)
    ),
    max_size=60,
)


def told(story: list[tuple[int, str, str, int]]) -> list[Event]:
    """What a contract could say: of three blocks, by two owners."""
    balance: Counter[str] = Counter()
    leaving: Counter[str] = Counter()
    ready: set[str] = set()
    events: list[Event] = []
    block = 0
    for step, owner, act, micros in story:
        if step == 2:
            block, ready = block + 1, set(leaving)
        fields = {"owner": owner, "amount": micros}
        match act:
            case "d":
                balance[owner] += micros
                name = DEPOSIT
            case "r" if balance[owner] >= micros:
                balance[owner] -= micros
                leaving[owner] += micros
                ready.discard(owner)
                name = REQUEST
            case "c" if leaving[owner]:
                fields["amount"] = leaving[owner]
                balance[owner] += leaving.pop(owner)
                name = CANCEL
            case "w" if leaving[owner] and owner in ready:
                fields["amount"] = leaving.pop(owner)
                name = "Withdrawn"
            case "l":
                name = LIMITS
            case _:
                continue
        log = Log("", (), b"", block, str(block), len(events), "", 0)
        events.append(Event(name, fields, log))
    return events


def ledger(events: list[Event]) -> dict[str, tuple[int, list[int], int | None]]:
    """By owner: what has come less what has gone, what is asked back (one sum a block), the place of the newest limits."""
    has: Counter[str] = Counter()
    asked: dict[str, Counter[int]] = {"a": Counter(), "b": Counter()}
    limits: dict[str, int] = {}
    for event in events:
        owner, micros = event.fields["owner"], event.fields["amount"]
        match event.name:
            case "Deposited":
                has[owner] += micros
            case "WithdrawalRequested":
                asked[owner][event.log.number] += micros
            case "WithdrawalCancelled":
                asked[owner].clear()
            case "Withdrawn":
                has[owner] -= asked[owner].total()
                assert micros == asked[owner].total()
                asked[owner].clear()
            case "LimitsSet":
                limits[owner] = event.log.index
        assert has[owner] >= asked[owner].total(), "what is asked back has come"
    return {each: (has[each], sorted(asked[each].values()), limits.get(each)) for each in "ab"}


def mirror(events: list[Event]) -> dict[tuple[str, str], int]:
    """What the escrow has of each owner, and what of it is leaving."""
    found: Counter[tuple[str, str]] = Counter()
    for event in events:
        owner, micros = event.fields["owner"], event.fields["amount"]
        balance, leaving = {
            DEPOSIT: (micros, 0), REQUEST: (-micros, micros), CANCEL: (micros, -micros), "Withdrawn": (0, -micros),
            LIMITS: (0, 0),
        }[event.name]  # fmt: skip
        found[owner, "balance"] += balance
        found[owner, "leaving"] += leaving
    return {name: micros for name, micros in found.items() if micros}


@given(acts)
def test_it_comes_to_the_same(story: list[tuple[int, str, str, int]]) -> None:
    events = told(story)
    fewer = folded(events, LARGEST)
    assert ledger(fewer) == ledger(events)
    assert mirror(fewer) == mirror(events)
    assert all(event.fields["amount"] <= LARGEST for event in fewer if event.name != "Withdrawn")


@given(acts)
def test_whole_blocks_fold_alike_wherever_a_batch_begins(
    story: list[tuple[int, str, str, int]],
) -> None:
    events = told(story)
    one_by_one = [
        event
        for number in range(len(events) and events[-1].log.number + 1)
        for event in folded([each for each in events if each.log.number == number], LARGEST)
    ]
    assert msgspec.to_builtins(one_by_one) == msgspec.to_builtins(folded(events, LARGEST))


def test_a_block_of_changes_of_mind_is_a_handful() -> None:
    fields = {"owner": "a", "amount": 1}
    names = [DEPOSIT, *[REQUEST, CANCEL, LIMITS, DEPOSIT] * 1_000]
    events = [
        Event(name, fields, Log("", (), b"", 1, "1", at, "", 0)) for at, name in enumerate(names)
    ]
    assert len(folded(events, 10**17)) <= 4
