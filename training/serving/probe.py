"""Proves that a server uses an adapter, before anybody plays with it: through the very server that will serve.

The trainer records what base and adapter answer to fixed prompts (`record`); the probe asks the server the same
with the adapter and without it, and compares (`fingerprint`).
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from chain.content import unixfs
from chain.documents import form
from training.chat import Message, prompt_ids
from training.documents.adapter import Base
from training.documents.fingerprint import VERSION, Answer, Fingerprint
from training.serving import fingerprint
from training.serving.backend import FINGERPRINT, WEIGHTS, Backend, BackendError, Target
from training.serving.fingerprint import Fit, Misfit

MAX_BYTES = 256 * 1024
TOP = 20
"""Tokens that a server is asked for; more is refused by vLLM as it comes."""
KEPT = 64
"""Tokens that are recorded, so that a server's twenty are mostly among them."""
TIMEOUT_S = 60.0
TRIES = 2

_SYSTEM = "You are a sharp and playful contestant."
_ASKED = (
    "Say one word.",
    "You have 100 chips and so does your rival. How many do you bid for the first cell?",
    'Answer with JSON alone, like {"bid": 17}. You have 61 chips, your rival has 40.',
    'Answer with JSON alone, like {"cell": 4}. The board is empty and it is your mark.',
    "Write one line of a rap about the sea.",
    "Write a short advertisement for a lamp.",
    "What comes next: 2, 4, 8, 16?",
    "Will it rain tomorrow? Answer with a probability.",
)
PROMPTS = tuple((Message("system", _SYSTEM), Message("user", each)) for each in _ASKED)
"""Public, and of every kind of Space: an owner's own prompt never stands in a fingerprint."""


async def prove(backend: Backend, alias: str, folder: Path) -> Fit:
    """Ask the backend as `alias` and as the base. Raises Misfit where the adapter is not to go live, BackendError
    where nothing can be found out."""
    recorded = read(folder)
    if recorded.base != backend.base.sha256:
        raise Misfit(
            f"it was recorded on the base {recorded.base[:12]}…, served is {backend.base.sha256[:12]}…"
        )
    served = []
    async with httpx.AsyncClient(timeout=httpx.Timeout(TIMEOUT_S), trust_env=False) as http:
        for answer in recorded.answers:
            # By turns, so that what a server keeps of one request would show in the next.
            async with backend.asking(alias) as target:
                adapter = await _first(http, target, answer.messages)
            async with backend.asking(alias, bare=True) as target:
                base = await _first(http, target, answer.messages)
            served.append((base, adapter))
    return fingerprint.compare(recorded, served)


def read(folder: Path) -> Fingerprint:
    """The fingerprint beside an adapter. Raises Misfit where there is none, or one of another adapter."""
    try:
        document = (folder / FINGERPRINT).read_bytes()
        found = form.read(document, Fingerprint, version=VERSION, max_bytes=MAX_BYTES)
    except (OSError, form.DocumentError) as error:
        raise Misfit(f"no fingerprint to prove it by: {error}") from None
    if found.weights != str(unixfs.cid_of((folder / WEIGHTS).read_bytes())):
        raise Misfit("its fingerprint is of other weights")
    return found


def record(
    model: Any,
    tokenizer: Any,
    folder: Path,
    base: Base,
    prompts: Sequence[Sequence[Message]] = PROMPTS,
) -> Fingerprint:
    """Write the fingerprint of the adapter in a folder, which `model`, a PeftModel in 32 or 16 bits, has on. Takes a second or two.

    `base` as in the adapter's card. `prompts` are public, as the fingerprint is.

    Not to be made on four-bit weights: what is served is not those.
    """
    import torch

    answers = []
    model.eval()
    for messages in prompts:
        ids = torch.tensor([prompt_ids(messages, tokenizer)], device=model.device)
        with torch.inference_mode():
            adapter = model(ids, logits_to_keep=1).logits[0, -1]
            with model.disable_adapter():
                plain = model(ids, logits_to_keep=1).logits[0, -1]
        # One set of tokens for both lists: those that the answer may begin with, with the adapter or without.
        likely = sorted({*plain.topk(KEPT).indices.tolist(), *adapter.topk(KEPT).indices.tolist()})
        logs = [_logs(each, likely, tokenizer) for each in (plain, adapter)]
        answers.append(Answer(messages=list(messages), base=logs[0], adapter=logs[1]))
    weights = str(unixfs.cid_of((folder / WEIGHTS).read_bytes()))
    made = Fingerprint(base=base.sha256, weights=weights, answers=answers)
    (folder / FINGERPRINT).write_bytes(form.encode(made))
    return made


def _logs(logits: Any, likely: Sequence[int], tokenizer: Any) -> dict[str, int]:
    """Micro-nats by text; of two tokens with one text, neither."""
    logs = logits.float().log_softmax(-1)
    texts = [tokenizer.decode([token]) for token in likely]
    return {
        text: min(0, round(float(logs[token]) * 1e6))
        for token, text in zip(likely, texts, strict=True)
        if text and len(text) <= 256 and texts.count(text) == 1
    }


async def _first(
    http: httpx.AsyncClient, target: Target, messages: Sequence[Message]
) -> dict[str, float]:
    """The likeliest first tokens of an answer, by text, with their log-probabilities. Raises BackendError."""
    body = {
        "messages": msgspec.to_builtins(list(messages)),
        "max_tokens": 1,
        "temperature": 0,
        "logprobs": True,
        "top_logprobs": TOP,
        **target.fields,
    }
    for number in range(TRIES):
        try:
            answer = await http.post(
                f"{target.url}/chat/completions", json=body, headers=target.headers
            )
            answer.raise_for_status()
            return _read(answer.json())
        except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError) as error:
            failure = error
            await asyncio.sleep(0.5 * (number + 1 < TRIES))
    raise BackendError(f"{target.url} tells no log-probabilities: {failure!r:.200}")


def _read(told: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in told["choices"][0]["logprobs"]["content"][0]["top_logprobs"]:
        # A token may be a part of a character: its bytes, read as the tokenizer reads them, are its text.
        raw = each.get("bytes")
        text = bytes(raw).decode("utf-8", "replace") if raw else each["token"]
        if text and math.isfinite(each["logprob"]):
            found[text] = float(each["logprob"])
    return found
