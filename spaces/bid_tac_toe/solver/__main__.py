"""`python -m spaces.bid_tac_toe.solver`: what a position is worth and what to bid.

Bad input is one line on standard error and exit status 2.
"""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer

from spaces.bid_tac_toe.solver import answer as answers
from spaces.bid_tac_toe.solver.position import Player
from spaces.bid_tac_toe.solver.rendering import render
from spaces.bid_tac_toe.variants import FullBoard, Payment, Ties

PROGRAM = "python -m spaces.bid_tac_toe.solver"
_HELP = f"""Solve a position of Bid Tac Toe: thresholds of forced results, and equilibrium bids.

\b
Examples:
  {PROGRAM} --payment richman --chips 100 --json
  {PROGRAM} --payment poorman --position "X...O...." --player O
  {PROGRAM} --payment richman --chips 4 --holding "5*"
  {PROGRAM} --payment all-pay --holding 63 --rival 80 --position "X...O...."

A position is nine characters, row by row: X, O, and '.' for a free cell. Cells are numbered 0 to 8 in
the same order. "12*" is twelve chips and the advantage, the chip that wins ties.
"""

app = typer.Typer(
    help=_HELP,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(help=_HELP)
def solve(
    context: typer.Context,
    payment: Annotated[Payment, typer.Option(help="Where bids go.")] = "all-pay",
    chips: Annotated[
        int,
        typer.Option(
            help="What EACH side starts with, as the session parameter: the total is twice as much."
        ),
    ] = 100,
    ties: Annotated[
        Ties | None,
        typer.Option(
            help="How equal bids are decided.",
            show_default="coin for all-pay, else advantage-chip",
        ),
    ] = None,
    decided_by: Annotated[
        FullBoard | None,
        typer.Option(
            help="Who wins a full board without a line: more money, or nobody.",
            show_default="money for all-pay, else draw",
        ),
    ] = None,
    position: Annotated[str, typer.Option(help='Like "XO......."')] = "." * 9,
    player: Annotated[Player, typer.Option(help="For whom to answer.")] = "X",
    holding: Annotated[
        str | None,
        typer.Option(
            help='The player\'s chips, "K" or "K*".',
            show_default="the least that forces the goal; for the equilibrium the --chips",
        ),
    ] = None,
    rival: Annotated[
        int | None,
        typer.Option(
            help="The rival's chips.", show_default="the rest of the total; for all-pay the --chips"
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    if context.invoked_subcommand is not None:
        return
    asked = answers.ask(payment, chips, ties, decided_by, position, player, holding, rival)
    found = answers.answer(asked)
    print(json.dumps(found, allow_nan=False) if as_json else render(found))


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    try:
        status: Any = app(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Abort:
        return 130  # interrupted
    except ValueError as error:
        return _refuse(str(error))
    except Exception as error:
        told = getattr(error, "format_message", None)  # a mistake in the options, told by typer
        if told is None:
            raise
        return _refuse(told())
    return status if isinstance(status, int) else 0


def _refuse(reason: str) -> int:
    line = " ".join(reason.split())
    print(f"{PROGRAM}: {line}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
