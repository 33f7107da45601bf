"""How an operator stands: what the chain says of it, and what its own journal does."""

from __future__ import annotations

from pathlib import Path

import msgspec

from chain.client.operators import Operators
from chain.operator.journal import Totals, totals_at
from chain.operator.roll import Outcome
from chain.wallet.amounts import shown_tokens
from chain.wallet.contracts import Contracts
from chain.wallet.words import due
from server.operating.reading import open_books
from server.operating.running import BOOKS, JOURNAL, read


class OpenChallenge(msgspec.Struct, frozen=True):
    id: int
    batch: int
    drawn: bool
    answer_until: int
    """Unix seconds; 0 until it is drawn."""


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """FRAC in its smallest part, times in unix seconds."""

    address: str
    endpoint: str
    peer_id: str
    stands: bool
    """Blocks are given to it."""
    silent: bool
    """It has missed a challenge, and neither attested nor answered since."""
    operators: int
    """That stand."""
    bonded: int
    min_stake: int
    unbonding: int
    unbonding_at: int
    lost: int
    """By misses and lies, ever."""
    batches: int
    answered: int
    missed: int
    lapsed: int
    open: list[OpenChallenge]
    kept: Totals | None
    """Null on a machine without the journal."""
    rewards_claimed: int
    frac: int
    """In the wallet."""
    wei: int
    """For gas."""
    now: int


async def status(contracts: Contracts, address: str, folder: Path, confirmations: int) -> Status:
    """Reads the chain on from where the operator's books are, or from the deployment on. Raises OSError, NoContract."""
    books = await open_books(folder / BOOKS)
    try:
        reading = read(books, contracts.node, contracts.manifest, confirmations, lambda line: None)
        roll = (await reading.look()).roll
    finally:
        await books.close()
    operators: Operators = contracts.operators
    terms = await operators.terms()
    head = await contracts.node.head()
    now = await operators.operator(address)
    me = roll.operators.get(address)
    own = [each for each in roll.challenges.values() if each.operator == address]

    def ended(how: Outcome) -> int:
        return sum(each.outcome is how for each in own)

    return Status(
        address=address,
        endpoint=await operators.endpoint(address),
        peer_id=await operators.peer_id(address),
        stands=me is not None and me.stands(terms.min_stake),
        silent=me is not None and me.silent,
        operators=len(roll.standing(terms.min_stake)),
        bonded=now.bonded,
        min_stake=terms.min_stake,
        unbonding=now.unbonding,
        unbonding_at=now.unbonding_at,
        lost=0 if me is None else me.lost,
        batches=now.batches,
        answered=ended(Outcome.ANSWERED),
        missed=ended(Outcome.MISSED),
        lapsed=ended(Outcome.LAPSED),
        open=[
            OpenChallenge(each.id, each.batch, each.seed is not None, each.answer_until)
            for each in roll.open_at(address)
        ],
        kept=totals_at(folder / JOURNAL),
        rewards_claimed=await contracts.rewards.claimed(address),
        frac=await contracts.frac.balance(address),
        wei=await contracts.node.balance(address, head.number),
        now=head.timestamp,
    )


def lines(found: Status) -> list[str]:
    """For people."""
    told = [f"operator   {found.address}", *_standing(found), *_stake(found)]
    told.append(f"batches    {found.batches} attested")
    told.append(
        f"challenges {found.answered} answered, {found.missed} missed, {found.lapsed} lapsed, {len(found.open)} open"
    )
    for each in found.open:
        until = due(each.answer_until, found.now) if each.drawn else "not drawn yet"
        told.append(f"           challenge {each.id} of batch {each.batch}: answer until {until}")
    if found.kept is not None:
        kept = found.kept
        told.append(
            f"pins       {kept.kept} of {kept.mine} that are its own, {kept.kept_bytes:,} bytes; {kept.attested} attested;"
            f" {kept.tasks} tasks known"
        )
    told.append(f"rewards    {shown_tokens(found.rewards_claimed, 'FRAC')} claimed")
    told.append(
        f"wallet     {shown_tokens(found.frac, 'FRAC')}, {shown_tokens(found.wei, 'ETH', most=8)} for gas"
    )
    return told


def _standing(found: Status) -> list[str]:
    if not found.peer_id:
        return ["standing   not registered: `agon operator register`"]
    told = [f"node       {found.peer_id} at {found.endpoint}"]
    if found.stands:
        return [*told, f"standing   one of {found.operators} operators to whom blocks are given"]
    if found.silent:
        why = "it has missed a challenge; its next batch or answer brings it back"
    elif found.bonded < found.min_stake:
        why = f"less is bonded than {shown_tokens(found.min_stake, 'FRAC')}: `agon operator stake`"
    else:
        why = "what it did last is not buried in the chain yet"
    return [*told, f"standing   no blocks are given to it: {why}"]


def _stake(found: Status) -> list[str]:
    told = [
        f"stake      {shown_tokens(found.bonded, 'FRAC')} bonded, {shown_tokens(found.lost, 'FRAC')} lost"
    ]
    if found.unbonding:
        at = due(found.unbonding_at, found.now)
        told.append(f"           {shown_tokens(found.unbonding, 'FRAC')} unbonding, to be had {at}")
    return told
