"""What it costs to buy a verdict, and what there is to win by it; and what whoever bribes has to promise."""

from __future__ import annotations

import msgspec

from judges.court.escalation import FRAC, seat_lock
from judges.court.terms import BPS, FRAC_MICROS, TERMS, panel_seats
from judges.simulate.capture import closed

ENTRIES_MICROS = (0, 100_000, 500_000, 1_000_000, 5_000_000, 25_000_000)
"""The fee tiers (DOMAIN; `server.ledger.tiers` has them, which is above)."""
FEES_BPS = 500
"""Of the pot, that is nobody's prize."""
JUDGES_BPS = 200
"""Of the pot, for a case's first panel."""
FIRST_BPS = {2: BPS, 5: 5_000}
"""What the first gets of the rest, by contestants."""
EPSILON_MICROS = 10_000


class Price(msgspec.Struct, frozen=True):
    """Micro-USDC, at FRAC_MICROS."""

    entry: int
    contestants: int
    pot: int
    gain: int
    """What the last gets more when it is made the first."""
    fee: int
    lock_frac: int
    """Whole FRAC, a seat; rounded."""
    flip: int
    """What a majority of the first panel loses when a bigger panel takes its winner down: its locks."""
    flip_later: tuple[int, ...]
    """The same, of the second and third panels."""
    break_even: float
    """How often an attempt must be taken down, at least, to lose money; 0 where nothing is to win."""


def prices() -> list[Price]:
    return [_price(entry, seats) for seats in FIRST_BPS for entry in ENTRIES_MICROS]


def _price(entry: int, contestants: int) -> Price:
    pot = entry * contestants
    gain = pot * (BPS - FEES_BPS) // BPS * FIRST_BPS[contestants] // BPS
    lock = seat_lock(pot, panel_seats(paid=True, appeals=0))
    lost = lock * TERMS.overturned_bps // BPS
    flip = tuple(
        (panel_seats(paid=True, appeals=appeals) // 2 + 1) * lost * FRAC_MICROS // FRAC
        for appeals in range(3)
    )
    return Price(
        entry,
        contestants,
        pot,
        gain,
        pot * JUDGES_BPS // BPS,
        round(lock / FRAC),
        flip[0],
        flip[1:],
        gain / (gain + flip[0]),
    )


class Attempt(msgspec.Struct, frozen=True):
    """An attacker that plays, and judges with a share of the stake: what trying is worth to it, whenever it holds the panel.
    Multiples of the pot, the winner takes all."""

    share: float
    appeals: float
    """How often whoever was robbed appeals."""
    held: tuple[float, ...]
    """P(majority) of each panel of the case, first to last."""
    worth: float


def attempts(shares: tuple[float, ...], appeals: tuple[float, ...]) -> list[Attempt]:
    return [_attempt(share, often) for share in shares for often in appeals]


def _attempt(share: float, often: float) -> Attempt:
    """Backwards: at a panel that it holds, it gains if nobody appeals or it holds the next one too; else it loses the locks of
    all the panels it has held. A lock is what `price` says: the first panel's cost LOCK_COVER pots."""
    panels = [panel_seats(paid=True, appeals=each) for each in range(3)]
    held = tuple(closed(share, seats) for seats in panels)
    one = _price(25_000_000, 2)
    gain, locks = one.gain / one.pot, [each / one.pot for each in (one.flip, *one.flip_later)]

    def at(panel: int) -> float:
        if panel == len(panels) - 1:
            return gain
        lost = sum(locks[: panel + 1])
        return (1 - often) * gain + often * (
            held[panel + 1] * at(panel + 1) - (1 - held[panel + 1]) * lost
        )

    return Attempt(share, often, held, at(0))


class Bribe(msgspec.Struct, frozen=True):
    """p + epsilon: every judge that votes for the briber's side is made whole, and EPSILON more, should that side lose. If all
    believe it, it wins and costs nothing: so what counts is what must be had to be believed."""

    entry: int
    contestants: int
    pot: int
    seats: int
    budget: int
    """Micro-USDC: for each seat of a majority its pay, its lock and EPSILON."""
    whole: int
    """With the panels before."""


def bribes() -> list[Bribe]:
    found: list[Bribe] = []
    for price in prices():
        if price.pot == 0:
            continue
        whole = 0
        for appeals in range(3):
            seats = panel_seats(paid=True, appeals=appeals)
            lock = seat_lock(price.pot, panel_seats(paid=True, appeals=0))
            pay = price.fee // panel_seats(paid=True, appeals=0)
            budget = (seats // 2 + 1) * (pay + lock * FRAC_MICROS // FRAC + EPSILON_MICROS)
            whole += budget
            found.append(Bribe(price.entry, price.contestants, price.pot, seats, budget, whole))
    return found
