"""Logs of the contract of node operators, as a chain could have them: a model that makes them at random."""

from __future__ import annotations

import copy
import random
from collections.abc import Mapping
from typing import Any

from eth_abi.abi import encode
from eth_utils.crypto import keccak

from chain.artifacts import load
from chain.attestation import ANY_LEAF
from chain.client.node import Log

OPERATORS = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
REWARDS = "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"
FRACTALS = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"
PARTIES = (
    "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    "0x9965507D1a55bcC2695C58ba16FB37d819B0A4dc",
    "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
)
FRAC = 10**18


def log_of(
    artifact: str,
    address: str,
    name: str,
    fields: Mapping[str, Any],
    number: int,
    index: int = 0,
    fork: str = "a",
) -> Log:
    """The log of an event."""
    (entry,) = (e for e in load(artifact).abi if e["type"] == "event" and e["name"] == name)
    types = [_type(each) for each in entry["inputs"]]
    topics = ["0x" + keccak(text=f"{name}({','.join(types)})").hex()]
    data = []
    for each, kind in zip(entry["inputs"], types, strict=True):
        if each["indexed"]:
            topics.append("0x" + encode([kind], [fields[each["name"]]]).hex())
        else:
            data.append((kind, fields[each["name"]]))
    body = encode([kind for kind, _ in data], [value for _, value in data])
    return Log(address, tuple(topics), body, number, f"0x{fork}{number}", index, "0x", 0)


def _type(entry: Mapping[str, Any]) -> str:
    if entry["type"] != "tuple":
        return str(entry["type"])
    return "(" + ",".join(_type(each) for each in entry["components"]) + ")"


class Party:
    def __init__(self) -> None:
        self.bonded = self.unbonding = self.batches = self.misses = 0


class Model:
    """What the contracts know, as far as it decides what may happen next."""

    def __init__(self) -> None:
        self.parties = {each: Party() for each in PARTIES}
        self.open: dict[int, tuple[str, bool]] = {}
        self.challenges = 0
        self.exposed: set[tuple[str, int]] = set()
        self.epochs = 0

    def copy(self) -> Model:
        return copy.deepcopy(self)

    def block(self, rng: random.Random, number: int, fork: str) -> list[Log]:
        """One block's logs; the model moves on."""
        logs = []
        for index in range(rng.randrange(4)):
            made = self._event(rng, number)
            if made is not None:
                logs.append(log_of(*made, number, index, fork))
        return logs

    def _event(
        self, rng: random.Random, number: int
    ) -> tuple[str, str, str, dict[str, Any]] | None:
        who = rng.choice(PARTIES)
        it = self.parties[who]
        told: dict[str, Any] = {"operator": who}
        match rng.randrange(11):
            case 0:
                told |= {"endpoint": f"https://{rng.randrange(9)}.example", "peer_id": "12D3"}
                name = "Registered"
            case 1:
                amount = rng.randrange(1, 4000) * FRAC
                it.bonded += amount
                name, told = "Staked", told | {"amount": amount, "bonded": it.bonded}
            case 2 if it.bonded:
                amount = rng.randrange(1, it.bonded + 1)
                it.bonded, it.unbonding = it.bonded - amount, it.unbonding + amount
                name, told = "Unbonding", told | {"amount": amount, "at": number * 12 + 99}
            case 3 if it.unbonding:
                name, told = "Released", told | {"receiver": who, "amount": it.unbonding}
                it.unbonding = 0
            case 4 | 5 if it.bonded:
                name = "Attested"
                told |= {"batch": it.batches, "root": rng.randbytes(32)}
                told |= {"leaves": rng.randrange(1, 9), "list_digest": rng.randbytes(32)}
                it.batches += 1
            case 6 if it.batches:
                self.challenges += 1
                self.open[self.challenges] = (who, False)
                name = "Challenged"
                told |= {"id": self.challenges, "challenger": rng.choice(PARTIES)}
                told |= {"batch": rng.randrange(it.batches), "leaf": rng.choice((ANY_LEAF, 3))}
                told |= {"bond": rng.choice((0, 10 * FRAC))}
            case 7 | 8 if self.open:
                id_ = rng.choice(sorted(self.open))
                name, told = self._goes_on(rng, id_)
            case 9 if it.batches:
                batch = rng.randrange(it.batches)
                if (who, batch) in self.exposed:
                    return None
                self.exposed.add((who, batch))
                name, told = "Exposed", told | {"batch": batch, "by": rng.choice(PARTIES)}
                told |= {"leaf": LEAF, **self._slash(it, 2_000)}
            case 10:
                return self._epoch(rng, number)
            case _:
                return None
        return "operators", OPERATORS, name, told

    def _goes_on(self, rng: random.Random, id_: int) -> tuple[str, dict[str, Any]]:
        who, drawn = self.open[id_]
        told: dict[str, Any] = {"id": id_, "operator": who}
        if not drawn and rng.randrange(2):
            self.open[id_] = (who, True)
            return "Drawn", told | {"seed": b"\1" * 32, "leaf": 2, "answer_until": 77}
        del self.open[id_]
        if not drawn:
            return "Lapsed", told
        if rng.randrange(2):
            return "Answered", told | {"leaf": LEAF, "piece": 0}
        it = self.parties[who]
        it.misses += 1
        return "Missed", told | {"misses": it.misses, **self._slash(it, 100)}

    def _slash(self, it: Party, bps: int) -> dict[str, int]:
        lost = (it.bonded + it.unbonding) * bps // 10_000
        of_bonded = min(lost, it.bonded)
        it.bonded, it.unbonding = it.bonded - of_bonded, it.unbonding - (lost - of_bonded)
        return {"lost": lost, "reward": 0}

    def _epoch(self, rng: random.Random, number: int) -> tuple[str, str, str, dict[str, Any]]:
        if self.epochs and rng.randrange(3) == 0:
            self.epochs -= 1
            return "rewards", REWARDS, "Vetoed", {"epoch": self.epochs + 1, "root": b"\2" * 32}
        self.epochs += 1
        told = {"epoch": self.epochs, "root": rng.randbytes(32)}
        return "rewards", REWARDS, "Posted", told | {"total": 2**90, "counts_at": number * 12}


LEAF = (b"\3" * 32, b"\4" * 32, 5, 6, b"\5" * 32)
