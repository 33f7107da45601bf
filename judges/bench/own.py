"""What the judging model itself writes on the briefs of the bench: whether it likes that better than others do."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from judges.bench.material import Battle, Text
from judges.chat import Chat
from judges.faults import JudgeFault
from judges.prompt import Message
from spaces.plain_text import plain_lines
from spaces.writing.brief import form_of

MAX_TOKENS = 200
TIMEOUT_S = 120.0
_SCHEMA = {
    "type": "object",
    "properties": {"text": {"type": "string", "minLength": 20, "maxLength": 600}},
    "required": ["text"],
    "additionalProperties": False,
}


class _Written(msgspec.Struct):
    text: str


async def write_own(
    chat: Chat, fights: Sequence[Battle], written: Sequence[Text]
) -> dict[str, str]:
    """By topic and subject, what the model wrote; without those that it could not write."""
    asked = {
        fight.topic: f"Write a rap verse of four lines about {fight.topic}." for fight in fights
    }
    asked |= {
        text.subject: f"Write {form_of(text.form).noun} about {text.subject}. "
        + " ".join(f"The text {each.says}." for each in text.constraints)
        for text in written
    }
    found: dict[str, str] = {}
    for about, brief in asked.items():
        talk = (Message("user", f'{brief} Answer with JSON only: {{"text": "..."}}'),)
        try:
            answer = await chat.ask(talk, _SCHEMA, max_tokens=MAX_TOKENS, timeout_s=TIMEOUT_S)
            text = msgspec.json.decode(answer.text, type=_Written).text
        except (JudgeFault, msgspec.DecodeError):
            continue
        if lines := plain_lines(text):
            found[about] = "\n".join(lines)
    return found
