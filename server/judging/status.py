"""How a judge stands: what the chain says of it, and what its own journal does."""

from __future__ import annotations

from pathlib import Path

import msgspec

from chain.wallet.amounts import shown_tokens, shown_usdc
from chain.wallet.contracts import Contracts
from chain.wallet.words import due
from judges.node.journal import Totals, totals_at
from server.judging.folder import JOURNAL


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """FRAC in its smallest part, USDC in millionths, times in unix seconds."""

    address: str
    registered: bool
    operator: str
    accepted: bool
    family: str
    endpoint: str
    bonded: int
    min_stake: int
    unbonding: int
    unbonding_at: int
    jailed_until: int
    snapshot: int
    """The newest one; 0 where there is none."""
    in_snapshot: int | None
    """The weight with which the newest snapshot has it; null where it does not."""
    claimed_micros: int
    journal: Totals | None
    """Null on a machine without the journal."""
    frac: int
    """In the wallet."""
    wei: int
    """For gas."""
    now: int

    @property
    def stands(self) -> bool:
        return self.accepted and self.bonded >= self.min_stake and self.jailed_until <= self.now


async def status(contracts: Contracts, address: str, folder: Path) -> Status:
    """Raises OSError, NoContract."""
    from server.judging.records import ChainRecords

    registry, court = contracts.judge_registry, contracts.court
    standing = await registry.judge(address)
    newest = await registry.snapshot_count()
    weight = None
    if newest:
        found = await ChainRecords(contracts.node, contracts.manifest).snapshot(newest)
        weights = {each.judge.lower(): each.weight for each in found.judges}
        weight = weights.get(address.lower())
    head = await contracts.node.head()
    return Status(
        address=address,
        registered=standing.registered,
        operator=standing.operator,
        accepted=standing.accepted,
        family=standing.family_name if standing.registered else "",
        endpoint=await registry.endpoint(address),
        bonded=standing.bonded,
        min_stake=await registry.min_stake(),
        unbonding=standing.unbonding,
        unbonding_at=standing.unbonding_at,
        jailed_until=standing.jailed_until,
        snapshot=newest,
        in_snapshot=weight,
        claimed_micros=await court.claimed(address),
        journal=totals_at(folder / JOURNAL),
        frac=await contracts.frac.balance(address),
        wei=await contracts.node.balance(address, head.number),
        now=head.timestamp,
    )


def lines(found: Status) -> list[str]:
    """For people."""
    told = [f"judge      {found.address}", *_standing(found), *_stake(found)]
    if found.journal is not None:
        told += _journal(found.journal)
    told.append(f"pay        {shown_usdc(found.claimed_micros)} claimed: `agon judge claim`")
    told.append(
        f"wallet     {shown_tokens(found.frac, 'FRAC')}, {shown_tokens(found.wei, 'ETH', most=8)} for gas"
    )
    return told


def _standing(found: Status) -> list[str]:
    if not found.registered:
        return ["standing   not registered: `agon judge register`"]
    own = found.operator.lower() == found.address.lower()
    who = "itself" if own else found.operator
    told = [f"family     {found.family}", f"operator   {who}"]
    if found.stands:
        drawn = (
            "can be drawn"
            if found.in_snapshot is not None
            else "can be drawn once somebody takes the next snapshot"
        )
        return [*told, f"standing   {drawn} (snapshot {found.snapshot})"]
    if not found.accepted:
        why = f"its operator has not accepted it: `agon judge accept {found.address}`"
    elif found.jailed_until > found.now:
        ever = found.jailed_until >= 2**63
        why = "it is suspended " + ("for ever" if ever else f"until {due(found.jailed_until, found.now)}")  # fmt: skip
    else:
        why = f"less is bonded than {shown_tokens(found.min_stake, 'FRAC')}: `agon judge stake`"
    return [*told, f"standing   cannot be drawn: {why}"]


def _stake(found: Status) -> list[str]:
    told = [f"stake      {shown_tokens(found.bonded, 'FRAC')} bonded"]
    if found.unbonding:
        at = due(found.unbonding_at, found.now)
        told.append(f"           {shown_tokens(found.unbonding, 'FRAC')} unbonding, to be had {at}")
    return told


def _journal(kept: Totals) -> list[str]:
    told = [
        f"hearings   {kept.hearings} judged, {kept.committed} committed, {kept.revealed} revealed"
    ]
    if kept.calls:
        dollars = f", {kept.cost_nanos / 10**9:.4f} USD" if kept.cost_nanos else ""
        told.append(
            f"model      {kept.calls} questions, {kept.prompt_tokens:,} + {kept.completion_tokens:,} tokens,"
            f" {kept.latency_ms / kept.calls / 1000:.1f} s each{dollars}"
        )
    return told
