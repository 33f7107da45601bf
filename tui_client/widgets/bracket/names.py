"""Entrants and points of a tournament in words. Pure; returns safe text."""

from __future__ import annotations

from server.protocol import TournamentView
from tui_client.text import clean
from tui_client.words import NAME_LIMIT, space_title


class Names:
    """Names by entrant; of one that the view does not name, its seed."""

    def __init__(self, view: TournamentView) -> None:
        self._names = {card.entrant: clean(card.name, NAME_LIMIT) for card in view.cards}

    def __getitem__(self, entrant: int) -> str:
        return self._names.get(entrant) or f"seed {entrant + 1}"


def half(points: int) -> str:
    """Half points as people write them: 3 is `1½`."""
    whole, rest = divmod(points, 2)
    return f"{whole or ('' if rest else 0)}{'½' if rest else ''}"


def round_name(view: TournamentView, round_: int) -> str:
    if round_ == view.rounds:
        return "final"
    names = {1: "semi-finals", 2: "quarter-finals"} if view.seats == 2 else {}
    return names.get(view.rounds - round_, f"round {round_}")


def title(view: TournamentView) -> str:
    return f"{space_title(view.space).upper()} {view.format}"
