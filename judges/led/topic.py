"""The family `topic`: what a work is about. Whether it keeps to its topic, and takes up what the rival has said.

It goes by vectors of words. Of lines that ask for anything else it goes by the plainest reading of another family, at half
its weight.
"""

from __future__ import annotations

import functools
import math
import statistics

from judges.instruments.embedding import STOP, Vector, Vectors, cosine
from judges.instruments.words import words
from judges.led import words as by_words
from judges.led.checked import checked
from judges.led.judge import Family
from judges.led.mark import Mark, Work, faint, grade, quote
from spaces.rap_battle.topics import TOPICS
from spaces.writing.subjects import SUBJECTS

NEAREST = 5
"""Words that are nearest to the topic, of which the closeness of the best is taken."""


def close(work: Work) -> Mark:
    """How much closer the work is to its topic than to all other topics, in their standard deviations, together
    with its nearest words."""
    vectors = _vectors(work)
    subject = _subject(work)
    apart = _apart(vectors, work.text, subject)
    near = _nearest(vectors, work.text, subject)
    best = statistics.fmean([value for value, _ in near]) if near else 0.0
    says = f"{apart:+.1f} deviations closer to the topic than to others"
    if near:
        says += f"; nearest: {quote(', '.join(word for _, word in near[:2]))}"
    return Mark(grade(apart + 4 * (best - 0.2), at=0.9, step=0.6), says)


def steady(work: Work) -> Mark:
    """The same of its farthest piece or sentence third: nobody wanders off."""
    vectors = _vectors(work)
    subject = _subject(work)
    parts = [piece.text for piece in work.pieces if piece.text]
    if len(parts) < 2:
        return close(work)
    values = [_apart(vectors, part, subject) for part in parts]
    worst = min(range(len(parts)), key=values.__getitem__)
    says = f"farthest from the topic: {quote(parts[worst])} ({values[worst]:+.1f})"
    return Mark(grade(statistics.fmean(values), at=0.7, step=0.5), says)


def takes_up(work: Work) -> Mark:
    """How close each verse is to the rival's last one."""
    vectors = _vectors(work)
    heard: Vector | None = None
    values: list[float] = []
    for piece in work.case.pieces:
        vector = vectors.of(piece.text or "")
        if piece.seat != work.seat:
            heard = vector
        elif heard is not None:
            values.append(cosine(vector, heard))
    value = statistics.fmean(values) if values else 0.0
    return Mark(
        grade(value, at=0.22, step=0.08), f"{value:.2f} close to what the rival had just said"
    )


def keeps_thread(work: Work) -> Mark:
    """How close the sentences of a text are to the whole of it."""
    vectors = _vectors(work)
    whole = vectors.of(work.text)
    parts = [part for part in work.text.replace("\n", ". ").split(". ") if words(part)]
    values = [cosine(vectors.of(part), whole) for part in parts]
    value = statistics.fmean(values) if values else 0.0
    # One sentence is its own thread, and so is one that is said again and again.
    value -= 0.5 * (1 - len({part.strip() for part in parts}) / len(parts)) if parts else 0.0
    return Mark(
        grade(value, at=0.5, step=0.12), f"its sentences are {value:.2f} close to its whole"
    )


def _apart(vectors: Vectors, text: str, subject: str) -> float:
    own = vectors.of(text)
    others = [cosine(own, other) for topic, other in _background(vectors) if topic not in subject]
    spread = statistics.pstdev(others)
    return (
        (cosine(own, vectors.of(subject)) - statistics.fmean(others)) / spread if spread else -1.0
    )


def _nearest(vectors: Vectors, text: str, subject: str) -> list[tuple[float, str]]:
    topic = vectors.of(subject)
    content = {word for word in words(text) if word not in STOP}
    found = sorted(((cosine(topic, vectors.word(word)), word) for word in content), reverse=True)
    return [(value, word) for value, word in found[:NEAREST] if not math.isnan(value)]


def _subject(work: Work) -> str:
    """A battle's topic, or what a brief is about: its first sentence behind `about`."""
    if work.case.space != "writing":
        return work.case.task
    head = work.case.task.partition(". The text")[0]
    return head.partition(" about ")[2] or head


@functools.lru_cache(maxsize=4)
def _background(vectors: Vectors) -> tuple[tuple[str, Vector], ...]:
    return tuple((topic, vectors.of(topic)) for topic in (*TOPICS, *SUBJECTS))


def _vectors(work: Work) -> Vectors:
    assert work.vectors is not None, "a family that embeds has vectors"
    return work.vectors


TOPIC = Family(
    name="topic",
    version=1,
    about="closeness to the topic and to the rival's last verse, by vectors of words; not how it is said",
    embeds=True,
    tables={
        "rap-battle": {
            "flow": ((1, faint(by_words.spelled_ends)),),
            "wordplay": ((1, faint(by_words.order)),),
            "comeback": ((2, takes_up), (1, close)),
            "topic": ((2, close), (1, steady)),
        },
        "writing": {
            "brief": ((2, close), (1, checked)),
            "craft": ((1, keeps_thread), (1, faint(by_words.order))),
            "freshness": ((1, faint(by_words.fresh)),),
            "effect": ((1, close),),
        },
    },
)
