"""Held-out matches of an adapter against its base, played in a process of their own: torch never enters the arena's.

    python -m server.training.measure --space bid-tac-toe --adapter FOLDER --pairs 100 --free-pairs 25 --out FILE

Two series, each of pairs with one seed and the seats changed. *As the arena plays them*: answers constrained to legal
ones, so only what is chosen counts. *Free*: nothing is constrained, so a side that cannot answer in the form that was
asked for forfeits; the share of valid first answers is measured there. Progress goes to stdout, a JSON line each.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from spaces import registry
from training.play.evaluate import Report, evaluate

TRAINED, BASE = "trained", "base"
THREADS = 2


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was played. Rates are of the trained side against the base."""

    arena: Report
    """Answers constrained to legal ones, as hosted agents play."""
    free: Report
    """Nothing constrained."""


def measure(
    space: str,
    params: Mapping[str, Any],
    adapter: Path,
    *,
    system: str | None = None,
    pairs: int,
    free_pairs: int,
    first_seed: int = 0,
    told: Any = None,
) -> Measured:
    """Blocks for minutes. Raises what loading and playing raise."""
    from training.chat import SYSTEM
    from training.model import base as bases
    from training.model import lora
    from training.play.model_player import ModelPlayer

    bases.use_threads(THREADS)
    base = bases.find()
    tokenizer = bases.tokenizer(base)
    # The served weights in 16 bit, not NF4: what is measured is what will play.
    model = lora.from_folder(bases.load(base, four_bit=False), adapter)
    name = model.active_adapter

    def series(constrained: bool, count: int, label: str) -> Report:
        players = {
            who: ModelPlayer(
                model,
                tokenizer,
                adapter=name if who == TRAINED else None,
                system=SYSTEM if system is None else system,
                constrained=constrained,
                seed=number,
            )
            for number, who in enumerate((TRAINED, BASE))
        }

        def progress(done: int, of: int, left_s: float) -> None:
            if told is not None:
                told({"series": label, "done": done, "of": of, "left_s": round(left_s)})

        return evaluate(
            registry.get(space),
            params,
            players,
            TRAINED,
            BASE,
            pairs=count,
            first_seed=first_seed,
            progress=progress,
        )

    return Measured(
        arena=series(True, pairs, "as the arena plays them"),
        free=series(False, free_pairs, "free answers"),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--space", default="bid-tac-toe")
    parser.add_argument("--adapter", type=Path, required=True)
    parser.add_argument("--system", default=None)
    parser.add_argument("--pairs", type=int, default=100)
    parser.add_argument("--free-pairs", type=int, default=25)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    found = measure(
        given.space,
        {},
        given.adapter,
        system=given.system,
        pairs=given.pairs,
        free_pairs=given.free_pairs,
        first_seed=given.first_seed,
        told=lambda line: print(json.dumps(line), flush=True),
    )
    given.out.write_bytes(msgspec.json.format(msgspec.json.encode(found)))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
