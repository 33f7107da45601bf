"""A little Llama as llama.cpp reads it, in 32 bits, so that nothing but arithmetic is between the two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.adapters import gguf as adapters
from training.adapters import shapes
from training.adapters.shapes import GGUF_NAMES
from training.model import base as bases
from training.model import gguf_header

_NORMS = {"input_layernorm": "attn_norm", "post_attention_layernorm": "ffn_norm"}


def write(model: Any, folder: Path, out: Path) -> Path:
    """`model`: a LlamaForCausalLM with tied embeddings and the vocabulary of the model that travels with us."""
    import gguf

    dimensions = shapes.of_checkpoint(folder)
    header = gguf_header.read(bases.gguf())
    writer = gguf.GGUFWriter(str(out), "llama")
    writer.add_context_length(2_048)
    writer.add_block_count(dimensions.layers)
    writer.add_embedding_length(dimensions.hidden)
    writer.add_feed_forward_length(dimensions.intermediate)
    writer.add_head_count(dimensions.heads)
    writer.add_head_count_kv(dimensions.kv_heads)
    writer.add_layer_norm_rms_eps(model.config.rms_norm_eps)
    writer.add_rope_dimension_count(dimensions.head)
    writer.add_rope_freq_base(model.config.rope_parameters["rope_theta"])
    writer.add_vocab_size(model.config.vocab_size)
    writer.add_file_type(0)
    writer.add_tokenizer_model(header["tokenizer.ggml.model"])
    writer.add_tokenizer_pre(header["tokenizer.ggml.pre"])
    writer.add_token_list(header["tokenizer.ggml.tokens"])
    writer.add_token_merges(header["tokenizer.ggml.merges"])
    writer.add_token_types(header["tokenizer.ggml.token_type"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_add_bos_token(False)
    writer.add_chat_template(header["tokenizer.chat_template"])
    for name, tensor in model.state_dict().items():
        if (known := _name(name)) is not None:
            array = tensor.float().numpy()
            if known.endswith(("attn_q.weight", "attn_k.weight")):
                heads = dimensions.heads if "attn_q" in known else dimensions.kv_heads
                array = adapters.permuted(array, heads)
            writer.add_tensor(known, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return out


def _name(tensor: str) -> str | None:
    match tensor.split("."):
        case ["model", "embed_tokens", "weight"]:
            return "token_embd.weight"
        case ["model", "norm", "weight"]:
            return "output_norm.weight"
        case ["model", "layers", layer, "self_attn" | "mlp", module, "weight"]:
            return f"blk.{layer}.{GGUF_NAMES[module]}.weight"
        case ["model", "layers", layer, norm, "weight"]:
            return f"blk.{layer}.{_NORMS[norm]}.weight"
    return None  # the head is the embedding's
