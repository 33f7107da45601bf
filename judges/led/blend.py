"""The family `blend`: a little of everything that the others go by."""

from __future__ import annotations

from judges.led import sound, topic, words
from judges.led.checked import checked
from judges.led.judge import Family

BLEND = Family(
    name="blend",
    version=1,
    about="sound, words and topic together",
    embeds=True,
    tables={
        "rap-battle": {
            "flow": ((4, sound.ends), (1, sound.inner), (1, sound.even), (1, words.order)),
            "wordplay": ((2, words.order), (1, words.variety), (1, sound.inner), (1, words.fresh)),
            "comeback": ((1, words.answers), (2, topic.takes_up), (1, words.copied)),
            "topic": ((2, topic.close), (1, words.mention)),
        },
        "writing": {
            "brief": ((2, checked), (1, topic.close), (1, words.mention)),
            "craft": (
                (2, words.order),
                (1, sound.cadence),
                (1, sound.rhymed),
                (1, words.repetition),
            ),
            "freshness": ((1, words.variety), (1, words.fresh), (1, topic.keeps_thread)),
            "effect": ((1, words.order), (1, topic.close), (1, sound.cadence)),
        },
    },
)
