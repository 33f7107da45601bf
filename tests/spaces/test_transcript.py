"""Transcripts: the exact format, and that no lie replays.

A liar who changes a sealed document breaks a hash; a liar who seals his lie anew breaks a rule.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from spaces import registry
from spaces.space import Outcome
from spaces.transcript import (
    Draft,
    SeatCommit,
    TranscriptError,
    digest,
    order,
    read,
    replay,
    seal,
    seat_commit,
)
from tests.conformance.rig import OPENED_MS, SESSION, Dice, Session, play, seed_of

BIDDING = registry.get("bid-tac-toe")
RAP = registry.get("rap-battle")

Lie = Callable[[list[Draft]], object]


def a_game(number: int = 9, dice: Dice | None = None) -> Session:
    return play(BIDDING, {"chips": 20}, number, dice)


def a_battle(number: int = 3, dice: Dice | None = None) -> Session:
    return play(RAP, {"rounds": 1}, number, dice)


# ------------------------------------------------------------------ the format, by a stranger


def merkle_tree_hash(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, as it is written there."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    halves = merkle_tree_hash(leaves[:k]) + merkle_tree_hash(leaves[k:])
    return hashlib.sha256(b"\1" + halves).digest()


@pytest.mark.parametrize("session", [a_game(), a_battle()], ids=["game", "battle"])
def test_a_stranger_can_check_a_transcript_with_nothing_of_ours(session: Session) -> None:
    document = session.document()
    told = json.loads(document)
    assert rfc8785.dumps(told) == document
    assert " ".join(told) == (
        "entries opened_ms outcome params root rules sealed_ms seats seed seed_commit session space v"
    )
    seed = bytes.fromhex(told["seed"])
    commit = hashlib.sha256(b"agon-seed/1" + told["session"].encode() + seed).hexdigest()
    assert told["seed_commit"] == commit == told["entries"][0]["body"]["seed_commit"]
    prev = "0" * 64
    for number, entry in enumerate(told["entries"]):
        assert sorted(entry) == ["body", "by", "i", "prev", "t", "type"]
        assert (entry["i"], entry["prev"]) == (number, prev)
        prev = hashlib.sha256(rfc8785.dumps(entry)).hexdigest()
    leaves = [rfc8785.dumps(entry) for entry in told["entries"]]
    assert told["root"] == merkle_tree_hash(leaves).hex()
    assert digest(document) == hashlib.sha256(document).hexdigest()
    assert told["seats"][1]["commit"] == hashlib.sha256(b"\1" * 32 + b"agent-1@v1").hexdigest()


def test_a_signature_is_not_part_of_the_digest() -> None:
    document = json.loads(a_game().document())
    document["sig"] = {"signer": "0x" + "aB" * 20, "value": "0x" + "12" * 65}
    signed = rfc8785.dumps(document)
    assert digest(signed) == digest(a_game().document())
    assert replay(read(signed)).digest == digest(signed)


def test_replay_tells_outcome_state_and_digest() -> None:
    session = a_game()
    replayed = replay(read(session.document()))
    assert replayed.outcome == session.outcome
    assert replayed.state == session.state
    assert replayed.space is BIDDING
    assert replayed.digest == digest(session.document())


def test_a_void_session_replays_as_void() -> None:
    session = next(
        s for n in range(99) if (s := a_game(n, Dice(void=0.2))).log[-1][0].type == "void"
    )
    assert replay(read(session.document())).outcome == Outcome("void", None)
    session.outcome = None  # what the host says of a session without an outcome
    assert replay(read(session.document())).outcome == Outcome("void", None)


# ------------------------------------------------------------------ sealed actions


def event(type: str, secret_to: int | None = None, **body: Any) -> tuple[Draft, int | None]:
    return Draft(0, "host", type, body), secret_to


def test_sealed_actions_wait_for_their_reveal_in_seat_order() -> None:
    log = [
        event("open"),
        event("turn", turn=1),
        event("action", 1, a=1),
        event("fault", n=0),
        event("action", 0, a=0),
        event("reveal"),
        event("action", a=2),
        event("end"),
        event("digest"),
        event("rated"),
    ]
    entries = order(log)
    assert [entry.type for entry in entries] == [
        "open", "fault", "action", "action", "reveal", "action", "end",
    ]  # fmt: skip
    assert [entry.body.get("a") for entry in entries] == [None, None, 0, 1, None, 2, None]


@pytest.mark.parametrize("last", ["end", "void"])
def test_an_end_unseals_as_well(last: str) -> None:
    log = [event("action", 0, a=0), event("forfeit", seat=1), event(last)]
    assert [entry.type for entry in order(log)] == ["forfeit", "action", last]


def test_a_log_that_stops_before_the_reveal_has_no_order() -> None:
    with pytest.raises(TranscriptError, match="1 sealed actions were never revealed"):
        order([event("open"), event("action", 0)])


def test_a_salt_has_32_bytes() -> None:
    with pytest.raises(ValueError, match="32 bytes, got 3"):
        seat_commit("agent@v1", b"abc")


# ------------------------------------------------------------------ lies about a sealed document


def changes(value: Any) -> list[Any]:
    """Other values of the same type."""
    if isinstance(value, bool) or value is None:
        return [not value, 1]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, str):
        return [value + "0", ("1" if value[:1] == "0" else "0") + value[1:]]
    if isinstance(value, list):
        return [value[:-1], [*value, value[-1]]] if value else [[0]]
    return [{**value, "extra": 1}, dict(list(value.items())[1:])] if value else [{"extra": 1}]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths to everything inside of a document."""
    found = [path] if path else []
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            found += places(item, (*path, key))
    return found


def at(document: Any, path: tuple[Any, ...]) -> Any:
    for key in path:
        document = document[key]
    return document


TIMES = {"opened_ms", "sealed_ms"}
"""Nothing else in an unsigned transcript depends on these two: the signature binds them."""


@pytest.mark.parametrize("session", [a_game(), a_battle()], ids=["game", "battle"])
def test_no_single_change_of_a_document_goes_unseen(session: Session) -> None:
    original = json.loads(session.document())
    for path in places(original):
        if path[-1] in TIMES:
            continue
        for changed in changes(at(original, path)):
            document = copy.deepcopy(original)
            at(document, path[:-1])[path[-1]] = changed
            with pytest.raises(TranscriptError):
                replay(read(rfc8785.dumps(document)))


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_no_changed_byte_goes_unseen(place: int, byte: int) -> None:
    document = bytearray(a_battle().document())
    place %= len(document)
    if document[place] == byte:
        return
    document[place] = byte
    try:
        told = replay(read(bytes(document)))
    except TranscriptError:
        return
    assert told.digest != digest(a_battle().document())  # a digit of a time was changed


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_transcript_or_an_error(document: bytes) -> None:
    with pytest.raises(TranscriptError):
        read(document)


@pytest.mark.parametrize(
    ("document", "fact"),
    [
        (b"[" * 500_000, "nested too deep|levels"),
        (b" " * (1 << 20) + b"{}", "at most 1048576"),
        (b"{} ", "bytes differ"),
        (b'{"a":1,"a":1}', "bytes differ"),
        (b'{"a":1.0}', "float"),
        (b'{"a":"\xff"}', "not canonical"),
        (b"{}", "not an agon-transcript/1"),
    ],
)
def test_what_is_no_transcript(document: bytes, fact: str) -> None:
    with pytest.raises(TranscriptError, match=fact):
        read(document)


# ------------------------------------------------------------------ lies that are sealed anew


STEP_MS = 100_000
"""Longer than a decision may take, so that a lie of `resealed` is no lie about time."""


def resealed(session: Session, lie: Lie, /, **header: Any) -> bytes:
    entries = [msgspec.convert(msgspec.to_builtins(d), Draft) for d in order(session.log)]
    lie(entries)
    entries = [msgspec.structs.replace(each, t=i * STEP_MS) for i, each in enumerate(entries)]
    told: dict[str, Any] = {
        "session": SESSION,
        "space": session.space.id,
        "rules": session.space.rules,
        "params": session.params,
        "opened_ms": OPENED_MS,
        "sealed_ms": OPENED_MS + len(entries) * STEP_MS,
        "seats": session.seats,
        "seed": session.seed,
        "entries": entries,
        "outcome": session.outcome,
    }
    return seal(**(told | header))


def find(entries: list[Draft], type: str, kind: str | None = None, nth: int = 0) -> int:
    found = [
        i
        for i, entry in enumerate(entries)
        if entry.type == type and kind in (None, entry.body.get("kind"))
    ]
    return found[nth]


def edit(type: str, kind: str | None = None, /, nth: int = 0, **body: Any) -> Lie:
    """Change fields in the body of an entry."""

    def lie(entries: list[Draft]) -> None:
        i = find(entries, type, kind, nth)
        entries[i] = msgspec.structs.replace(entries[i], body={**entries[i].body, **body})

    return lie


def sign(type: str, by: str) -> Lie:
    def lie(entries: list[Draft]) -> None:
        i = find(entries, type)
        entries[i] = msgspec.structs.replace(entries[i], by=by)

    return lie


def drop(type: str, nth: int = 0) -> Lie:
    return lambda entries: entries.pop(find(entries, type, nth=nth))


def swap(first: int, second: int) -> Lie:
    def lie(entries: list[Draft]) -> None:
        entries[first], entries[second] = entries[second], entries[first]

    return lie


def put(where: int, type: str, by: str = "host", **body: Any) -> Lie:
    return lambda entries: entries.insert(where, Draft(0, by, type, body))


def fault(seat: int, attempt: int, turn: int = 1, code: str = "illegal") -> dict[str, Any]:
    body = {"turn": turn, "code": code, "reason": "r", "attempt": attempt}
    return {"type": "fault", "by": f"seat:{seat}", **body}


def both(*lies: Lie) -> Lie:
    def lie(entries: list[Draft]) -> None:
        for one in lies:
            one(entries)

    return lie


def nothing(entries: list[Draft]) -> None:
    """No lie: what `resealed` makes of the truth must hold."""


@pytest.mark.parametrize("make", [a_game, a_battle])
def test_the_truth_sealed_anew_replays(make: Callable[[], Session]) -> None:
    session = make()
    assert replay(read(resealed(session, nothing))).state == session.state


GAME_LIES: dict[str, tuple[Lie, str]] = {
    # the game's entries: 0 open, 1 action seat 0 (bid), 2 action seat 1 (bid), 3 reveal, 4 mark, ...
    "another bid": (edit("action", "bid", action={"kind": "bid", "bid": 0}), "entry 3: reveal differs"),
    "a bid over the chips": (
        edit("action", "bid", action={"kind": "bid", "bid": 21}),
        "entry 1: the rules refuse the action: a bid is 0 to 20",
    ),
    "a mark for a bid": (edit("action", "bid", kind="mark"), "entry 1: a 'mark' where a 'bid' is due"),
    "a mark's action as a bid": (
        edit("action", "bid", action={"kind": "mark", "cell": 1}),
        "entry 1: the rules refuse",
    ),
    "a marked cell": (
        edit("action", "mark", nth=1, action={"kind": "mark", "cell": 9}),
        "the rules refuse the action: cell 9",
    ),
    "an action of no form": (edit("action", "bid", action={"kind": "bid"}), "entry 1: bid-tac-toe"),
    "another reveal": (edit("reveal", actions=[]), "entry 3: reveal differs"),
    "no reveal": (drop("reveal"), "entry 2: a sealed action stands apart"),
    "a second reveal": (put(4, "reveal", turn=1, actions=[]), "entry 4: nothing to reveal"),
    "an early reveal": (swap(2, 3), "entry 1: a sealed action stands apart|nothing to reveal"),
    "seats out of order": (swap(1, 2), "entry 1: a sealed action stands apart"),
    "a bid less": (drop("action"), "entry 2: nothing to reveal"),
    "a bid more": (
        lambda entries: entries.insert(2, entries[1]),
        "entry 1: a sealed action stands apart",
    ),
    "a later turn": (edit("action", "mark", turn=9), "turn 9 follows turn 1"),
    "an earlier turn": (edit("action", "mark", turn=1), "turn 1 follows turn 1"),
    "another's turn": (sign("action", "seat:1"), "entry 1: a sealed action|owes no decision"),
    "a seat that is none": (sign("action", "seat:2"), "entry 1: seat 2 owes no decision"),
    "by the host": (sign("action", "host"), "entry 1: action by 'host', not by a seat"),
    "by seat 00": (sign("action", "seat:00"), "not by a seat"),
    "a reveal by a seat": (sign("reveal", "seat:0"), "not by the host"),
    "an unknown entry": (put(1, "gossip"), "entry 1: type 'gossip' has no place here"),
    "a second opening": (put(1, "open"), "entry 1: type 'open' has no place here"),
    "no opening": (drop("open"), "entry 0: the first entry is 'action'"),
    "another opening": (edit("open", rules="bid-tac-toe/2"), "entry 0: open says something else"),
    "another seed_commit": (edit("open", seed_commit="0" * 64), "entry 0: open says something else"),
    "no entries": (lambda entries: entries.clear(), "no entries"),
    "no end": (drop("end"), "the entries end before the session does"),
    "another winner": (edit("end", returns=[0, 0]), "end differs from the rules'"),
    "another reason": (edit("end", termination="forfeit"), "end differs from the rules'"),
    "an end too early": (put(4, "end", termination="line", returns=[1, -1]), "the rules go on"),
    "something after the end": (
        lambda entries: entries.append(entries[1]),
        "action after the session was over",
    ),
    "a void where it ended": (
        both(drop("end"), lambda entries: entries.append(Draft(0, "host", "void", {"reason": ""}))),
        "void although the rules ended",
    ),
    "a forfeit without faults": (put(1, "forfeit", turn=1, seat=0), "entry 1: .* after 0 faults"),
    "a forfeit after one fault": (
        both(put(1, **fault(0, 1)), put(2, "forfeit", turn=1, seat=0)),
        "entry 2: seat 0 forfeits after 1 faults",
    ),
    "a fault out of count": (put(1, **fault(0, 2)), "entry 1: fault of attempt 2 after 0 faults"),
    "a third fault": (
        both(put(1, **fault(0, 1)), put(2, **fault(0, 2)), put(3, **fault(0, 3))),
        "entry 3: fault of attempt 3",
    ),
    "an action after two faults": (
        both(put(1, **fault(0, 1)), put(2, **fault(0, 2))),
        "entry 3: seat 0 acts after 2 faults",
    ),
    "an unknown fault": (put(1, **fault(0, 1, code="rude")), "entry 1: unknown fault 'rude'"),
    "a fault of no seat": (put(1, **fault(2, 1)), "entry 1: seat 2 owes no decision"),
    "a deadline of no seat": (put(1, "deadline", turn=1, seat=5), "entry 1: seat 5 owes"),
    "a fault after the act": (put(4, **fault(0, 1)), "turn 1 follows turn 1|was not revealed"),
    "words too many": (put(1, "deadline", turn=1, seat=0, why=1), "entry 1: body of deadline"),
    "words too few": (put(1, "forfeit", turn=1), "entry 1: body of forfeit"),
    "raw that says something else": (
        edit("action", "bid", raw="bid: 20"),
        "entry 1: the action is not what raw says",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", GAME_LIES)
def test_no_lie_about_a_game_replays(name: str) -> None:
    lie, fact = GAME_LIES[name]
    with pytest.raises(TranscriptError, match=fact):
        replay(read(resealed(a_game(), lie)))


BATTLE_LIES: dict[str, tuple[Lie, str]] = {
    "other words": (edit("action", action={"kind": "verse", "text": "x"}), "not what raw says"),
    "other raw": (edit("action", raw="x"), "entry 1: the action is not what raw says"),
    "no raw": (edit("action", raw=None), "entry 1: an action for judges without the raw reply"),
    "escapes": (
        edit("action", action={"kind": "verse", "text": "\x1b"}, raw="\x1b"),
        "entry 1: the verse is empty",
    ),
    "too long": (
        edit("action", action={"kind": "verse", "text": "x" * 601}, raw="x" * 601),
        "entry 1: the rules refuse the action: a verse has at most 600",
    ),
}


@pytest.mark.parametrize("name", BATTLE_LIES)
def test_no_lie_about_a_battle_replays(name: str) -> None:
    lie, fact = BATTLE_LIES[name]
    with pytest.raises(TranscriptError, match=fact):
        replay(read(resealed(a_battle(), lie)))


HEADER_LIES: dict[str, tuple[dict[str, Any], str]] = {
    "space": ({"space": "chess"}, "no space 'chess'"),
    "rules": ({"rules": "bid-tac-toe/0"}, "rules 'bid-tac-toe/0' are not known"),
    "params": ({"params": {"chips": 0}}, "chips"),
    "other params": ({"params": {"chips": 21}}, "open says something else"),
    "outcome": ({"outcome": Outcome("line", (0, 0))}, "outcome is not what the entries lead to"),
    "void": ({"outcome": None}, "outcome is not what the entries lead to"),
    "seed": ({"seed": seed_of(4)}, "open says something else"),
    "session": ({"session": "other"}, "open says something else"),
    "seats": ({"seats": [SeatCommit(0, "0" * 64)]}, "seats are not 0 to 1 in order"),
    "times": ({"sealed_ms": OPENED_MS - 1}, "sealed before it was opened"),
}


@pytest.mark.parametrize("name", HEADER_LIES)
def test_no_lie_in_the_header_replays(name: str) -> None:
    header, fact = HEADER_LIES[name]
    with pytest.raises(TranscriptError, match=fact):
        replay(read(resealed(a_game(), nothing, **header)))


def test_the_error_names_entry_and_fact() -> None:
    with pytest.raises(TranscriptError) as caught:
        replay(read(resealed(a_game(), GAME_LIES["no opening"][0])))
    assert caught.value.entry == 0
    assert caught.value.fact == "the first entry is 'action', not 'open'"


def test_a_transcript_of_more_than_a_mebibyte_is_not_sealed() -> None:
    with pytest.raises(TranscriptError, match="at most 1048576"):
        resealed(a_game(), put(1, "gossip", words="x" * (1 << 20)))


def test_the_longest_battle_fits() -> None:
    """Every reply at its longest and of nothing but characters that JSON escapes in six bytes."""
    session = play(RAP, {"rounds": 8, "bars": 16, "char_limit": 2_000}, 0)
    for draft, _ in session.log:
        if draft.type == "action":
            draft.body["raw"] = "x" + "\x01" * 3_999
    assert len(session.document()) < 1 << 20
