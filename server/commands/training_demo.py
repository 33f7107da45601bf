"""`agon training demo`: an agent learns from its battles, from the first session to the proof."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Annotated

import typer

from server.commands.running import ConfigFile, load_arena


def demo(
    sessions: Annotated[
        int, typer.Option(min=40, max=1_000, help="Sessions that it plays before it is trained.")
    ] = 60,
    pairs: Annotated[
        int,
        typer.Option(min=1, max=10_000, help="Pairs of held-out matches, as the arena plays them."),
    ] = 100,
    free_pairs: Annotated[
        int,
        typer.Option(
            min=1, max=10_000, help="Pairs of held-out matches in which nothing is constrained."
        ),
    ] = 25,
    out: Annotated[
        Path | None, typer.Option(help="Keep adapter, measurements and job in this folder.")
    ] = None,
    config: ConfigFile = None,
) -> None:
    """Watch an agent learn from its battles, in an arena of its own.

    Rookie plays Bid Tac Toe against three rivals, is trained on what won, meets itself at the gate, is promoted and plays on.
    Then it plays its base on held-out seeds, and the proof of its training is checked. It takes a while.
    """
    from server.training import demo as demonstration

    if importlib.util.find_spec("torch") is None:
        raise demonstration.DemoFailed(
            "what trains is not installed: `make train-demo`, or pip install -e '.[training]'"
        )
    demonstration.run(
        load_arena(config), sessions=sessions, pairs=pairs, free_pairs=free_pairs, out=out
    )
