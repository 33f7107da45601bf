"""The family `words`: which words a work is made of and in what order. Variety, repetition, copying, novelty.

It counts and compares words as they are spelled; it neither hears them nor knows what they mean.
"""

from __future__ import annotations

from judges.instruments import copying
from judges.instruments.embedding import STOP
from judges.instruments.order import strays
from judges.instruments.originality import novelty_milli
from judges.instruments.variety import variety_milli
from judges.instruments.words import words
from judges.instruments.worn import worn_phrases
from judges.led.checked import checked
from judges.led.judge import Family
from judges.led.mark import Mark, Work, grade, quote

YOU = frozenset(("you", "you're", "your", "yours", "you've", "you'll", "you'd", "yourself"))
SPELLED = 2
"""Letters at the end of two lines that are the same: they may rhyme."""


def order(work: Work) -> Mark:
    found, count = strays(work.text)
    share = (len(found) + 0.2) / (count + 5)  # few words say little
    says = f"{len(found)} of {count} small words bind nothing"
    if found:
        says += f", as {quote(found[0])}"
    return Mark(grade(share, at=0.1, step=-0.03), says)


def variety(work: Work) -> Mark:
    milli = variety_milli(work.text)
    return Mark(
        grade(milli, at=800, step=40), f"{milli / 10:.0f} % of the words in a stretch are different"
    )


def repetition(work: Work) -> Mark:
    milli = copying.repeated_milli(work.case, work.seat)
    if not milli:
        return Mark(grade(0, at=40, step=-30), "says nothing twice")
    return Mark(grade(milli, at=40, step=-30), f"{milli / 10:.0f} % was said before by itself")


def copied(work: Work) -> Mark:
    milli = copying.borrowed_milli(work.case, work.seat)
    if not milli:
        return Mark(grade(0, at=60, step=-40), "takes no words out of the rival's mouth")
    return Mark(grade(milli, at=60, step=-40), f"{milli / 10:.0f} % is the rival's own words")


def fresh(work: Work) -> Mark:
    """Phrases that everybody has used, and the topic's own words said back."""
    worn = worn_phrases(work.text)
    new = novelty_milli(work.text, [work.case.task])
    if worn:
        return Mark(grade(len(worn), at=0.7, step=-0.5), f"a worn phrase: {quote(worn[0])}")
    return Mark(grade(new, at=920, step=50), f"{new / 10:.0f} % of its phrases are not in the task")


def spelled_ends(work: Work) -> Mark:
    """How many lines end in letters in which a line beside them ends, too; two words that are one do not."""
    lines = [words(line)[-1] for line in work.text.split("\n") if words(line)]
    fresh_lines = work.fresh_lines()
    ends = [words(line)[-1] for line in fresh_lines if words(line)]
    alike = [
        (word, other)
        for at, word in enumerate(ends)
        for other in [*ends[max(0, at - 2) : at], *ends[at + 1 : at + 3]]
        if word != other and word[-SPELLED:] == other[-SPELLED:]
    ]
    share = len({word for word, _ in alike}) / len(lines) if lines else 0.0
    says = f"{share:.0%} of the lines end in the same letters as one beside them"
    if alike:
        says += f": {quote(alike[0][0])}, {quote(alike[0][1])}"
    return Mark(grade(share, at=0.4, step=0.15), says)


def mention(work: Work) -> Mark:
    """Words of the topic, and words that the others have found on it, too."""
    own = _stems(work.text)
    topic = _stems(work.case.task)
    named = sorted(topic & own)
    others = [_stems(work.case.text(seat)) for seat in range(work.case.seats) if seat != work.seat]
    shared = max((len(own & each) / max(1, min(len(own), len(each))) for each in others), default=0)
    value = 0.6 * min(1.0, len(named) / max(1, min(2, len(topic)))) + 2.5 * min(0.2, shared)
    says = f"names {quote(named[0])} of the topic" if named else "none of the topic's words"
    return Mark(grade(value, at=0.42, step=0.16), f"{says}; {shared:.0%} of its words a rival has")


def answers(work: Work) -> Mark:
    """Words of the rival's last verse that come back, and how often the rival is spoken to."""
    heard: set[str] = set()
    spoken = taken = you = 0
    example = ""
    for piece in work.case.pieces:
        if piece.seat != work.seat:
            heard = _stems(piece.text or "")
            continue
        own = words(piece.text or "")
        spoken += len(own)
        you += sum(word in YOU for word in own)
        back = sorted(_stems(piece.text or "") & heard)
        taken += len(back)
        example = example or (back[0] if back else "")
    to_rival = you / spoken if spoken else 0.0
    value = 10 * to_rival + 0.25 * min(taken, 8)
    says = f"speaks to the rival with {to_rival:.0%} of its words"
    if example:
        says += f" and takes up {quote(example)}"
    return Mark(grade(value, at=1.2, step=0.4), says)


def _stems(text: str) -> set[str]:
    return {_stem(word) for word in words(text) if word not in STOP and len(word) > 2}


def _stem(word: str) -> str:
    bare = word.strip("'").removesuffix("'s")
    for ending in ("ing", "ers", "er", "ed", "es", "s", "y", "e"):
        if bare.endswith(ending) and len(bare) - len(ending) >= 3:
            return bare.removesuffix(ending)
    return bare


WORDS = Family(
    name="words",
    version=1,
    about="variety, repetition, copying, worn phrases and word order; as spelled, not as meant",
    tables={
        "rap-battle": {
            "flow": ((3, spelled_ends), (1, order)),
            "wordplay": ((2, order), (1, variety), (1, repetition), (1, fresh)),
            "comeback": ((2, answers), (1, copied), (1, order)),
            "topic": ((3, mention), (1, repetition)),
        },
        "writing": {
            "brief": ((2, checked), (1, mention)),
            "craft": ((3, order), (1, variety), (1, repetition)),
            "freshness": ((1, variety), (1, fresh), (1, repetition)),
            "effect": ((2, order), (1, repetition)),
        },
    },
)
