"""The family `sound`: how a work sounds when it is spoken. Rhymes, rhymes inside lines, even lines, cadence.

It hears nothing of what is said. Of the lines that ask for that it goes by the plainest reading of another family, at half
its weight.
"""

from __future__ import annotations

from judges.instruments import rhyming
from judges.instruments.rhyme import rhyme_factor_milli
from judges.instruments.words import words as spoken
from judges.led import words
from judges.led.checked import checked
from judges.led.judge import EVEN, Family
from judges.led.mark import Mark, Work, faint, grade, quote


def ends(work: Work) -> Mark:
    """How many of all lines end on a rhyme; a line that is said again has none."""
    lines = [line for line in work.text.split("\n") if spoken(line)]
    fresh = [
        each
        for piece in work.pieces
        for each in rhyming.end_rhymes(_lines(piece.text), work.vowels_of)
        if each
    ]
    pairs = list(dict.fromkeys(fresh))
    share = min(len(pairs), len(lines)) / len(lines) if lines else 0.0
    if not pairs:
        return Mark(grade(0, at=0.55, step=0.2), f"no line of {len(lines)} ends on a rhyme")
    first = " and ".join(quote(each) for each in pairs[0])
    return Mark(
        grade(share, at=0.55, step=0.2), f"{share:.0%} of the lines end on a rhyme, as {first}"
    )


def factor(work: Work) -> Mark:
    milli = rhyme_factor_milli(work.text, work.vowels_of)
    return Mark(grade(milli, at=550, step=200), f"rhyme factor {milli / 1_000:.2f}")


def inner(work: Work) -> Mark:
    milli = rhyming.internals_milli(work.text, work.vowels_of)
    best = max(
        work.fresh_lines(),
        key=lambda line: len(rhyming.internal_rhymes(line, work.vowels_of)),
        default="",
    )
    pairs = rhyming.internal_rhymes(best, work.vowels_of)
    heard = f", as {quote(pairs[0][0])} and {quote(pairs[0][1])}" if pairs else ""
    return Mark(grade(milli, at=450, step=300), f"{milli / 1_000:.1f} rhymes inside a line{heard}")


def even(work: Work) -> Mark:
    milli = rhyming.regularity_milli(work.text, work.vowels_of)
    return Mark(
        grade(milli, at=800, step=80), f"syllables from line to line: {milli / 10:.0f} % even"
    )


def cadence(work: Work) -> Mark:
    """How many lines, or sentences of prose, come down on a word that carries weight."""
    parts = [
        part
        for line in work.text.replace("? ", ".\n")
        .replace("! ", ".\n")
        .replace(". ", ".\n")
        .split("\n")
        for part in [spoken(line)]
        if part
    ]
    if not parts:
        return Mark(0.0, "nothing to speak")
    weak = [part for part in parts if part[-1] in rhyming.UNSTRESSED]
    share = 1 - len(weak) / len(parts)
    steadied = 1 - len(weak) / (len(parts) + 4)  # one of three sentences is chance
    says = f"{share:.0%} of the lines come down on a word with weight"
    if weak:
        says += f", not {quote(' '.join(weak[0][-3:]))}"
    return Mark(grade(steadied, at=0.86, step=0.06), says)


def rhymed(work: Work) -> Mark | None:
    """Of a poem that rhymes, how much of it does; a poem need not."""
    if " poem " not in work.case.task.partition(" about ")[0] + " ":
        return None
    found = ends(work)
    return found if found.grade > EVEN else Mark(EVEN, "a poem that does not rhyme")


def _lines(text: str | None) -> list[str]:
    return list(dict.fromkeys((text or "").split("\n")))


SOUND = Family(
    name="sound",
    version=1,
    about="rhymes at the end and inside of lines, even lines, cadence; nothing of what is said",
    tables={
        "rap-battle": {
            "flow": ((4, ends), (1, factor), (1, inner), (1, even)),
            "wordplay": ((2, inner), (1, factor), (2, cadence)),
            "comeback": ((1, faint(words.answers)),),
            "topic": ((1, faint(words.mention)),),
        },
        "writing": {
            "brief": ((1, checked),),
            "craft": ((1, cadence), (1, rhymed)),
            "freshness": ((1, faint(words.variety)),),
            "effect": ((1, cadence),),
        },
    },
)
