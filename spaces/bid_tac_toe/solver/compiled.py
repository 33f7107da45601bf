"""All positions of one board at once, as machine code: what `stage` and `matrix_game` do, in loops.

Needs Numba (the extra `solver`); `induction` does without it, slower. The positions of a board only
need its children's values, so any two boards of as many free cells can be solved at the same time;
the code runs without the interpreter's lock.
"""

from __future__ import annotations

import numpy as np
from numba import njit

ALL_PAY, POORMAN, RICHMAN = 0, 1, 2
SIMPLEX, REGRET_MATCHING = 0, 1
PAYMENTS = {"all-pay": ALL_PAY, "poorman": POORMAN, "richman": RICHMAN}
METHODS = {"simplex": SIMPLEX, "regret-matching": REGRET_MATCHING}
_COST = 1e-10
_PIVOT = 1e-7
_NUDGE = 1e-7
_MAX_PIVOTS = 2_000
_CHECK = 16
"""Iterations of regret matching between two looks at the gap."""
_jit = njit(cache=True, nogil=True, error_model="numpy")


@_jit
def _fill(matrix, m, n, a, b, payment, x_wins, o_wins, x_ties, o_ties, share, again, bids_again):  # type: ignore[no-untyped-def]
    """The payoffs to X of the first m bids of X and n of O with chips (a, b); see `stage`."""
    for i in range(m):
        for j in range(n):
            if payment == ALL_PAY:
                x_at = o_at = (a - i, b - j)
            elif payment == POORMAN:
                x_at, o_at = (a - i, b), (a, b - j)
            else:
                x_at, o_at = (a - i, 0), (a + j, 0)
            if i > j:
                matrix[i, j] = x_wins[x_at]
            elif i < j:
                matrix[i, j] = o_wins[o_at]
            elif bids_again:
                matrix[i, j] = again[a, 0 if payment == RICHMAN else b]
            else:
                matrix[i, j] = share * x_ties[x_at] + (1.0 - share) * o_ties[o_at]


@_jit
def _saddle(matrix, m, n):  # type: ignore[no-untyped-def]
    """(maximin, minimax) over pure choices."""
    low, high = -np.inf, np.inf
    for i in range(m):
        worst = np.inf
        for j in range(n):
            worst = min(worst, matrix[i, j])
        low = max(low, worst)
    for j in range(n):
        best = -np.inf
        for i in range(m):
            best = max(best, matrix[i, j])
        high = min(high, best)
    return low, high


@_jit
def _judge(matrix, m, n, row, column):  # type: ignore[no-untyped-def]
    """(what `row` guarantees, what `column` concedes)."""
    low, high = np.inf, -np.inf
    for i in range(m):
        total = 0.0
        for j in range(n):
            total += matrix[i, j] * column[j]
        high = max(high, total)
    for j in range(n):
        total = 0.0
        for i in range(m):
            total += matrix[i, j] * row[i]
        low = min(low, total)
    return low, high


@_jit
def _simplex(matrix, m, n, table, basic, free, row, column):  # type: ignore[no-untyped-def]
    """Both mixes by `matrix_game`'s tableau; whether it ended well."""
    least = np.inf
    for i in range(m):
        for j in range(n):
            least = min(least, matrix[i, j])
    for i in range(m):
        for j in range(n):
            table[i, j] = matrix[i, j] - least + 1.0
        table[i, n] = 1.0 + _NUDGE * ((i * 7919) % 101) / 101
        basic[i] = n + i
    for j in range(n):
        table[m, j] = -1.0
        free[j] = j
    table[m, n] = 0.0
    for _ in range(_MAX_PIVOTS):
        q = 0
        for j in range(n):
            if table[m, j] < table[m, q]:
                q = j
        if table[m, q] >= -_COST:
            break
        p, least = -1, np.inf
        for i in range(m):
            if table[i, q] > _PIVOT and table[i, n] / table[i, q] < least:
                p, least = i, table[i, n] / table[i, q]
        if p < 0:
            return False
        _pivot(table, m, n, p, q)
        basic[p], free[q] = free[q], basic[p]
    row[:m] = 0.0
    column[:n] = 0.0
    for i in range(m):
        if basic[i] < n:
            column[basic[i]] = max(table[i, n], 0.0)
    for j in range(n):
        if free[j] >= n:
            row[free[j] - n] = max(table[m, j], 0.0)
    row[:m] /= row[:m].sum()
    column[:n] /= column[:n].sum()
    return True


@_jit
def _pivot(table, m, n, p, q):  # type: ignore[no-untyped-def]
    inverse = 1.0 / table[p, q]
    for j in range(n + 1):
        table[p, j] *= inverse
    for i in range(m + 1):
        factor = table[i, q]
        if i != p and factor != 0.0:
            for j in range(n + 1):
                table[i, j] -= factor * table[p, j]
            table[i, q] = -factor * inverse
    table[p, q] = inverse


@_jit
def _match_regret(regrets, hints, mix, size):  # type: ignore[no-untyped-def]
    total = 0.0
    for i in range(size):
        mix[i] = max(regrets[i] + hints[i], 0.0)
        total += mix[i]
    for i in range(size):
        mix[i] = mix[i] / total if total > 0.0 else 1.0 / size


@_jit
def _regret_matching(matrix, m, n, tolerance, most, work, row, column):  # type: ignore[no-untyped-def]
    """`regret_matching.solve` in loops; the mixes are averages, whatever the gap has come to."""
    work[:] = 0.0
    x, y, x_regret, y_regret, x_hint, y_hint = work[0], work[1], work[2], work[3], work[4], work[5]
    row[:m] = 0.0
    column[:n] = 0.0
    x_total, y_total = work[6], work[7]
    for t in range(1, most + 1):
        _match_regret(x_regret, x_hint, x, m)
        y_pay = work[8]
        y_pay[:n] = 0.0
        for i in range(m):
            if x[i] > 0.0:
                for j in range(n):
                    y_pay[j] -= x[i] * matrix[i, j]
        mean = 0.0
        _match_regret(y_regret, y_hint, y, n)
        for j in range(n):
            mean += y[j] * y_pay[j]
        for j in range(n):
            y_hint[j] = y_pay[j] - mean
            y_regret[j] = max(y_regret[j] + y_hint[j], 0.0)
        _match_regret(y_regret, y_hint, y, n)
        mean = 0.0
        x_pay = work[9]
        for i in range(m):
            total = 0.0
            for j in range(n):
                total += matrix[i, j] * y[j]
            x_pay[i] = total
            mean += x[i] * total
        for i in range(m):
            x_hint[i] = x_pay[i] - mean
            x_regret[i] = max(x_regret[i] + x_hint[i], 0.0)
        weight = float(t) * t
        for i in range(m):
            x_total[i] += weight * x[i]
        for j in range(n):
            y_total[j] += weight * y[j]
        if t % _CHECK == 0 or t == most:
            row[:m] = x_total[:m] / x_total[:m].sum()
            column[:n] = y_total[:n] / y_total[:n].sum()
            low, high = _judge(matrix, m, n, row, column)
            if high - low <= tolerance:
                return


@_jit
def sweep(  # type: ignore[no-untyped-def]
    values, gaps, bases, lowest, total, payment, x_wins, o_wins, x_ties, o_ties, share, again, bids_again,
    method, tolerance, most,
):  # fmt: skip
    """Fill `values` for all chips from `lowest` on, `gaps` with each position's gap (-1: pure, inf:
    not solved), and `bases` with the bids of the simplex's last basis, a bit each."""
    top = values.shape[0] - 1
    bases[:] = 0
    matrix = np.empty((top + 2, top + 2))
    table = np.empty((top + 3, top + 3))
    basic, free = np.empty(top + 3, np.int64), np.empty(top + 3, np.int64)
    row, column = np.empty(top + 2), np.empty(top + 2)
    work = np.empty((10, top + 2))
    for a in range(lowest, top + 1):
        for k in range(0 if payment == RICHMAN else lowest, values.shape[1]):
            b = total - a if payment == RICHMAN else k
            m, n = min(a, b + 1) + 1, min(b, a + 1) + 1
            _fill(
                matrix,
                m,
                n,
                a,
                b,
                payment,
                x_wins,
                o_wins,
                x_ties,
                o_ties,
                share,
                again,
                bids_again,
            )
            low, high = _saddle(matrix, m, n)
            if high - low <= 1e-12:
                values[a, k] = (low + high) / 2
                gaps[a, k] = -1.0
                continue
            if method == REGRET_MATCHING:
                _regret_matching(matrix, m, n, tolerance, most, work, row, column)
            elif not _simplex(matrix, m, n, table, basic, free, row, column):
                gaps[a, k] = np.inf
                continue
            low, high = _judge(matrix, m, n, row, column)
            values[a, k] = (low + high) / 2
            gaps[a, k] = high - low
            if method == SIMPLEX:
                for j in range(n):
                    i = free[j] - n
                    if i >= 0:
                        bases[a, k, 0, i >> 3] |= np.uint8(1 << (i & 7))
                for i in range(m):
                    j = basic[i]
                    if j < n:
                        bases[a, k, 1, j >> 3] |= np.uint8(1 << (j & 7))
