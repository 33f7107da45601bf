"""Examples in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from training.data.example import Example, Pair
from training.recipes.files import read, write
from training.recipes.refused import BadFile

WIN = Example(prompt=(5, 6), completion=(7, 2), weight_milli=500, origin="bafy#0.1.1")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "wins.jsonl"
    write(file, [WIN, WIN])
    assert read(file, "sft") == [WIN, WIN]


def test_a_line_of_another_kind_is_named(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    pair = Pair(prompt=(5,), chosen=(6, 2), rejected=(7, 2))
    write(file, [pair, WIN])
    with pytest.raises(BadFile, match=r"line 2 of .* is no Pair, from which dpo learns"):
        read(file, "dpo")


@pytest.mark.parametrize(
    ("content", "words"), [(None, "cannot be read"), ("", "has no examples"), ("{", "line 1")]
)
def test_a_file_that_is_none_is_said(tmp_path: Path, content: str | None, words: str) -> None:
    file = tmp_path / "wins.jsonl"
    if content is not None:
        file.write_text(content)
    with pytest.raises(BadFile, match=words):
        read(file, "sft")


def test_a_recipe_that_plays_reads_no_file(tmp_path: Path) -> None:
    with pytest.raises(BadFile, match="sft, dpo, kto do"):
        read(tmp_path / "x", "grpo")
