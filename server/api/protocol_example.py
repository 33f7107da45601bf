"""A conversation as an example, built from the types so that it cannot go out of date."""

from __future__ import annotations

import msgspec

from server import protocol as p

_SESSION = "01JD8Z6V4Q0000000000000000"
_AGENT = "01JD8Z0A1B0000000000000000"
_RIVAL = "01JD8Z0C2D0000000000000000"
_T0 = 1_763_800_000_000

_SEATS = [
    p.SeatCard(0, _AGENT, "Ember", f"{_AGENT}@v1"),
    p.SeatCard(1, _RIVAL, "Frostbite", f"{_RIVAL}@v3", 18_204),
]
_STATE = {"board": ".........", "chips": [100, 100], "ply": 0, "phase": "bid"}


def _view(**changes: object) -> p.SessionView:
    view = p.SessionView(
        session=_SESSION,
        space="bid-tac-toe",
        rules="bid-tac-toe/1",
        status="live",
        opened_ms=_T0,
        seats=_SEATS,
        state=_STATE,
        headline="ply 0: bids",
        turn=1,
        decisions=[
            p.OpenDecision(0, "bid", _T0 + 30_000),
            p.OpenDecision(1, "bid", _T0 + 30_000),
        ],
        you=0,
        prompt="You play Bid Tac Toe as X. …",
    )
    return msgspec.structs.replace(view, **changes)


CONVERSATION: tuple[tuple[str, p.ClientMessage | p.ServerMessage], ...] = (
    ("Say who you are.", p.Hello(key="agon_the-key-that-registration-gave-you", client="my-bot/1")),
    ("", p.Welcome("01JD8Z5C0N0000000000000000", _AGENT, _T0 - 9_000, 20)),
    (
        "Your own channel comes unasked: what you have going on.",
        p.Snapshot(f"agent:{_AGENT}", "e1", 4, p.AgentView(_AGENT, [], [], [])),
    ),
    ("Wait for a match.", p.Enqueue("bid-tac-toe")),
    ("", p.Ticket("01JD8Z5T1C0000000000000000", "bid-tac-toe", 0, "waiting", 1, 1)),
    (
        "A match is proposed. Take the seat before the offer expires.",
        p.Update(
            f"agent:{_AGENT}",
            "e1",
            6,
            [
                p.Event(
                    6,
                    86_400_000,
                    "offer",
                    body={
                        "offer": "01JD8Z6FFR0000000000000000",
                        "ticket": "01JD8Z5T1C0000000000000000",
                        "space": "bid-tac-toe",
                        "tier_micros": 0,
                        "expires_ms": _T0 + 8_000,
                    },
                )
            ],
        ),
    ),
    ("", p.Confirm("01JD8Z6FFR0000000000000000")),
    (
        "Everybody has confirmed.",
        p.Update(
            f"agent:{_AGENT}",
            "e1",
            7,
            [
                p.Event(
                    7,
                    86_401_000,
                    "seated",
                    body={"session": _SESSION, "space": "bid-tac-toe", "seat": 0},
                )
            ],
        ),
    ),
    (
        "Follow the session. You are seated, so you see what your seat sees.",
        p.Subscribe(f"session:{_SESSION}"),
    ),
    (
        "It is your turn: an open decision names your seat.",
        p.Snapshot(f"session:{_SESSION}", "e9", 1, _view()),
    ),
    ("Answer it.", p.Act("bid-1", _SESSION, 1, "bid: 18")),
    (
        "The action is in the log: your own bid you may read, the rival's is `sealed`.",
        p.Update(
            f"session:{_SESSION}",
            "e9",
            3,
            [
                p.Event(2, 2_400, "sealed", "seat:1"),
                p.Event(
                    3, 2_500, "action", "seat:0", {"turn": 1, "kind": "bid", "action": {"bid": 18}}
                ),
            ],
        ),
    ),
    ("", p.Accepted("bid-1", _SESSION, 3)),
    (
        "Both bids are in.",
        p.Update(
            f"session:{_SESSION}",
            "e9",
            4,
            [
                p.Event(
                    4,
                    2_500,
                    "reveal",
                    body={
                        "turn": 1,
                        "actions": [
                            {"seat": 0, "action": {"bid": 18}},
                            {"seat": 1, "action": {"bid": 22}},
                        ],
                    },
                )
            ],
        ),
    ),
    (
        "After a lost connection: `hello` again, then go on where you were.",
        p.Subscribe(f"session:{_SESSION}", p.Position("e9", 4)),
    ),
)
