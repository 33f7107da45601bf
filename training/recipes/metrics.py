"""How a run goes: a file that the API serves, TensorBoard, a bar on the terminal. Observers, all three.

`metrics.jsonl` has a line for each update: `step`, `loss` (nats), `learning_rate`, `grad_norm`, `tokens`,
`tokens_per_s`, `elapsed_s` over all processes that the run has had, `eta_s`, and what the recipe measures
(`rewards/margins`, `kl`, …). A run that goes on from a checkpoint takes back the lines after it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from training.recipes.config import TrainConfig
from training.recipes.observer import Trained

MEMORY = 0.9
"""How much of the pace before an update counts after it."""
LINE_EVERY_S = 30.0
"""Between two lines where no terminal draws a bar."""


class Pace:
    """Tokens a second and what is left, from updates of unequal length. Pure."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self._seconds = 0.0

    def after(self, step: int, tokens: float, seconds: float) -> dict[str, float]:
        """`tokens_per_s` of this update, `eta_s` of the rest by the pace of the last dozen."""
        known = self._seconds > 0
        self._seconds = MEMORY * self._seconds + (1 - MEMORY) * seconds if known else seconds
        return {
            "tokens_per_s": round(tokens / seconds, 1) if seconds > 0 else 0.0,
            "eta_s": round((self.steps - step) * self._seconds, 1),
        }


class Quiet:
    """An observer that only wants figures."""

    def begun(self, model: Any, config: TrainConfig) -> None:
        self.pace = Pace(config.steps)

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        """The figures that follow say it."""

    def ended(self, trained: Trained) -> None:
        self.close()

    def close(self) -> None:
        """Leave nothing open; a run that fails ends with it, too, and it may be called twice."""


class JsonLines(Quiet):
    """Writes `metrics.jsonl`; whoever reads it while the run goes on sees whole lines and maybe one that is not yet."""

    def __init__(self, file: Path) -> None:
        self._path = file
        self._elapsed: float | None = None

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        if self._elapsed is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._elapsed = take_back(self._path, step)
        self._elapsed += figures["seconds"]
        line = {"step": step, **figures, "elapsed_s": round(self._elapsed, 3)}
        line |= self.pace.after(step, figures["tokens"], figures["seconds"])
        del line["seconds"]
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def take_back(file: Path, step: int) -> float:
    """Drop a file's lines from a step on, and one that was not finished; gives the seconds of those that stay."""
    if not file.is_file():
        return 0.0
    kept: list[str] = []
    elapsed = 0.0
    for line in file.read_text(encoding="utf-8").splitlines():
        try:
            said = json.loads(line)
        except ValueError:
            break  # it was being written when the run was killed
        if said["step"] >= step:
            break
        kept.append(line)
        elapsed = said["elapsed_s"]
    making = file.with_suffix(".making")
    making.write_text("".join(f"{line}\n" for line in kept), encoding="utf-8")
    making.replace(file)
    return elapsed


class TensorBoard(Quiet):
    """Writes events for `tensorboard --logdir FOLDER`; needs the extra."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: Any = None

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter

            self._writer = SummaryWriter(str(self._folder), purge_step=step)
        for name, value in figures.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is not written yet; may be called twice."""
        if self._writer is not None:
            self._writer.close()


class Terminal(Quiet):
    """A bar with the time that is left; where there is no terminal, a line from time to time."""

    def __init__(self, console: Console, what: str = "training") -> None:
        self._console = console
        self._what = what
        self._progress: Progress | None = None
        self._told = -LINE_EVERY_S

    def begun(self, model: Any, config: TrainConfig) -> None:
        super().begun(model, config)
        if not self._console.is_terminal:
            return
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[speed]} tokens/s"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
        )
        self._task = self._progress.add_task(self._what, total=config.steps, loss="-", speed="-")
        self._progress.start()

    def measured(self, step: int, figures: Mapping[str, float]) -> None:
        pace = self.pace.after(step, figures["tokens"], figures["seconds"])
        loss, speed = f"{figures['loss']:.4f}", f"{pace['tokens_per_s']:,.0f}"
        if self._progress is not None:
            self._progress.update(self._task, completed=step, loss=loss, speed=speed)
            return
        now = time.monotonic()
        if now - self._told >= LINE_EVERY_S or step == self.pace.steps:
            self._told = now
            self._console.print(
                f"{self._what}: step {step} of {self.pace.steps}, loss {loss}, {speed} tokens/s, "
                f"{pace['eta_s']:.0f} s left",
                highlight=False,
            )

    def close(self) -> None:
        """Give the terminal back, also when the run fails; may be called twice."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None
