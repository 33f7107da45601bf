"""What a new case is filed with: what is usual, what its judges share, and what each of them can lose. Pure."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from chain.payouts import fees_of
from judges.court.escalation import coverable, seat_lock
from judges.court.terms import ESCALATIONS, MARGIN_MILLI, TOP_MILLI, panel_seats
from judges.rubric import Rubric
from server.config import Config
from server.court.case import Held, Terms
from server.court.seam import Pool

LEAST_HEARINGS = 8
"""So many verdicts of a Space say what is usual in it; before that it is the middle."""
MOST_HEARINGS = 64
"""And of no more than the newest so many."""
FIRST_SCALE = 2_000**2
BURIED_S = (3, 6)
"""An appeal of the last second is final on the chain so much later, and so much for each block on top of it, or somewhat."""
LEAST_SCALE = 500**2
"""Where all verdicts are much alike, a hair's breadth is not made a great skill."""


class Usual(msgspec.Struct, frozen=True):
    prior: tuple[int, ...]
    """By line: what a judge that looks at nothing would say, thousandths of a point."""
    scale: int
    """Mean square distance of the verdicts from it."""


def usual(verdicts: Sequence[Held], lines: int) -> Usual:
    """From the hearings that stood in the Space's last cases."""
    sheets = [each.medians for each in verdicts[:MOST_HEARINGS] if each.medians]
    if len(sheets) < LEAST_HEARINGS:
        return Usual((TOP_MILLI // 2,) * lines, FIRST_SCALE)
    by_line = [
        [score for sheet in sheets for score in _line(sheet, lines, at)] for at in range(lines)
    ]
    prior = tuple(sum(scores) // len(scores) for scores in by_line)
    squares = [(score - prior[at]) ** 2 for at, scores in enumerate(by_line) for score in scores]
    return Usual(prior, max(LEAST_SCALE, sum(squares) // len(squares)))


def _line(sheet: Sequence[int], lines: int, at: int) -> Sequence[int]:
    contestants = len(sheet) // lines
    return sheet[at * contestants : (at + 1) * contestants]


def terms_of(
    rubric: Rubric, tier_micros: int, contestants: int, found: Usual, config: Config, appeal_s: int
) -> Terms:
    """`appeal_s`: for how long the contract takes appeals; the arena gives them time to be buried, or more."""
    return Terms(
        weights=tuple(line.weight for line in rubric.lines),
        prior=found.prior,
        scale=found.scale,
        fee_micros=fee_of(tier_micros, contestants, config),
        lock=str(lock_of(tier_micros, contestants, config)),
        margin=MARGIN_MILLI,
        commit_s=config.court_commit_s,
        reveal_s=config.court_reveal_s,
        appeal_s=max(config.court_appeal_s, appeal_s + _buried_s(config.chain_confirmations)),
        most=ESCALATIONS,
        tie_milli=rubric.tie_milli,
    )


def _buried_s(confirmations: int) -> int:
    least, each = BURIED_S
    return least + each * confirmations


def fee_of(tier_micros: int, contestants: int, config: Config) -> int:
    """Micro-USDC for a panel: the judges' share of the fee on the pot; of free sessions what the arena's owner puts in."""
    if not tier_micros:
        return config.court_free_fee_micros
    return fees_of(tier_micros * contestants).judges


def lock_of(tier_micros: int, contestants: int, config: Config) -> int:
    """FRAC of each seat, by the case's first panel."""
    pot = tier_micros * contestants
    return seat_lock(pot, panel_seats(tier_micros > 0, 0), config.frac_micros)


def covered(pool: Pool | None, tier_micros: int, contestants: int, config: Config) -> bool:
    """Whether a panel of these judges has so much at stake that a session of the tier may be played before it."""
    seats = panel_seats(tier_micros > 0, 0)
    lock = lock_of(tier_micros, contestants, config)
    return pool is not None and coverable(pool.candidates(), seats, lock)
