"""`python -m spaces.bid_tac_toe.solver`: what a position is worth and what to bid.

Bad input is one line on standard error and exit status 2.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Literal

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

PaymentOption = Annotated[Payment, typer.Option(help="Where bids go.")]
ChipsOption = Annotated[
    int,
    typer.Option(
        help="What EACH side starts with, as the session parameter: the total is twice as much."
    ),
]
TiesOption = Annotated[
    Ties | None,
    typer.Option(
        help="How equal bids are decided.",
        show_default="coin for all-pay, else advantage-chip",
    ),
]
FullBoardOption = Annotated[
    FullBoard | None,
    typer.Option(
        help="Who wins a full board without a line: more money, or nobody.",
        show_default="money for all-pay, else draw",
    ),
]

app = typer.Typer(
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(help=_HELP)
def solve(
    context: typer.Context,
    payment: PaymentOption = "all-pay",
    chips: ChipsOption = 100,
    ties: TiesOption = None,
    decided_by: FullBoardOption = None,
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
            help="The rival's chips.",
            show_default="the rest of the total; for all-pay the --chips",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of text.")
    ] = False,
) -> None:
    if context.invoked_subcommand is not None:
        _refuse_options_before(context)
        return
    params = answers.variant(payment, chips, ties, decided_by)
    found = answers.answer(answers.ask(params, position, player, holding, rival))
    print(json.dumps(found, allow_nan=False) if as_json else render(found))


def _refuse_options_before(context: typer.Context) -> None:
    """They would be ignored without a word."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            command = context.invoked_subcommand
            raise ValueError(f"options of `{command}` stand behind it: {command} --payment ...")


@app.command("table")
def table(
    payment: PaymentOption = "all-pay",
    chips: ChipsOption = 100,
    ties: TiesOption = None,
    decided_by: FullBoardOption = None,
    method: Annotated[
        Literal["simplex", "regret-matching"], typer.Option(help="How each bid is solved.")
    ] = "simplex",
    workers: Annotated[int, typer.Option(min=1, max=256, help="Threads.")] = 1,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where the file goes.", show_default="the cache, where it is found"),
    ] = None,
    certified: Annotated[
        bool, typer.Option("--certify/--no-certify", help="Measure the exploitability at once.")
    ] = True,
) -> None:
    """Solve every position of a variant by backward induction and store the table."""
    from spaces.bid_tac_toe.solver.table_command import build_table  # NumPy loads slowly

    params = answers.variant(payment, chips, ties, decided_by)
    build_table(params, method=method, workers=workers, folder=folder, certified=certified)


@app.command("certificate")
def certificate(
    payment: PaymentOption = "all-pay",
    chips: ChipsOption = 100,
    ties: TiesOption = None,
    decided_by: FullBoardOption = None,
    file: Annotated[
        Path | None, typer.Option(help="A table file, instead of the variant's.")
    ] = None,
) -> None:
    """Compute best responses to a table's strategies, without its values, and print what they win."""
    from spaces.bid_tac_toe.solver.table_command import print_certificate

    params = answers.variant(payment, chips, ties, decided_by)
    try:
        print_certificate(params, file)
    except LookupError as error:  # there is no table; the message names the command that builds it
        raise ValueError(str(error)) from error


def main(arguments: list[str] | None = None) -> int:
    """The exit status."""
    try:
        status: Any = app(args=arguments, prog_name=PROGRAM, standalone_mode=False)
    except typer.Abort:
        return 130  # interrupted
    except (ValueError, OSError) as error:  # what the user can do something about
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
