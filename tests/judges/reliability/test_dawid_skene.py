"""Tables that were planted are found again, crowd-kit finds the same, and little evidence is not called much."""

from __future__ import annotations

import numpy as np
import pytest

from judges.reliability.dawid_skene import fit
from tests.judges.reliability.planted import CROWD_KIT, PRIOR, TABLES, planted


def test_planted_tables_are_found() -> None:
    truth, tasks, judges, labels = planted()
    found = fit(tasks, judges, labels, 3)
    assert np.abs(found.confusion - TABLES).max() < 0.09
    assert np.abs(found.confusion - TABLES).mean() < 0.025
    assert np.abs(found.prior - PRIOR).max() < 0.03
    assert (found.truth.argmax(axis=1) == truth).mean() > 0.94
    assert found.confusion.sum(axis=2) == pytest.approx(np.ones((7, 3)))


def test_who_turns_it_round_helps_as_much_as_who_is_right() -> None:
    """A majority counts it as wrong; here it is evidence."""
    truth, tasks, judges, labels = planted()
    counts = np.zeros((len(truth), 3))
    np.add.at(counts, (tasks, labels), 1)
    majority = (counts.argmax(axis=1) == truth).mean()
    found = fit(tasks, judges, labels, 3)
    assert (found.truth.argmax(axis=1) == truth).mean() > majority + 0.05


def test_without_our_start_it_is_crowd_kits() -> None:
    _, tasks, judges, labels = planted()
    found = fit(tasks, judges, labels, 3, pseudo=0.0)
    assert np.abs(found.confusion - CROWD_KIT).max() < 0.002


def test_one_answer_makes_nobody_perfect() -> None:
    found = fit(np.asarray([0, 0, 0]), np.asarray([0, 1, 2]), np.asarray([1, 1, 1]), 3)
    assert found.confusion.max() < 0.75
    assert found.truth[0].argmax() == 1
