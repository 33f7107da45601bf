"""What `agon operator` and `agon judge` say of stake."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.at_chain import sent
from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.wallet.staking import Staked

FracAmount = Annotated[str, typer.Argument(metavar="AMOUNT", help="FRAC, as in 1000 or 0.5.")]
FracOrAll = Annotated[str, typer.Argument(metavar="AMOUNT", help="FRAC, as in 500, or all.")]
Receiver = Annotated[
    str | None,
    typer.Option("--to", metavar="ADDRESS", help="Who gets it. Default: the wallet itself."),
]


def frac(text: str) -> int:
    """In its smallest part. Raises CommandError."""
    from chain.wallet.amounts import BadAmount, tokens

    try:
        return tokens(text, "FRAC")
    except BadAmount as error:
        raise CommandError(f"AMOUNT: {error}") from None


def shown(parts: int | None) -> str:
    """As a command is remembered by; None is all."""
    from chain.wallet.amounts import shown_tokens

    return "all" if parts is None else shown_tokens(parts, "FRAC", most=18)


def check_words(option: str, text: str, most: int, *, least: int = 1) -> None:
    """Raises CommandError."""
    if not least <= len(text.encode()) <= most or not text.isprintable():
        raise CommandError(
            f"{option}: expected {least} to {most} printable characters, got {text[:60]!r}"
        )


def staked(found: Staked, short: str) -> list[str]:
    """`short`: what there is from the least stake on."""
    from chain.wallet.amounts import shown_tokens
    from chain.wallet.words import instant

    told = [f"{shown_tokens(found.bonded, 'FRAC')} bonded"]
    if 0 < found.bonded < found.min_stake:
        told.append(f"{short} from {shown_tokens(found.min_stake, 'FRAC')} on")
    if found.unbonding:
        told.append(
            f"{shown_tokens(found.unbonding, 'FRAC')} unbonding, to be had {instant(found.unbonding_at)}"
        )
    told.append(f"{shown_tokens(found.wallet, 'FRAC')} in the wallet")
    return [*told, sent(found.tx)]
