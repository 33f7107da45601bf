"""`agon config`: every knob of an arena."""

from __future__ import annotations

from typing import Annotated

import typer

from server import knobs
from server.commands.running import ConfigFile
from server.config import SECRETS


def show_config(
    explain: Annotated[bool, typer.Option(help="Say what each knob is for.")] = False,
    config: ConfigFile = None,
) -> None:
    """Print every knob and its value."""
    settings = knobs.load(config)
    if explain:
        print(
            "Set knobs in ./agon.toml (or --config FILE), or as the variables named below, which win.\n"
        )
    for knob in knobs.knobs():
        value = getattr(settings, knob.name)
        shown = "(set, not shown)" if knob.name in SECRETS and value else repr(value)
        print(f"{knob.name} = {shown}")
        if explain:
            listed = " (comma-separated)" if isinstance(knob.default, tuple) else ""
            print(f"    {knob.reason}\n    {knob.variable}{listed}, default {knob.default!r}")
