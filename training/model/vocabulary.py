"""A GGUF's vocabulary as a Hugging Face tokenizer that cuts text as llama.cpp does.

transformers converts GGUF vocabularies, too, but forgets that SmolLM2 cuts digits off before anything else
(`tokenizer.ggml.pre = smollm`): two line ends before a figure became two tokens where the server reads one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

SPECIAL = 3
"""The type of a token that text cannot spell, in `tokenizer.ggml.token_type`."""


def save(header: dict[str, Any], folder: Path) -> None:
    """Write the tokenizer of a GGUF's header into a folder; raises `ValueError` for vocabularies we do not know."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    kind = (header.get("tokenizer.ggml.model"), header.get("tokenizer.ggml.pre"))
    if kind != ("gpt2", "smollm"):
        raise ValueError(f"the vocabulary is of the kind {kind}; only ('gpt2', 'smollm') is known")
    words: list[str] = header["tokenizer.ggml.tokens"]
    merges = [tuple(each.split(" ", 1)) for each in header["tokenizer.ggml.merges"]]
    fast = Tokenizer(
        models.BPE(vocab={word: i for i, word in enumerate(words)}, merges=merges, dropout=None)
    )
    fast.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(False)]
    )
    fast.decoder = decoders.ByteLevel()
    special = [
        word
        for word, of in zip(words, header["tokenizer.ggml.token_type"], strict=True)
        if of == SPECIAL
    ]
    fast.add_special_tokens([AddedToken(word, special=True, normalized=False) for word in special])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=fast,
        bos_token=words[header["tokenizer.ggml.bos_token_id"]],
        eos_token=words[header["tokenizer.ggml.eos_token_id"]],
        unk_token=words[header["tokenizer.ggml.unknown_token_id"]],
        pad_token=words[header["tokenizer.ggml.padding_token_id"]],
        clean_up_tokenization_spaces=False,
        model_max_length=header["llama.context_length"],
    )
    tokenizer.chat_template = header["tokenizer.chat_template"]
    tokenizer.save_pretrained(folder)
