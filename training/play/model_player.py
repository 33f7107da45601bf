"""A language model as a player: questions of many matches at once become a few batches."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from training.chat import SYSTEM, Message, Tokenizer, completion_ids, prompt_ids
from training.play.ask import Ask, Said
from training.play.generate import BATCH_TOKENS, Request, generate
from training.play.trie import Node, allowed, trie

MAX_TOKENS = 48
"""Of a free answer. Of one that is cut off whole lines count, as with hosted agents."""
TEMPERATURE = 0.8
"""As a hosted agent's (`bots.brains.llm`)."""


class ModelPlayer:
    """Plays with a model, or with one adapter of it; players may share the model.

    Constrained, it answers among the legal answers where they can be counted up (bids, marks), as a hosted agent
    does by its server's grammar; elsewhere, and unconstrained, it answers freely.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Tokenizer,
        *,
        adapter: str | None = None,
        system: str = SYSTEM,
        constrained: bool = True,
        temperature: float = TEMPERATURE,
        max_tokens: int = MAX_TOKENS,
        seed: int = 0,
        batch_tokens: int = BATCH_TOKENS,
    ) -> None:
        """`adapter` is its name in a PEFT model; None is the base without any. Two players that differ in `seed`
        draw other answers to the same questions."""
        self.system = system
        self._model, self._tokenizer, self._adapter = model, tokenizer, adapter
        self._constrained, self._temperature = constrained, temperature
        self._max_tokens, self._seed, self._batch_tokens = max_tokens, seed, batch_tokens
        self._prompt = functools.lru_cache(maxsize=4_096)(self._prompt_ids)
        self._tree = functools.lru_cache(maxsize=1_024)(self._trie)

    def answers(self, asks: Sequence[Ask]) -> list[Said]:
        """Raises nothing for what the model says: an answer may be no answer."""
        requests = [self._request(each) for each in asks]
        with using(self._model, self._adapter) as model:
            drawn = generate(
                model,
                requests,
                end=self._tokenizer.eos_token_id,
                temperature=self._temperature,
                max_tokens=self._max_tokens,
                batch_tokens=self._batch_tokens,
            )
        return [
            Said(
                text=self._tokenizer.decode(each.ids, skip_special_tokens=True),
                whole=each.whole,
                prompt=request.prompt,
                completion=each.ids,
                logprobs=each.logprobs,
                allowed=() if request.tree is None else tuple(allowed(request.tree, each.ids)),
            )
            for request, each in zip(requests, drawn, strict=True)
        ]

    def _request(self, ask: Ask) -> Request:
        tree = None
        if self._constrained and ask.legal is not None:
            tree = self._tree(ask.legal)
        return Request(self._prompt(ask.messages), ask.seed(f"model/{self._seed}"), tree)

    def _prompt_ids(self, messages: tuple[Message, ...]) -> tuple[int, ...]:
        return prompt_ids(messages, self._tokenizer)

    def _trie(self, legal: tuple[str, ...]) -> Node:
        return trie(completion_ids(text, self._tokenizer) for text in legal)


@contextmanager
def using(model: Any, adapter: str | None) -> Iterator[Any]:
    """The model with this adapter switched on, or with none; for reading alone. Afterwards it is as it was, down to
    what may be trained."""
    was_training = model.training
    model.eval()
    try:
        if not hasattr(model, "peft_config"):
            if adapter is not None:
                raise ValueError(f"the model has no adapters; {adapter!r} was asked for")
            yield model
            return
        trained = [each for each in model.parameters() if each.requires_grad]
        before = model.active_adapter
        try:
            if adapter is None:
                with model.disable_adapter():
                    yield model
            else:
                if adapter != before:
                    model.set_adapter(adapter, inference_mode=True)
                yield model
        finally:
            if adapter is not None and adapter != before:
                model.set_adapter(before)
            model.requires_grad_(False)
            for each in trained:
                each.requires_grad_(True)
    finally:
        model.train(was_training)
