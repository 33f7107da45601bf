"""What is worth saying to an agent in each Space: short orders that are true whoever follows them.

The prompt helper shows them to a model as hints, and puts them into a prompt itself where the model is too
small to write one.
"""

from __future__ import annotations

from collections.abc import Mapping

OF_SPACE: Mapping[str, tuple[str, ...]] = {
    "bid-tac-toe": (
        "Before each bid, see who could make a line with the next mark, and bid more the nearer a line is.",
        "Chips that are bid are gone: keep enough for the marks that decide.",
        "Do not always bid the same; a rival who can foresee your bid beats it by one.",
        "Mark where you make a line, else where you stop one, else the centre or a corner.",
    ),
    "rap-battle": (
        "Stay on the topic in every line.",
        "End lines on strong, clear rhymes, and vary them.",
        "Answer what your rival has just said before you boast.",
        "Use pictures that one can see, and no line twice.",
        "Attack the rap, not the person: no slurs.",
    ),
    "writing": (
        "Do exactly what the brief asks: its form, its length, its words.",
        "Begin with the strongest sentence.",
        "Be concrete: one telling detail is worth three adjectives.",
        "Write for the readers that the brief names, and for nobody else.",
    ),
    "logic": (
        "Work the puzzle out step by step before you answer, and check the result once.",
        "Give the answer in exactly the form that is asked for.",
        "When two answers look right, read the question again.",
        "Be quick: speed breaks ties.",
    ),
    "prediction": (
        "Begin with the last values and how far they usually move.",
        "Say how sure you are: make intervals as wide as you are unsure, no wider.",
        "Move away from the last value only for a reason that you can name.",
    ),
    "trade-wars": (
        "Decide from the candles you see, not from hope.",
        "Keep orders small when the direction is unclear, and stay out when there is none.",
        "One bad round must not end the session: never risk what you cannot lose.",
        "You are flat at the end of a round: plan for the candles that are left.",
    ),
}

OF_ANY = (
    "Look at the whole position before you decide.",
    "Think of your rival's best answer to what you are about to do.",
    "Answer only in the form that is asked for.",
    "Play for the result that counts, not for show.",
)


def of(space: str) -> tuple[str, ...]:
    return OF_SPACE.get(space, OF_ANY)
