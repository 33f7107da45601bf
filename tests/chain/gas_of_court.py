"""Gas of the court: an epoch of 256 judged sessions by messages, and one hearing by force."""

from __future__ import annotations

import random
from collections.abc import Iterator

from chain.court.anchor import AnchorTree, CaseLeaf, Leaf, SeatLeaf
from chain.payout_tree import PayoutTree
from tests.chain.blocks import pass_time
from tests.chain.court.hall import (
    BOB,
    CLERK,
    DOCUMENT,
    EVE,
    REASONS,
    SALT,
    USDC,
    Filed,
    Hall,
    fields,
    sheet_of,
)
from tests.chain.gas import Cost, gas_of

SESSIONS = 256


def epochs() -> Iterator[Cost]:
    """The second of each, as slots that count were used before. The last row is of one session: all of them, and a snapshot."""
    hall = Hall().staffed(32)
    hall.snapshot()
    pass_time(seconds=3_600)
    snapshot = gas_of(hall.registry, "snapshot", sender=EVE)
    yield Cost("judge_registry", "snapshot of 32 judges", snapshot)
    pass_time(seconds=3_600)
    newest = hall.snapshot()
    pass_time()
    filings = [hall.filing(newest) for _ in range(SESSIONS)]
    batch = hall.file(*filings)
    root = hall.court.batches(batch[0].batch)[0]
    file = gas_of(hall.court, "file", root, SESSIONS, newest.number, sender=CLERK)
    yield Cost("court", "file a batch", file)
    pass_time(blocks=hall.terms.seed_blocks + 1)
    seed = gas_of(hall.court, "seed", 2, sender=EVE)
    yield Cost("court", "seed", seed)
    judges = [each.judge for each in newest.judges]
    leaves: list[Leaf] = []
    for number, filed in enumerate(batch):
        leaves.append(CaseLeaf(*filed.key, SALT, DOCUMENT))
        leaves += [
            SeatLeaf(*filed.key, judge, number, -100_000, 10, filed.filing.lock)
            for judge in judges[:5]
        ]
    tree = AnchorTree(leaves)
    earned = PayoutTree(dict.fromkeys(judges, 10 * USDC))
    hall.court.anchor(1, tree.root, earned.root, earned.total, sender=CLERK)
    pass_time(seconds=hall.terms.window_s)
    again = (2, tree.root, earned.root, earned.total)
    anchor = gas_of(hall.court, "anchor", *again, sender=CLERK)
    yield Cost("court", "anchor an epoch", anchor)
    share = (snapshot + file + seed + anchor) // SESSIONS
    yield Cost("court", "**a judged session of 256: snapshot, file, seed, anchor**", share)
    claim = (1, judges[3], 10 * USDC, earned.proof(judges[3]))
    yield Cost("court", "claim, the first", gas_of(hall.court, "claim", *claim, sender=BOB))
    seat = leaves[1]
    assert isinstance(seat, SeatLeaf)
    heard = hall.heard_of(batch[0], 1, seat, tree)
    yield Cost("court", "slash", gas_of(hall.court, "slash", heard, sender=BOB))


def hearings() -> Iterator[Cost]:
    for seats in (5, 7):
        yield from _hearing(seats)


def _hearing(seats: int) -> Iterator[Cost]:
    hall = Hall().staffed(32)
    filed = hall.filed(seats=seats)
    rng, whole = random.Random(1), 0

    def cost(call: str, method: str, *arguments: object, sender: str = BOB) -> Cost:
        nonlocal whole
        gas = gas_of(hall.hearings, method, *arguments, sender=sender)
        whole += gas
        return Cost("hearings", call, gas)

    yield cost(f"force, {seats} seats", "force", *filed.arguments, sender=EVE)
    yield cost(f"draw {seats} of 32 judges", "draw", *_lists(filed))
    sheets = [sheet_of(rng) for _ in range(seats)]
    for number in range(seats):
        judge = str(hall.seat(filed, number)[0])
        commit, signature = hall.signed(filed, judge, sheets[number], 3)
        made = cost("commit", "commit", number, fields(commit), signature)
        if number == 0 and seats == 5:
            yield made
    for number in range(seats):
        made = cost("reveal", "reveal", *filed.key, number, sheets[number], REASONS, SALT)
        if number == 0 and seats == 5:
            yield made
    yield cost(f"finalize, {seats} seats", "finalize", filed.words, True, SALT, [])
    yield Cost("hearings", f"**a hearing of {seats} seats by force**", whole)


def _lists(filed: Filed) -> tuple[object, ...]:
    rows = filed.snapshot.judges
    return (
        filed.words,
        [each.judge for each in rows],
        [each.operator for each in rows],
        [each.family for each in rows],
        [each.weight for each in rows],
    )


SCENARIOS = (epochs, hearings)
