"""The colours: two seats, money, alarms, and greys. Everything painted takes its style from here.

Blue and orange keep apart for every common colour blindness (Okabe & Ito's palette, lightened for a
dark ground); nothing is told by colour alone, since a mark, a letter or a word stands beside it.
The greys are plain enough, and the accents so placed, that a terminal of 256 colours shows the same.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style

GROUND = "#0e1116"
TRACK_COLOUR = "#23272d"
SEAT_COLOURS = ("#58a6ff", "#f0952c")
MONEY_COLOUR = "#7bc8a4"
ALARM_COLOUR = "#ff5d73"

BRIGHT = Style(color="#f0f3f6")
PLAIN = Style(color="#c3cad3")
DIM = Style(color="#848d97")
FAINT = Style(color="#4d5662")
FRAME = Style(color="#30363d")
TRACK = Style(bgcolor=TRACK_COLOUR)
CURSOR = Style(bgcolor="#22262c")
"""Behind the selected row of the lobby."""

MONEY = Style(color=MONEY_COLOUR)
ALARM = Style(color=ALARM_COLOUR)
LIVE = Style(color="#e6edf3", bold=True)
TITLE = Style(color="#f0f3f6", bold=True)
KEY = Style(color="#c3cad3", bold=True)

SEATS = tuple(Style(color=colour) for colour in SEAT_COLOURS)
SEATS_DIM = (Style(color="#2a6ab0"), Style(color="#9c6528"))
WIN_GROUNDS = (Style(bgcolor="#12294a"), Style(bgcolor="#4a3210"))
"""Behind the winning line and the mark just made."""

RHYMES = tuple(
    Style(color=colour, underline=True)
    for colour in ("#cbb8f5", "#9fdcc4", "#f2b3c6", "#e6d58f", "#9fd3ee", "#b5cf8a")
)
"""One shade for each sound of a battle, in order of appearance; the letter beside it names it."""


def seat_style(seat: int) -> Style:
    """The accent of a seat where two play. Where more do, none has an accent of its own: each has a
    letter (`words.seat_mark`), and `place_style` gives the accents to the first two places."""
    return SEATS[seat % len(SEATS)]


def place_style(seat: int, ranks: Sequence[int]) -> Style:
    """The accent of the best and of the second place, by the ranks of all seats (1 is best); grey for
    the others, and for all while everybody shares one place."""
    if len(set(ranks)) < 2 or not 0 <= seat < len(ranks):
        return PLAIN
    return {1: SEATS[0], 2: SEATS[1]}.get(ranks[seat], PLAIN)


def rhyme_style(letter: str) -> Style:
    """The shade of a sound, by its letter of the rhyme scheme."""
    return RHYMES[(ord(letter) - ord("a")) % len(RHYMES)]


def rhyme_letter(letter: str) -> Style:
    """The shade of a sound for its letter in the margin."""
    return Style(color=rhyme_style(letter).color)
