"""`agon train`: make an adapter of examples on this machine. Imports torch when it begins, and says so where there is none."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from server.commands.running import AsJson, CommandError

if TYPE_CHECKING:
    from training.recipes.config import TrainConfig
    from training.recipes.observer import Trained

app = typer.Typer(
    name="train",
    help="Train an adapter on this machine.",
    epilog="Example: agon train run --recipe sft --data wins.jsonl --out shark-1",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def train() -> None:
    """Train an adapter on this machine (docs/training.md)."""


@app.command(
    epilog="Example: agon train run --recipe dpo --data pairs.jsonl --out shark-2 --parent shark-1/adapter --set steps=60 --set beta=0.2"
)
def run(
    data: Annotated[Path, typer.Option(help="Examples, a JSON object a line.")],
    out: Annotated[
        Path, typer.Option(help="The run's folder. A run that was stopped goes on there.")
    ],
    recipe: Annotated[
        str, typer.Option(help="sft (winners' answers), dpo (pairs), kto (good and bad answers).")
    ] = "sft",
    config: Annotated[
        Path | None, typer.Option(help="A JSON file with the knobs; --set goes before it.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A knob, e.g. steps=60 or lora.rank=8; may be given again."),
    ] = None,
    parent: Annotated[
        Path | None, typer.Option(help="The adapter's folder that training goes on from.")
    ] = None,
    base: Annotated[
        str, typer.Option(help="The model that the adapter changes.")
    ] = "SmolLM2-135M-Instruct",
    device: Annotated[
        str, typer.Option(help="cpu, or e.g. cuda:0. Default: a GPU where there is one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Train an adapter from examples. Stopped or killed, the same command goes on from the last checkpoint."""
    knobs = _config(recipe, config, set_ or [])
    trained = _train(knobs, data, out, parent, base, device or None)
    if as_json:
        print(msgspec.json.encode(trained, enc_hook=str).decode())
        return
    print(_in_words(trained, out))


def _config(recipe: str, file: Path | None, said: list[str]) -> TrainConfig:
    """The knobs of a file and of the command line; raises CommandError for what is none."""
    from training.recipes.config import TrainConfig

    told: dict[str, object] = {}
    if file is not None:
        try:
            told = msgspec.json.decode(file.read_bytes(), type=dict[str, object])
        except (OSError, msgspec.MsgspecError) as error:
            raise CommandError(f"{file} is no JSON file of knobs: {error}") from None
    for each in said:
        name, sign, value = each.partition("=")
        if not sign:
            raise CommandError(f"--set wants name=value, not {each!r}")
        where, _, last = name.rpartition(".")
        if where not in ("", "lora"):
            raise CommandError(f"no knob {name!r}")
        within = told if not where else told.setdefault(where, {})
        if not isinstance(within, dict):
            raise CommandError(f"{where} is a group of knobs")
        within[last] = value
    try:
        return msgspec.convert({**told, "recipe": recipe}, TrainConfig, strict=False)
    except msgspec.ValidationError as error:
        raise CommandError(f"a knob is wrong: {error}") from None


def _train(
    config: TrainConfig,
    data: Path,
    out: Path,
    parent: Path | None,
    base: str,
    device: str | None,
) -> Trained:
    """Train with a bar on the terminal. Raises CommandError, MissingExtra, MissingModel and CannotTrain."""
    from rich.console import Console

    from training import extra
    from training.model.base import find
    from training.recipes import files, metrics
    from training.recipes.run import train

    extra.demand()
    examples = files.read(data, config.recipe)
    if parent is not None and not (parent / "adapter_config.json").is_file():
        raise CommandError(f"{parent} is no adapter's folder: it has no adapter_config.json")
    console = Console(stderr=True)
    found = find(base, told=lambda line: console.print(line, highlight=False))
    console.print("loading what trains …")
    bar = metrics.Terminal(console)
    board = metrics.TensorBoard(out / "tensorboard")
    try:
        with contextlib.closing(bar), contextlib.closing(board):
            return train(
                config,
                found,
                examples,
                out,
                parent=parent,
                device=device,
                observers=(
                    metrics.JsonLines(out / "metrics.jsonl"),
                    board,
                    bar,
                ),
            )
    except KeyboardInterrupt:
        console.print(f"stopped; the same command goes on from the last checkpoint in {out}")
        raise typer.Exit(130) from None


def _in_words(trained: Trained, out: Path) -> str:
    lines = [f"adapter: {trained.adapter}"]
    if trained.loss is None:
        lines.append("this run was finished before")
    else:
        lines.append(f"steps:   {trained.steps}, the last one's loss {trained.loss:.4f}")
    if trained.shortened or trained.dropped:
        lines.append(
            f"length:  {trained.shortened} prompts lost their beginning, {trained.dropped} examples were left out as "
            "too long (max_length)"
        )
    lines.append(f"figures: {out / 'metrics.jsonl'}; tensorboard --logdir {out / 'tensorboard'}")
    return "\n".join(lines)
