"""What an arena refuses, in the words of the command: its options, its units, the commands that help. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bots.owner import Refused
from server.ledger.tiers import amount

NO_OPTIONS: Mapping[str, str] = MappingProxyType({})

HELP = {
    "unknown-agent": "`agon agents list` shows yours",
    "no-automation": "set them by `agon automation set`",
    "no-wallet": "`agon login --agent NAME` gives the account one",
    "insufficient-scope": "a login has all: `agon login`, with AGON_TOKEN unset",
}
"""Code of a problem -> what to do about it here."""


def in_words(
    refused: Refused,
    options: Mapping[str, str] = NO_OPTIONS,
    help_: Mapping[str, str] = NO_OPTIONS,
) -> str:
    """`options` says which option a field of the request came from; `help_` goes before HELP."""
    field = re.sub(r"\[[^\]]*\]", "", refused.field)
    words = str(refused)
    option = _option(field, options)
    name = field.rpartition(".")[2]
    if option and words.startswith(f"{name}: "):
        words = words.removeprefix(f"{name}: ")
        if name.endswith("micros"):
            words = _in_dollars(words)
        words = f"{option}: {words}"
    if advice := (help_.get(refused.code) or HELP.get(refused.code)):
        words = f"{words}; {advice}"
    return words


def _option(field: str, options: Mapping[str, str]) -> str | None:
    """The option of a field, or of what the field is a part of."""
    while field and field not in options:
        field = field.rpartition(".")[0]
    return options.get(field)


def _in_dollars(words: str) -> str:
    """Whole micros as amounts: `expected an amount, 25.00 or less`."""
    told = words.replace("expected a whole number", "expected an amount")
    return re.sub(r"(?<![\w.])-?\d+(?![\w.])", lambda found: amount(int(found[0])), told)
