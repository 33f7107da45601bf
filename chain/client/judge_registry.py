"""The registry of judges, typed: who stakes, for whom, judging by what. What each call does and refuses is said in
`chain/contracts/judge_registry.vy`."""

from __future__ import annotations

import msgspec

from chain.client.contract import Caller, Contract, Invocation
from chain.client.node import Log
from chain.client.roles import NOBODY
from chain.court.snapshot import Snapshot, family_id, family_name, snapshot_of


class Terms(msgspec.Struct, frozen=True):
    """What a deployment has fixed. FRAC in its smallest part."""

    min_stake: int
    unbonding_s: int
    snapshot_gap_s: int


class Standing(msgspec.Struct, frozen=True):
    """One judge. FRAC in its smallest part, times in unix seconds."""

    operator: str
    accepted: bool
    family: bytes
    bonded: int
    unbonding: int
    unbonding_at: int
    jailed_until: int
    place: int
    """In snapshots, counted from 1; 0: none."""

    @property
    def registered(self) -> bool:
        return self.operator != NOBODY

    @property
    def family_name(self) -> str:
        return family_name(self.family)


class Kept(msgspec.Struct, frozen=True):
    """What the contract keeps of a snapshot."""

    digest: bytes
    """`chain.court.snapshot.Snapshot.digest`; zeros: there is none."""
    block: int
    at: int
    judges: int


class JudgeRegistry(Contract):
    """The contract at `address`."""

    def __init__(self, node: Caller, address: str) -> None:
        super().__init__(node, "judge_registry", address)

    async def terms(self) -> Terms:
        return Terms(*await self.read("terms"))

    async def min_stake(self) -> int:
        return (await self.terms()).min_stake

    async def court(self) -> str | None:
        """That may take stake, with its hearings; None while none is bound."""
        found = str(await self.read("court"))
        return None if found == NOBODY else found

    async def judge(self, address: str, block: int | None = None) -> Standing:
        return Standing(*await self.read("judges", address, block=block))

    async def staked(self, address: str) -> Standing:
        """For `chain.wallet.staking`."""
        return await self.judge(address)

    async def endpoint(self, address: str) -> str:
        """Where its program is found, as it says; may be empty."""
        return str(await self.read("endpoint", address))

    async def stake_of(self, judge: str, block: int | None = None) -> int:
        """What it can lose: bonded and unbonding."""
        return int(await self.read("stake_of", judge, block=block))

    async def place(self, number: int) -> str:
        """Who has the place of this number, counted from 1."""
        return str(await self.read("places", number - 1))

    async def place_count(self) -> int:
        return int(await self.read("place_count"))

    async def snapshot_count(self) -> int:
        """Snapshots count from 1."""
        return int(await self.read("snapshot_count"))

    async def kept(self, snapshot: int, block: int | None = None) -> Kept:
        return Kept(*await self.read("snapshots", snapshot, block=block))

    def lists(self, log: Log) -> Snapshot | None:
        """Of a log that tells a snapshot; None where it tells something else. Raises ValueError for lists that do not go together."""
        event = self.event(log)
        if event is None or event.name != "SnapshotTaken":
            return None
        told = event.fields
        return snapshot_of(
            told["snapshot"], told["judges"], told["operators"], told["families"], told["weights"]
        )

    def register(self, operator: str, family: str, endpoint: str) -> Invocation:
        """By the judge. Raises ValueError for a family that has no id."""
        return self.invoke("register", operator, family_id(family), endpoint)

    def accept(self, judge: str) -> Invocation:
        """By the operator that the judge has named."""
        return self.invoke("accept", judge)

    def disown(self, judge: str) -> Invocation:
        """By the operator."""
        return self.invoke("disown", judge)

    def stake(self, amount: int) -> Invocation:
        """By the judge, who has approved it."""
        return self.invoke("stake", amount)

    def unbond(self, amount: int) -> Invocation:
        """By the judge."""
        return self.invoke("unbond", amount)

    def release(self, receiver: str) -> Invocation:
        """By the judge, when the unbonding time is over."""
        return self.invoke("release", receiver)

    def displace(self, judge: str, other: str) -> Invocation:
        """By anybody: gives `judge` the place of `other`, which has less at stake."""
        return self.invoke("displace", judge, other)

    def take_snapshot(self) -> Invocation:
        """By anybody, once in `Terms.snapshot_gap_s`."""
        return self.invoke("snapshot")
