"""The battle as a sheet of two columns: rounds side by side, bars wrapped, rhymes marked. Pure."""

from __future__ import annotations

import msgspec
from rich.text import Text

from tui_client import theme
from tui_client.observed import RapBattle
from tui_client.rhyme import last_word, schemes
from tui_client.spectated import Draft, Spectated
from tui_client.text import clean_lines, fit, wrap
from tui_client.widgets.canvas import line, spread

CURSOR = "▌"
LETTER_ROOM = 2
"""Columns right of a bar for its letter of the rhyme scheme."""
INDENT = "  "
"""Before the continuation of a wrapped bar."""


class Block(msgspec.Struct, frozen=True):
    """One verse, finished or being written."""

    round: int
    seat: int
    bars: tuple[str, ...]
    writing: bool = False
    forfeited: bool = False

    @property
    def heard(self) -> tuple[str, ...]:
        """The bars that are finished: the last one of a draft is still being written."""
        return self.bars[:-1] if self.writing else self.bars


def blocks(spectated: Spectated, battle: RapBattle) -> list[Block]:
    """All verses in the order they were spoken, then the drafts."""
    spoken = [
        Block(
            verse.round, verse.seat, tuple(clean_lines(verse.text or "")), forfeited=not verse.text
        )
        for verse in battle.verses
    ]
    drafts = [spectated.draft_of(seat) for seat in (0, 1)]
    return [*spoken, *(_draft_block(draft, battle) for draft in drafts if draft)]


def _draft_block(draft: Draft, battle: RapBattle) -> Block:
    bars = clean_lines(draft.text)
    if draft.text.endswith("\n") or not bars:
        bars.append("")  # the cursor waits on the next bar
    return Block(battle.round, draft.seat, tuple(bars), writing=True)


def sheet(spectated: Spectated, battle: RapBattle, widths: tuple[int, int]) -> list[list[Text]]:
    """The rows of both columns. Both have the same number, so that rounds stand side by side."""
    spoken = blocks(spectated, battle)
    letters = schemes([block.heard for block in spoken])
    painted = {
        (block.round, block.seat): _verse(block, scheme, widths[block.seat])
        for block, scheme in zip(spoken, letters, strict=True)
        if block.seat in (0, 1)
    }
    columns: list[list[Text]] = [[], []]
    last = battle.round if battle.phase != "over" else battle.rounds
    for number in range(1, min(last, battle.rounds) + 1):
        both = [painted.get((number, seat), []) for seat in (0, 1)]
        height = max(len(rows) for rows in both)
        for column, rows, width in zip(columns, both, widths, strict=True):
            if column:
                column.append(Text())
            column.append(_heading(number, width))
            column += [*rows, *[Text()] * (height - len(rows))]
    return columns


def _heading(number: int, width: int) -> Text:
    return line((fit(f"round {number}", width), theme.FAINT))


def _verse(block: Block, scheme: list[str], width: int) -> list[Text]:
    if block.forfeited:
        return [line(("no verse: the turn was forfeited", theme.DIM))]
    rows: list[Text] = []
    for at, bar in enumerate(block.bars):
        letter = scheme[at] if at < len(scheme) else ""
        unfinished = block.writing and at == len(block.bars) - 1
        rows += _bar(bar, letter, width, seat=block.seat if unfinished else None)
    return rows


def _bar(bar: str, letter: str, width: int, seat: int | None) -> list[Text]:
    """One bar, wrapped; with the cursor of `seat` behind it while that seat still writes it."""
    room = max(4, width - LETTER_ROOM)
    pieces = wrap(bar, room)
    if len(pieces) > 1:
        pieces = wrap(bar, room - len(INDENT))
    base = theme.BRIGHT if seat is not None else theme.PLAIN
    rows = [
        line(("" if at == 0 else INDENT, theme.PLAIN), (piece, base))
        for at, piece in enumerate(pieces)
    ]
    if seat is not None:
        rows[-1].append(CURSOR, theme.seat_style(seat))
    if letter:
        rows[-1] = _rhymed(rows[-1], letter, width)
    return rows


def _rhymed(row: Text, letter: str, width: int) -> Text:
    """The last word in the shade of its sound, and the sound's letter at the edge."""
    word = last_word(row.plain)
    style = theme.rhyme_style(letter)
    start = row.plain.rfind(word)
    marked = row.copy()
    if word:
        marked.stylize(style, start, start + len(word))
    return spread(marked, line((letter, theme.rhyme_letter(letter))), width)
