"""`judges.court.reckoning`, for thousands of hearings at once: the same integers (a property test holds them equal)."""

from __future__ import annotations

import msgspec
import numpy as np

from judges.court.reckoning import Question
from judges.court.terms import BPS, PPM, TERMS, Terms
from judges.simulate.world import Ints


class Reckonings(msgspec.Struct, frozen=True):
    """Arrays; n is the number of hearings, k of sheets in each."""

    medians: Ints
    """(n, size)"""
    totals: Ints
    """(n, contestants)"""
    margins: Ints
    """(n,)"""
    skills: Ints
    """(n, k), millionths"""
    pays: Ints
    """(n, k), micro-USDC"""
    slashes_bps: Ints
    """(n, k), of the lock: FRAC would not fit 64 bits."""

    @property
    def winners(self) -> Ints:
        return np.asarray(self.totals.argmax(axis=1), np.int64)


def reckon_many(
    question: Question,
    sheets: Ints,
    reference: Ints | None = None,
    terms: Terms = TERMS,
) -> Reckonings:
    """`sheets`: (n, k, size), k at least 2; `reference`: (n, size), the answers of hidden audits."""
    n, k, _ = sheets.shape
    ordered = np.sort(sheets, axis=1)
    medians = ordered[:, (k - 1) // 2]
    totals = totals_of_many(question, medians)
    ranked = np.sort(totals, axis=1)
    margins: Ints = ranked[:, -1] - (ranked[:, -2] if question.contestants > 1 else 0)
    if reference is None:
        middle = ordered[:, (k - 2) // 2][:, None]
        to = np.where(sheets <= middle, ordered[:, (k - 2) // 2 + 1][:, None], middle)
        far = _distance(sheets, to)
        usual = np.sort(far, axis=1)[:, (k - 1) // 2][:, None]
    else:
        to = np.broadcast_to(reference[:, None], sheets.shape)
        far = _distance(sheets, to)
        usual = np.zeros((n, 1), np.int64)
    prior = np.repeat(np.asarray(question.prior, np.int64), question.contestants)
    skills = _skills(question, _distance(prior, to) - far, terms)
    pays = np.sign(skills) * (question.fee * np.abs(skills) // (terms.skill_top * question.seats))
    return Reckonings(medians, totals, margins, skills, pays, _outliers(far, usual, terms))


def totals_of_many(question: Question, sheets: Ints) -> Ints:
    """(…, contestants) of (…, size)."""
    weights = np.asarray(question.weights, np.int64)
    by_line = sheets.reshape(*sheets.shape[:-1], len(weights), question.contestants)
    summed: Ints = (by_line * weights[:, None]).sum(axis=-2)
    return np.asarray(summed // int(weights.sum()))


def _distance(a: Ints, b: Ints) -> Ints:
    squares: Ints = ((a - b) ** 2).sum(axis=-1)
    return np.asarray(squares // b.shape[-1])


def _skills(question: Question, gained: Ints, terms: Terms) -> Ints:
    raw: Ints = np.sign(gained) * (np.abs(gained) * PPM // question.scale)
    return np.asarray(np.clip(raw, terms.skill_floor, terms.skill_top))


def _outliers(far: Ints, usual: Ints, terms: Terms) -> Ints:
    limit = terms.outlier_milli**2
    share = np.minimum(BPS, (far - limit) * BPS // limit)
    near = (far <= limit) | (far <= terms.outlier_spread**2 * usual)
    return np.where(near, 0, share)
