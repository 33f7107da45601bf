"""Batched generation on one model: what is read more than once is read once, and what can only be said in one way is
not asked.

A batch's questions are left-padded. The beginning that all of them share is read once, in a batch of one; questions
that are equal are read once, too, and only their answers are drawn apart. Where the legal answers are a tree of token
ids (`trie`), a draw is among the tokens that the tree allows, renormalised, as a server does it under a grammar; the
parts of an answer that are forced are read along with the question or not at all: a mark of Bid Tac Toe takes one
pass of the model, a bid at most three.

Chance comes from each request's own seed, and rows do not touch each other but for rounding: in bf16 another
batch may round another way, so equal runs need equal batches.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from random import Random
from typing import Any

import msgspec
import torch

from training.play.trie import Node, forced

BATCH_TOKENS = 8_192
"""Read at once, padding included; about 200 MB of keys and values for 135M parameters."""
SHARED_LEAST = 8
"""Tokens; a shorter beginning is not worth a pass of its own."""
FAMILY = 24
"""Questions are batched with those that begin with the same so many tokens."""


class Request(msgspec.Struct, frozen=True):
    prompt: tuple[int, ...]
    seed: int
    tree: Node | None = None
    """None: any answer."""


class Drawn(msgspec.Struct, frozen=True):
    ids: tuple[int, ...]
    """With the end token, if `whole`."""
    logprobs: tuple[float, ...]
    """Of each id under what it was drawn from; 0 where nothing else was allowed."""
    whole: bool


class _Writing:
    """An answer in progress."""

    def __init__(self, request: Request) -> None:
        self.rng = Random(request.seed)  # noqa: S311 # play, not secrets
        self.node = request.tree
        self.ids: list[int] = []
        self.logprobs: list[float] = []
        self.over = False
        self._unread = list(request.prompt)
        self._follow()

    def take(self, token: int, logprob: float, end: int, most: int) -> None:
        self._add(token, logprob)
        if self.node is None:
            self.over = token == end or len(self.ids) >= most
            return
        self.node = self.node[token]
        self._follow()

    def _add(self, token: int, logprob: float) -> None:
        self.ids.append(token)
        self.logprobs.append(logprob)
        self._unread.append(token)

    def _follow(self) -> None:
        """Say what can only be said."""
        if self.node is None:
            return
        path, self.node = forced(self.node)
        for token in path:
            self._add(token, 0.0)
        self.over = not self.node

    def unread(self) -> tuple[int, ...]:
        """The tokens that the model has not read yet; it is taken to read them now."""
        ids, self._unread = tuple(self._unread), []
        return ids


class _Rows:
    """What the model has read: keys and values of a batch, its mask (R, T), and how long each row is (R,)."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache: Any = None
        self._mask = torch.zeros((1, 0), dtype=torch.long, device=model.device)

    def read(self, rows: Sequence[Sequence[int]]) -> torch.Tensor:
        """Read more of each row, by different lengths; returns the logits (R, V) after the last token, in float32."""
        width = max(map(len, rows))
        ids = torch.tensor([[0] * (width - len(row)) + list(row) for row in rows])
        new = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        ids, new = ids.to(self._mask.device), new.to(self._mask.device)
        before = self._mask.sum(1, keepdim=True)
        self._mask = torch.cat([self._mask, new], 1)
        out = self._model(
            input_ids=ids,
            attention_mask=self._mask,
            position_ids=(before + new.cumsum(1) - 1).clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        self._cache = out.past_key_values
        logits: torch.Tensor = out.logits[:, -1].float()
        return logits

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows alone; a row may be taken more than once."""
        if list(rows) == list(range(len(self._mask))):
            return
        index = torch.tensor(list(rows), device=self._mask.device)
        self._mask = self._mask[index]
        if self._cache is not None:
            self._cache.batch_select_indices(index)


def generate(
    model: Any,
    requests: Sequence[Request],
    *,
    end: int,
    temperature: float,
    max_tokens: int,
    batch_tokens: int = BATCH_TOKENS,
) -> list[Drawn]:
    """Draw an answer for each request. `temperature` 0 takes the likeliest token; its log-probabilities are those
    of temperature 1. `max_tokens` bounds free answers alone; `end` is the token that ends one."""
    writings = [_Writing(each) for each in requests]
    same: dict[tuple[int, ...], list[_Writing]] = {}
    for writing in writings:
        if not writing.over:
            same.setdefault(writing.unread(), []).append(writing)
    half = torch.autocast(model.device.type, torch.bfloat16, enabled=model.dtype == torch.bfloat16)
    with torch.no_grad(), half:  # an adapter's float32 weights would be slow beside bf16 ones
        for part in batches(list(same), batch_tokens):
            rows = _Rows(model)
            shared = _shared(part)
            if shared >= SHARED_LEAST:
                rows.read([part[0][:shared]])
            else:
                shared = 0
            rows.keep([0] * len(part))
            logits = rows.read([ids[shared:] for ids in part])
            _write(rows, logits, [same[ids] for ids in part], end, temperature, max_tokens)
    return [Drawn(tuple(each.ids), tuple(each.logprobs), _whole(each, end)) for each in writings]


def _whole(writing: _Writing, end: int) -> bool:
    return writing.node is not None or writing.ids[-1:] == [end]


def batches(questions: Sequence[tuple[int, ...]], most: int) -> list[list[tuple[int, ...]]]:
    """Questions that begin alike and are about as long, at most `most` tokens together with their padding."""
    parts: list[list[tuple[int, ...]]] = []
    for ids in sorted(questions, key=lambda ids: (ids[:FAMILY], len(ids))):
        last = parts[-1] if parts else None
        if last is None or last[0][:FAMILY] != ids[:FAMILY] or (len(last) + 1) * len(ids) > most:
            parts.append([ids])
        else:
            last.append(ids)
    return parts


def _shared(part: Sequence[tuple[int, ...]]) -> int:
    """How many tokens all begin with, less one, so that there is something left to read."""
    if len(part) == 1:
        return 0
    low, high = min(part), max(part)
    most = min(map(len, part)) - 1
    return next((at for at in range(most) if low[at] != high[at]), most)


def _write(
    rows: _Rows,
    logits: torch.Tensor,
    groups: Sequence[Sequence[_Writing]],
    end: int,
    temperature: float,
    most: int,
) -> None:
    """Draw until all of a batch is written; who is done leaves the batch. Row i of `logits` is of all of groups[i]."""
    live = [writing for group in groups for writing in group]
    places = [place for place, group in enumerate(groups) for _ in group]
    while live:
        for writing, (token, logprob) in zip(
            live, _drawn(logits, places, live, temperature), strict=True
        ):
            writing.take(token, logprob, end, most)
        going = [at for at, writing in enumerate(live) if not writing.over]
        if not going:
            return
        rows.keep([places[at] for at in going])
        live = [live[at] for at in going]
        logits = rows.read([writing.unread() for writing in live])
        places = list(range(len(live)))


def _drawn(
    logits: torch.Tensor, places: Sequence[int], live: Sequence[_Writing], temperature: float
) -> list[tuple[int, float]]:
    """A token and its log-probability for each answer; answer i reads row places[i]."""
    tempered = logits / (temperature or 1.0)
    free = [at for at, writing in enumerate(live) if writing.node is None]
    found: dict[int, tuple[int, float]] = {}
    if free:
        known = tempered.log_softmax(-1).double()
        index = torch.tensor([places[at] for at in free], device=logits.device)
        rising = known.exp().cumsum(-1)[index] if temperature else None
        for row, at in enumerate(free):
            place = places[at]
            if rising is None:
                token = int(known[place].argmax())
            else:
                mark = live[at].rng.random() * float(rising[row, -1])
                token = int(torch.searchsorted(rising[row], mark, right=True))
                token = min(token, logits.shape[-1] - 1)
            found[at] = token, float(known[place, token])
    for at, writing in enumerate(live):
        if writing.node is not None:
            options = sorted(writing.node)
            row = tempered[places[at], torch.tensor(options, device=logits.device)]
            found[at] = _among(options, row.double().log_softmax(-1).tolist(), writing, temperature)
    return [found[at] for at in range(len(live))]


def _among(
    options: Sequence[int], logprobs: Sequence[float], writing: _Writing, temperature: float
) -> tuple[int, float]:
    """Draw among the tokens that the tree allows."""
    if not temperature:
        best = max(range(len(options)), key=lambda at: logprobs[at])
        return options[best], logprobs[best]
    mark, risen = writing.rng.random(), 0.0
    for token, logprob in zip(options, logprobs, strict=True):
        risen += math.exp(logprob)
        if mark < risen:
            return token, logprob
    return options[-1], logprobs[-1]
