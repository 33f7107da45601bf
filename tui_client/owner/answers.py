"""What the HTTP API answers an owner, as far as these screens look at it.

Fields that a newer arena adds are passed over, and those that it leaves out have the value that says least; so a
screen shows what it can. Money is integer micros of its asset, times are unix milliseconds. Names and words
come from anybody, and are cleaned where they are painted.
"""

from __future__ import annotations

from typing import Any

import msgspec

# ---------------------------------------------------------------------- what there is


class SpaceCard(msgspec.Struct, frozen=True):
    """A contest."""

    id: str
    title: str = ""
    seats: int = 2
    prompt_limit: int = 0
    """Characters of a prompt."""
    tiers_micros: tuple[int, ...] = ()


class SpaceList(msgspec.Struct, frozen=True):
    spaces: tuple[SpaceCard, ...] = ()


class Brain(msgspec.Struct, frozen=True):
    """What may play a hosted agent."""

    brain: str
    spaces: tuple[str, ...] = ()
    """That it can play."""


class Shelf(msgspec.Struct, frozen=True):
    """What hosted agents may be made of."""

    brains: tuple[Brain, ...] = ()
    models: tuple[str, ...] = ()
    """The first is the arena's own."""


class Taken(msgspec.Struct, frozen=True):
    """Of a pot, as fees."""

    protocol: int = 0
    judges: int = 0
    operators: int = 0


class Table(msgspec.Struct, frozen=True):
    """Who gets what of a pot, by the number of seats."""

    seats: int
    pot_micros: int = 0
    fees: Taken = Taken()
    places_micros: tuple[int, ...] = ()


class Tier(msgspec.Struct, frozen=True):
    tier_micros: int
    asset: str = "play"
    entry_micros: int = 0
    open: bool = True
    tables: tuple[Table, ...] = ()


class Fees(msgspec.Struct, frozen=True):
    """What an entry costs and what a place is worth."""

    tiers: tuple[Tier, ...] = ()
    settlement: str = ""

    def of(self, tier_micros: int) -> Tier | None:
        return next((tier for tier in self.tiers if tier.tier_micros == tier_micros), None)


# ---------------------------------------------------------------------- agents


class Spec(msgspec.Struct, frozen=True):
    """What makes a version; its owner alone sees it."""

    prompt: str = ""
    prompts: dict[str, str] = {}
    """By Space, of those that have one of their own."""
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    brain: str = "llm"
    spaces: tuple[str, ...] = ()
    build: str = ""


class OwnAgent(msgspec.Struct, frozen=True):
    """An agent as its owner sees it."""

    agent: str
    name: str = ""
    kind: str = "hosted"
    about: str = ""
    version: str = ""
    number: int = 1
    """Of the version that plays now."""
    spec: Spec = Spec()
    """Of that version."""
    spaces: tuple[str, ...] = ()
    """What it plays here."""
    revision: int = 1
    """Counts the edits; one names the revision it has seen."""
    archived_ms: int | None = None
    frozen_ms: int | None = None
    frozen_reason: str | None = None


class OwnAgents(msgspec.Struct, frozen=True):
    agents: tuple[OwnAgent, ...] = ()

    def get(self, agent: str) -> OwnAgent | None:
        return next((each for each in self.agents if each.agent == agent), None)


class Registered(msgspec.Struct, frozen=True):
    """An agent that was just made. Its key is shown this once."""

    agent: str
    name: str = ""
    key: str = ""


class Improved(msgspec.Struct, frozen=True):
    """A prompt that the helper has written."""

    prompt: str
    notes: tuple[str, ...] = ()
    """What was changed, and why."""


class Seat(msgspec.Struct, frozen=True):
    seat: int
    agent: str = ""
    name: str = ""
    version: str = ""


class Session(msgspec.Struct, frozen=True):
    session: str
    space: str = ""
    status: str = "live"
    seats: tuple[Seat, ...] = ()
    tier_micros: int = 0
    opened_ms: int = 0
    headline: str = ""


class Sessions(msgspec.Struct, frozen=True):
    sessions: tuple[Session, ...] = ()


# ---------------------------------------------------------------------- automation


class Limits(msgspec.Struct, frozen=True):
    tier_micros: int = 0
    spaces: tuple[str, ...] = ()
    max_sessions: int = 0
    max_parallel: int = 1
    stop_loss_micros: int = 0
    take_profit_micros: int | None = None
    schedule: dict[str, Any] = {}


class Run(msgspec.Struct, frozen=True):
    """What has come of one run."""

    number: int = 0
    """0: there was none."""
    asset: str = "play"
    begun: int = 0
    open: int = 0
    at_risk_micros: int = 0
    profit_micros: int = 0


class Automation(msgspec.Struct, frozen=True):
    state: str = "off"
    """`on`, `off` or `stopped`."""
    limits: Limits = Limits()
    run: Run = Run()
    reason: str | None = None
    """Why it is stopped."""
    waits: str | None = None
    """While it is on: why it makes no entry just now."""
    changed_ms: int = 0

    @property
    def on(self) -> bool:
        return self.state == "on"

    @property
    def set(self) -> bool:
        """Whether its limits were ever set."""
        return bool(self.limits.spaces)


# ---------------------------------------------------------------------- money


class Balance(msgspec.Struct, frozen=True):
    """One purse."""

    holder: str
    """`owner`, or an agent."""
    asset: str
    name: str = ""
    """The agent's."""
    available_micros: int = 0
    held_micros: int = 0
    """For tickets that wait, or for withdrawals under way."""
    incoming_micros: int = 0


class Balances(msgspec.Struct, frozen=True):
    balances: tuple[Balance, ...] = ()
    settlement: str = ""
    """`simulated`: no real money is behind it."""

    def of(self, holder: str) -> tuple[Balance, ...]:
        """By asset."""
        return tuple(each for each in self.balances if each.holder == holder)


class Line(msgspec.Struct, frozen=True):
    """Of a statement."""

    seq: int
    made_ms: int = 0
    code: str = ""
    kind: str = "posted"
    about: str | None = None
    other: str = ""
    """The ledger account at the other end."""
    amount_micros: int = 0
    micros: int = 0
    """What it did to the balance; 0 while pending and when void."""
    balance_micros: int = 0


class Statement(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...] = ()


class Crossing(msgspec.Struct, frozen=True):
    """A deposit or a withdrawal."""

    id: str
    direction: str = "deposit"
    micros: int = 0
    state: str = "pending"
    reason: str | None = None
    made_ms: int = 0


class Crossings(msgspec.Struct, frozen=True):
    crossings: tuple[Crossing, ...] = ()


class EscrowLimits(msgspec.Struct, frozen=True):
    """What the owner's wallet has signed."""

    max_entry_micros: int = 0
    daily_cap_micros: int = 0
    expires_s: int = 0


class Escrow(msgspec.Struct, frozen=True):
    """What an escrow on a chain has of the owner."""

    settlement: str = ""
    wallet: str | None = None
    balance_micros: int = 0
    entries_micros: int = 0
    """Of the balance, what waits in queues or is about to be taken."""
    awaiting_micros: int = 0
    """Comes with the next epoch."""
    leaving_micros: int = 0
    debt_micros: int = 0
    today_micros: int = 0
    limits: EscrowLimits | None = None
    epoch_every_s: int = 0
    refused: str | None = None
    """Why the smallest entry would be refused now: a code."""
    reason: str = ""


class Moved(msgspec.Struct, frozen=True):
    """Money from one purse to another."""

    transfer: str = ""
