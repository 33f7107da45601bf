"""Phrases that everybody has used: of rap, of adverts, of machines that write. Pure. A list of our own."""

from __future__ import annotations

import re

_PHRASES = (
    "at the end of the day", "think outside the box", "game changer", "next level", "second to none", "look no further", "one stop shop", "state of the art", "cutting edge",
    "in today's world", "in today's fast paced world", "a testament to", "tapestry of", "rich tapestry", "dive into", "delve into", "in conclusion", "it is important to note",
    "unlock your potential", "unleash the", "embark on a journey", "elevate your", "whether you're", "don't miss out", "act now", "like never before", "once upon a time",
    "little did", "time stood still", "dark and stormy", "heart skipped a beat", "the rest is history", "last but not least", "each and every", "needless to say", "top notch",
    "spit fire", "spitting fire", "drop the mic", "i'm the best", "i'm the greatest", "you can't compete", "bow down", "king of the mic", "step to me", "i run this town", "straight fire",
    "mic in my hand", "i got the flow", "my rhymes are sick", "number one", "to the top", "in the house", "make some noise", "hands in the air", "all day every day", "born to win",
    "a symphony of", "dance of", "whispers of", "echoes of", "in the heart of", "kaleidoscope", "ever evolving", "seamless", "world class", "best in class",
)  # fmt: skip
_WORN = re.compile(r"\b(?:" + "|".join(map(re.escape, _PHRASES)) + r")\b")


def worn_phrases(text: str) -> list[str]:
    """As they stand, lower case, in order."""
    plain = " ".join(text.replace("\u2019", "'").replace("-", " ").lower().split())
    return _WORN.findall(plain)
