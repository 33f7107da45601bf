"""Weights are made once, whole or not at all, with the server's own vocabulary."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from training.model import base as bases
from training.model import gguf_header


def test_an_unknown_model_is_said_with_those_there_are() -> None:
    with pytest.raises(bases.MissingModel, match="there is: SmolLM2-135M-Instruct"):
        bases.find("gpt-9")


def test_weights_that_failed_leave_nothing(tmp_path: Path) -> None:
    def breaks(making: Path) -> None:
        (making / "half").touch()
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space left"):
        bases._put(tmp_path / "base", breaks)
    assert list(tmp_path.iterdir()) == []


def test_who_comes_second_takes_what_is_there(tmp_path: Path) -> None:
    folder = tmp_path / "base"

    def late(making: Path) -> None:
        (making / "weights").write_text("second")
        folder.mkdir()
        (folder / "weights").write_text("first")

    bases._put(folder, late)
    assert (folder / "weights").read_text() == "first"
    assert list(tmp_path.iterdir()) == [folder]


def test_a_header_is_read_and_a_broken_one_refused(tmp_path: Path) -> None:
    header = gguf_header.read(bases.gguf())
    assert header["general.architecture"] == "llama"
    assert header["tokenizer.ggml.tokens"][:3] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 0, 5) + b"\x01")
    with pytest.raises(ValueError, match="is broken"):
        gguf_header.read(broken)
    broken.write_bytes(b"PK\x03\x04")
    with pytest.raises(ValueError, match="is no GGUF file"):
        gguf_header.read(broken)
