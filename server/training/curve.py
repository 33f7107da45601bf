"""A learning curve: a run of GRPO that is stopped now and then to be played against the base and a scripted rival.

python -m server.training.curve --steps 40 --every 10 --pairs 25 --folder run --out curve.json
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from server.training.rivals import scripted
from spaces import registry
from training.model import base as bases
from training.model.base import Base
from training.play.ask import Player
from training.play.evaluate import Report, evaluate
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.observer import Trained
from training.recipes.online import Online, bid_tac_toe
from training.recipes.refused import CannotTrain

RIVALS = ("base", "bidder")


class Point(msgspec.Struct, frozen=True):
    """The learner as it stood after a step, 0: before the first."""

    step: int
    against: dict[str, Report]
    figures: dict[str, float]
    """Of the update before, from the trainer."""


class Curve(msgspec.Struct, frozen=True):
    """What was run, and every point that was played; nothing is interpolated."""

    config: TrainConfig
    online: Online
    machine: str
    seconds: float
    """Of this and of earlier sittings, evaluations counted in."""
    points: tuple[Point, ...] = ()


class Evaluator:
    """An observer of a run that plays the learner every so many steps, and writes each point down at once."""

    def __init__(
        self, config: TrainConfig, online: Online, tokenizer: Any, every: int, pairs: int, out: Path
    ) -> None:
        self._every, self._pairs, self._out = every, pairs, out
        self._config, self._online, self._tokenizer = config, online, tokenizer
        self._figures: dict[str, float] = {}
        self._began = time.monotonic()
        empty = Curve(config, online, _machine(), 0.0)
        self.curve = msgspec.json.decode(out.read_bytes(), type=Curve) if out.exists() else empty
        if (self.curve.config, self.curve.online) != (config, online):
            raise CannotTrain(f"{out} is the curve of another run; name a new file")
        self._before_s = self.curve.seconds
        self._model: Any = None

    def begun(self, model: Any, config: TrainConfig) -> None:
        if not self.curve.points:
            self._point(0, model)

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        self._model = model

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        self._figures = {name: round(value, 5) for name, value in figures.items()}
        told = {
            name: self._figures.get(f"rollout/{name}") for name in ("reward", "win_rate", "stage")
        }
        print(f"step {step}/{self._config.steps}: {told}", flush=True)
        if step % self._every == 0:
            self._point(step, self._model)

    def ended(self, trained: Trained) -> None:
        print(f"the adapter lies in {trained.adapter}", flush=True)

    def _point(self, step: int, model: Any) -> None:
        from training.play.model_player import ModelPlayer

        players: dict[str, Player] = {
            **scripted(),
            "base": ModelPlayer(model, self._tokenizer, system=self._online.system),
            "learner": ModelPlayer(
                model, self._tokenizer, adapter="default", system=self._online.system
            ),
        }
        against = {}
        for rival in RIVALS:
            space = registry.get(self._online.space)
            told = evaluate(
                *(space, self._online.params, players, "learner", rival),
                pairs=self._pairs,
                progress=_progress,
            )
            print(f"\rstep {step}: {told}", flush=True)
            against[rival] = told
        kept = [each for each in self.curve.points if each.step < step]
        self.curve = msgspec.structs.replace(
            self.curve,
            seconds=round(self._before_s + time.monotonic() - self._began, 1),
            points=(*kept, Point(step, against, self._figures)),
        )
        self._out.parent.mkdir(parents=True, exist_ok=True)
        self._out.write_bytes(msgspec.json.format(msgspec.json.encode(self.curve)) + b"\n")


def _progress(done: int, total: int, left_s: float) -> None:
    print(f"\r  {done}/{total} matches, {left_s:.0f} s left ", end="", file=sys.stderr, flush=True)


def _machine() -> str:
    return f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"


def learn(
    config: TrainConfig, online: Online, base: Base, folder: Path, out: Path, every: int, pairs: int
) -> Curve:
    """Run to the end, or go on where this folder's run was left. Raises CannotTrain."""
    from training.recipes import grpo

    watch = Evaluator(config, online, bases.tokenizer(base), every, pairs, out)
    grpo.train(config, online, base, folder, scripted(), observers=[watch], device="cpu")
    return watch.curve


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        prog="python -m server.training.curve",
        description="Train Bid Tac Toe by GRPO on SmolLM2-135M and play the learner every few steps"
        " against the base and the bidder. Goes on where it was stopped.",
        epilog="example: python -m server.training.curve --steps 40 --every 10 --pairs 25"
        " --folder run --out curve.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--steps", type=int, default=40, help="updates in all")
    parser.add_argument("--every", type=int, default=10, help="updates between two points")
    parser.add_argument("--pairs", type=int, default=25, help="of matches, against each rival")
    parser.add_argument("--matches", type=int, default=16, help="played for an update")
    parser.add_argument("--batch", type=int, default=32, help="answers learnt from in an update")
    parser.add_argument("--rate", type=float, default=2e-4, help="learning rate")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--folder", type=Path, required=True, help="of the run")
    parser.add_argument("--out", type=Path, required=True, help="the curve, as JSON")
    told = parser.parse_args(arguments)
    config = TrainConfig(
        recipe="grpo",
        lora=LoraShape(),
        steps=told.steps,
        batch=told.batch,
        micro_batch=min(16, told.batch),
        learning_rate=told.rate,
        warmup=0.05,
        beta=0.0,
        threads=told.threads,
        checkpoint_every=told.every,
    )
    online = bid_tac_toe(matches=told.matches)
    try:
        base = bases.find(told=print)
        learn(config, online, base, told.folder, told.out, told.every, told.pairs)
    except ModuleNotFoundError as error:
        sys.exit(f"{error.name} is missing; training needs the extra: pip install -e '.[training]'")
    except (CannotTrain, bases.MissingModel) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
