"""What anybody may do about a hearing by force: put it on the chain, take it a step further there, appeal, take bonds back. One
command each."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.client.contract import Invocation
from chain.client.hearings import Course, Hearings, Stage
from chain.client.token import Token
from chain.court.filing import Filing
from chain.court.snapshot import Snapshot
from chain.wallet.amounts import shown_tokens, shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due

MAX_SEATS = 31


class Filed(msgspec.Struct, frozen=True):
    """A hearing's filing, and where it stands."""

    filing: Filing
    batch: int
    proof: Sequence[bytes]


class Bonded(msgspec.Struct, frozen=True):
    """What was put up for a hearing on the chain."""

    hearing: int
    frac: int
    """Of whoever forces, in its smallest part; 0 for an appeal."""
    micros: int
    """USDC of whoever appeals; 0 where it was forced."""
    tx: Done


class Stepped(msgspec.Struct, frozen=True):
    hearing: int
    did: str
    """In the past tense."""
    tx: Done


async def force(hands: Hands, found: Filed) -> Bonded:
    """With the court's bond, which goes back if the clerk has anchored something else, else to the panel. Raises FlowRefused,
    NoContract, OSError."""
    contracts = hands.contracts
    bond = (await contracts.court.terms()).bond
    done = await hands.sender.earlier()
    if done is None:
        _, course = await contracts.hearings.hearing(found.filing.case, found.filing.hearing)
        if course.stage is not Stage.ELSEWHERE:
            raise FlowRefused(f"the hearing is on the chain already: {_words(course)}")
        shown = shown_tokens(bond, "FRAC")
        await _approve(hands, contracts.frac, bond, shown)
        call = contracts.hearings.force(found.batch, found.filing, found.proof)
        done = await hands.sender.send(f"hearing by force, with a bond of {shown}", call)
    return Bonded(found.filing.hearing, bond, 0, done)


async def appeal(hands: Hands, found: Filed, micros: int | None) -> Bonded:
    """With a bond of twice the next panel's fee, or of `micros`. It goes back if another winner is found, else to the pay of panels.
    Raises FlowRefused, NoContract, OSError."""
    contracts, filing = hands.contracts, found.filing
    if filing.seats >= MAX_SEATS:
        raise FlowRefused(f"no panel is bigger than the {filing.seats} who have judged")
    terms = await contracts.court.terms()
    fee = min(filing.fee * min(2 * filing.seats + 1, MAX_SEATS) // filing.seats, terms.max_fee)
    least = max(1, 2 * fee)
    bond = least if micros is None else micros
    if bond < least:
        raise FlowRefused(
            f"an appeal takes a bond of {shown_usdc(least)} at least: twice the fee of the bigger panel"
        )
    done = await hands.sender.earlier()
    if done is None:
        await _approve(hands, await contracts.usdc(), bond, shown_usdc(bond))
        call = contracts.hearings.appeal(found.batch, filing, found.proof, bond)
        done = await hands.sender.send(f"appeal, with a bond of {shown_usdc(bond)}", call)
    return Bonded(filing.hearing + 1, 0, bond, done)


async def advance(hands: Hands, found: Filed, snapshot: Snapshot) -> Stepped:
    """The step that is due of a hearing on the chain, which anybody may do: seed, draw, call reserves, end, settle. `snapshot`: the
    filing's. Raises FlowRefused, NoContract, OSError."""
    contracts, filing = hands.contracts, found.filing
    done, did = await hands.sender.earlier(), "done by an earlier run"
    if done is None:
        now_s = await hands.now_s()
        put, course = await contracts.hearings.hearing(filing.case, filing.hearing)
        did, call = await _due(
            hands, contracts.hearings, filing, snapshot, put.batch, course, now_s
        )
        done = await hands.sender.send(did, call)
    return Stepped(filing.hearing, did, done)


async def _due(
    hands: Hands,
    hearings: Hearings,
    filing: Filing,
    snapshot: Snapshot,
    batch: int,
    course: Course,
    now_s: int,
) -> tuple[str, Invocation]:
    match course.stage:
        case Stage.ELSEWHERE:
            raise FlowRefused("the hearing is not on the chain: `agon court force` puts it there")
        case Stage.FORCED:
            if not (await hands.contracts.court.batch(batch)).drawn:
                return "seed of its batch", hands.contracts.court.seed(batch)
            return "draw of the panel", hearings.draw(filing, snapshot)
        case Stage.COMMITTING | Stage.RECOMMITTING if course.at < now_s:
            return "end of commitments", hearings.call(filing.case, filing.hearing)
        case Stage.REVEALING:
            step_s = (await hands.contracts.court.terms()).step_s
            call = hearings.finalize(filing)
            if course.at + step_s < now_s or await hands.sender.would(call):
                return "verdict", call
        case Stage.DECIDED | Stage.FAILED | Stage.UNSEATED if not course.settled:
            call = hearings.settle(filing.case, filing.hearing)
            if await hands.sender.would(call):
                return "settlement of its bond", call
    raise FlowRefused(f"nothing is due: {_words(course, now_s)}")


def _words(course: Course, now_s: int | None = None) -> str:
    told = {
        Stage.FORCED: "its panel is to be drawn",
        Stage.COMMITTING: f"{course.committed} of {course.seats} have committed",
        Stage.RECOMMITTING: f"reserves commit, {course.committed} of {course.due} have",
        Stage.REVEALING: f"{course.revealed} of {course.committed} have revealed",
        Stage.DECIDED: "it is decided",
        Stage.FAILED: "too few did their part",
        Stage.UNSEATED: "no panel could be drawn",
    }.get(course.stage, "it is done by messages")
    if now_s is None or course.stage.over or not course.at:
        return told
    return f"{told}; the step ends {due(course.at, now_s)}"


async def _approve(hands: Hands, token: Token, amount: int, shown: str) -> None:
    """That the hearings' contract may take it. Raises FlowRefused."""
    to = hands.contracts.hearings.address
    has = await token.balance(hands.address)
    if has < amount:
        raise FlowRefused(
            f"the wallet has too little: {shown} are wanted as a bond, at {hands.address}"
        )
    if await token.allowance(hands.address, to) < amount:
        await hands.sender.send(f"approval of {shown}", token.approve(to, amount), last=False)
