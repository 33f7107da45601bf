"""Expectation and maximisation over judges' confusion tables (Dawid and Skene, 1979), on arrays.

The steps are crowd-kit's; its results on the test's planted data are in the test. Why it is not imported: docs/dependencies.md.
One thing is added: tables begin with PSEUDO answers each, right ones a little more than wrong ones, so that a judge of three answers is not
called perfect.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

ITERATIONS = 100
TOLERANCE = 1e-6
"""Least gain of the mean log likelihood, by task, for which it goes on."""
PSEUDO = 1.0
"""Answers that each row of each table has before any is seen; a third more are on its diagonal."""


class Fit(msgspec.Struct, frozen=True):
    truth: Floats
    """(tasks, labels): how likely each is the task's."""
    prior: Floats
    """(labels,)"""
    confusion: Floats
    """(judges, truth, said): rows sum to 1."""
    support: Floats
    """(judges, truth): how many answers each row rests on."""


def fit(tasks: Ints, judges: Ints, labels: Ints, kinds: int, pseudo: float = PSEUDO) -> Fit:
    """Arrays of one length, at least one: answer i is that `judges[i]` says `labels[i]` of `tasks[i]`; all count from 0, without a hole;
    labels are below `kinds`. Begins with each task's majority."""
    truth = np.zeros((int(tasks.max()) + 1, kinds))
    np.add.at(truth, (tasks, labels), 1.0)
    truth /= truth.sum(axis=1, keepdims=True)
    before = -np.inf
    for _ in range(ITERATIONS):
        prior, confusion, support = _tables(truth, tasks, judges, labels, kinds, pseudo)
        logs = np.tile(np.log(prior), (len(truth), 1))
        np.add.at(logs, tasks, np.log(confusion)[judges, :, labels])
        top = logs.max(axis=1, keepdims=True)
        likely = np.exp(logs - top)
        whole = likely.sum(axis=1, keepdims=True)
        truth = likely / whole
        likelihood = float((np.log(whole) + top).mean())
        if likelihood - before < TOLERANCE:
            break
        before = likelihood
    return Fit(truth, prior, confusion, support)


def _tables(
    truth: Floats, tasks: Ints, judges: Ints, labels: Ints, kinds: int, pseudo: float
) -> tuple[Floats, Floats, Floats]:
    counts = np.zeros((int(judges.max()) + 1, kinds, kinds))
    for kind in range(kinds):
        np.add.at(counts[:, kind, :], (judges, labels), truth[tasks, kind])
    support = counts.sum(axis=2)
    start = pseudo / (kinds + 1 / 3) * (np.ones((kinds, kinds)) + np.eye(kinds) / 3)
    tables = counts + start + 1e-12
    prior = truth.mean(axis=0) + 1e-12
    return prior / prior.sum(), tables / tables.sum(axis=2, keepdims=True), support
