"""Who the operators are, what they attested and what they are asked for: the fold of the contract's logs. Pure.

Whoever reads the same logs finds the same roll, the arena as well as each operator. A reorganisation is another list of
logs: make a new roll of it.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import msgspec

from chain.client.abi import Event

SEED_BLOCKS = 4
DRAW_S = 3_600
"""Both as in `contracts/operators.vy`."""


class Attestation(msgspec.Struct, frozen=True):
    """A batch of an operator."""

    operator: str
    number: int
    root: bytes
    leaves: int
    """How many."""
    list_digest: bytes
    """SHA-256 of the leaves, one behind the other: the digest of the CID (raw) of the list."""
    block: int


class Outcome(enum.StrEnum):
    OPEN = "open"
    ANSWERED = "answered"
    MISSED = "missed"
    LAPSED = "lapsed"
    """Nobody drew in time: no harm to anybody."""


class Challenge(msgspec.Struct, frozen=True):
    id: int
    operator: str
    challenger: str
    batch: int
    leaf: int
    """ANY_LEAF until it is drawn, where nobody named one."""
    bond: int
    """Zero: by the challenger's role."""
    block: int
    """In which it was opened."""
    seed: bytes | None = None
    """Once drawn."""
    answer_until: int = 0
    """Unix seconds, once drawn."""
    outcome: Outcome = Outcome.OPEN

    def can_be_drawn(self, head: int) -> bool:
        """Whether the block of the seed lies below this head: nodes estimate a call as if it were of the head itself."""
        return self.outcome is Outcome.OPEN and self.seed is None and head > self.seed_block

    @property
    def seed_block(self) -> int:
        return self.block + SEED_BLOCKS


class Operator(msgspec.Struct):
    """One address. FRAC in its smallest part."""

    address: str
    endpoint: str = ""
    peer_id: str = ""
    bonded: int = 0
    unbonding: int = 0
    unbonding_at: int = 0
    """Unix seconds from which it can be released."""
    lost: int = 0
    """FRAC, by misses and lies."""
    misses: int = 0
    """All that were ever recorded."""
    first_batch: int = 0
    """Those before need not be kept any more."""
    batches: list[Attestation] = msgspec.field(default_factory=list)
    silent: bool = False
    """It has missed a challenge, and has neither attested nor answered since."""

    def stands(self, min_stake: int) -> bool:
        """Whether blocks are given to it: registered, staked and not silent."""
        return bool(self.peer_id) and self.bonded >= min_stake and not self.silent

    def slash(self, lost: int) -> None:
        """Of what is bonded first, as the contract does it."""
        of_bonded = min(lost, self.bonded)
        self.bonded -= of_bonded
        self.unbonding -= lost - of_bonded
        self.lost += lost


class Roll:
    """Everybody, after some logs. `take` each once, in their order."""

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self.operators: dict[str, Operator] = {}
        self.challenges: dict[int, Challenge] = {}
        for event in events:
            self.take(event)

    def take(self, event: Event) -> None:
        """What is no event of the operators' life (roles, pauses) changes nothing."""
        fields, name = event.fields, event.name
        if "operator" not in fields:
            return
        operator = self.operators.setdefault(fields["operator"], Operator(fields["operator"]))
        match name:
            case "Registered":
                operator.endpoint = printable(fields["endpoint"])
                operator.peer_id = printable(fields["peer_id"])
            case "Staked":
                operator.bonded = fields["bonded"]
            case "Unbonding":
                operator.bonded -= fields["amount"]
                operator.unbonding += fields["amount"]
                operator.unbonding_at = fields["at"]
            case "Released":
                operator.unbonding = 0
                if operator.bonded == 0:
                    operator.first_batch = len(operator.batches)
            case "Attested":
                operator.silent = False
                operator.batches.append(_attestation(event))
            case "Exposed":
                operator.slash(fields["lost"])
            case "Challenged":
                self.challenges[fields["id"]] = _challenge(event)
            case "Drawn":
                self._change(event, seed=fields["seed"], leaf=fields["leaf"], answer_until=fields["answer_until"])  # fmt: skip
            case "Answered":
                operator.silent = False
                self._change(event, outcome=Outcome.ANSWERED)
            case "Missed":
                operator.silent = True
                operator.misses += 1
                operator.slash(fields["lost"])
                self._change(event, outcome=Outcome.MISSED)
            case "Lapsed":
                self._change(event, outcome=Outcome.LAPSED)

    def _change(self, event: Event, **changes: object) -> None:
        id_ = event.fields["id"]
        self.challenges[id_] = msgspec.structs.replace(self.challenges[id_], **changes)

    def standing(self, min_stake: int) -> list[str]:
        """Among whom blocks are shared out (`assign.keepers`), in the order of their addresses."""
        return sorted(each.address for each in self.operators.values() if each.stands(min_stake))

    def open_at(self, operator: str) -> list[Challenge]:
        """What an operator is asked for and has not answered: what is drawn first, soonest due first."""
        found = [
            each
            for each in self.challenges.values()
            if each.operator == operator and each.outcome is Outcome.OPEN
        ]
        return sorted(found, key=lambda each: (each.seed is None, each.answer_until, each.id))


def _attestation(event: Event) -> Attestation:
    fields = event.fields
    return Attestation(
        fields["operator"],
        fields["batch"],
        fields["root"],
        fields["leaves"],
        fields["list_digest"],
        event.log.number,
    )


def _challenge(event: Event) -> Challenge:
    fields = event.fields
    return Challenge(
        fields["id"],
        fields["operator"],
        fields["challenger"],
        fields["batch"],
        fields["leaf"],
        fields["bond"],
        event.log.number,
    )


def printable(text: str) -> str:
    """An operator's own words, without what breaks lines, terminals and databases."""
    return "".join(each for each in text if each.isprintable())
