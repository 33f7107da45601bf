"""Judges whose tables are known, and what they say of tasks whose truth is known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

TABLES = np.asarray(
    [
        [[0.90, 0.06, 0.04], [0.05, 0.90, 0.05], [0.10, 0.10, 0.80]],
        [[0.80, 0.12, 0.08], [0.10, 0.80, 0.10], [0.15, 0.15, 0.70]],
        [[0.75, 0.15, 0.10], [0.15, 0.75, 0.10], [0.20, 0.20, 0.60]],
        [[0.85, 0.05, 0.10], [0.30, 0.60, 0.10], [0.30, 0.10, 0.60]],  # leans to the first
        [[0.34, 0.33, 0.33], [0.33, 0.34, 0.33], [0.33, 0.33, 0.34]],  # says anything
        [[0.10, 0.85, 0.05], [0.85, 0.10, 0.05], [0.10, 0.10, 0.80]],  # turns it round
        [[0.88, 0.08, 0.04], [0.06, 0.90, 0.04], [0.12, 0.12, 0.76]],
    ]
)
PRIOR = np.asarray([0.42, 0.42, 0.16])

CROWD_KIT = np.asarray(
    [
        [[0.9134, 0.0456, 0.0410], [0.0464, 0.9134, 0.0402], [0.0768, 0.1121, 0.8111]],
        [[0.8251, 0.1125, 0.0625], [0.0997, 0.7851, 0.1152], [0.1523, 0.1206, 0.7271]],
        [[0.7633, 0.1321, 0.1046], [0.1685, 0.7136, 0.1179], [0.2070, 0.2064, 0.5866]],
        [[0.8902, 0.0456, 0.0642], [0.2755, 0.6324, 0.0921], [0.2777, 0.1355, 0.5868]],
        [[0.3445, 0.3064, 0.3491], [0.3314, 0.3373, 0.3313], [0.3256, 0.3143, 0.3601]],
        [[0.1004, 0.8555, 0.0441], [0.8365, 0.0963, 0.0672], [0.0737, 0.0933, 0.8330]],
        [[0.8648, 0.0948, 0.0404], [0.0609, 0.9159, 0.0232], [0.1243, 0.1521, 0.7236]],
    ]
)
"""What crowd-kit 1.4.2 (`DawidSkene(n_iter=1000, tol=1e-9)`) finds on `planted()`."""

Ints = NDArray[np.int64]


def planted(seed: int = 4, tasks: int = 1_500, panel: int = 5) -> tuple[Ints, Ints, Ints, Ints]:
    """(truth by task; task, judge and label of each answer)."""
    chance = np.random.default_rng(seed)
    truth = chance.choice(3, size=tasks, p=PRIOR)
    rows = [
        (task, int(judge), int(chance.choice(3, p=TABLES[judge, truth[task]])))
        for task in range(tasks)
        for judge in chance.permutation(len(TABLES))[:panel]
    ]
    answers = np.asarray(rows, np.int64)
    return truth, answers[:, 0], answers[:, 1], answers[:, 2]
