"""What a text is about, as a vector: the mean of the vectors of its words' pieces. Pure once loaded.

The table of 32,000 x 256 numbers (`l2_supercat_256`, trained by the WordLlama project from the token
embeddings of large models; MIT) travels in the `wordllama` distribution and is read as data, like
the dictionary: its Python code, which asks for a tokenizer library and changes the interpreter's
logging, is not imported. Texts are cut by the byte-pair merges that the file says, word by word. Words that
carry no subject (`STOP`) are left out of the mean: without that any two English texts are alike.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec

from judges.instruments.words import words

DISTRIBUTION = "wordllama"
_WEIGHTS = "wordllama/weights/l2_supercat_256.safetensors"
_TOKENIZER = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
_START = "\u2581"
"""What stands before a word's first piece."""
LONGEST = 40
"""Letters of a word that are looked at: cutting takes the square of them."""
KEPT = 20_000
"""Words whose vectors are remembered; some 20 MB at the most."""

_WORDS = (
    "a about after again all also am an and any are aren't as at back be because been before being both "
    "but by can can't come could did didn't do does doesn't doing don't down each ever every few for from "
    "get gets go goes going gonna got had has have having he he's her here him his how i i'd i'll i'm "
    "i've if in into is isn't it it's its just let let's like make makes me more most much my never no "
    "nor not now of off on once one only or other our out over own put say says see she should so some "
    "still such take than that that's the their them then there there's these they they're this those "
    "through till to too under until up us very was wasn't way we we're were what what's when where which "
    "while who whom why will with won't would you you'd you'll you're you've your yours"
)
STOP = frozenset(_WORDS.split())


Vector = Any
"""An array of numpy of one dimension."""


class NoVectors(Exception):
    """The distribution that carries them is not installed, or its files are not as expected."""


class _Model(msgspec.Struct):
    vocab: dict[str, int]
    merges: list[str]


class _Tokenizer(msgspec.Struct):
    model: _Model


class Vectors:
    """Vectors of texts: rows of numpy. Reading is safe from several threads."""

    def __init__(self, table: Any, vocab: Mapping[str, int], merges: Iterable[str]) -> None:
        """`table` is an array with a row of numbers for each id of `vocab`; `merges` are `left right`, the
        first to be joined first."""
        import numpy as np  # here: what only judges by rules need not load it

        self._np = np
        self._table = np.asanyarray(table)
        self._vocab = vocab
        self._ranks = {tuple(each.split(" ")): rank for rank, each in enumerate(merges)}
        self._known: dict[str, Vector] = {}
        self.size = int(self._table.shape[1])

    def of(self, text: str) -> Vector:
        """Of length 1; all zeros for a text without a word that means something."""
        vectors = [self.word(word) for word in words(text) if word not in STOP]
        return self._unit(sum(vectors, start=self._np.zeros(self.size)))

    def word(self, word: str) -> Vector:
        """Of length 1, of one lower case word; all zeros where none of its pieces is known."""
        found = self._known.get(word)
        if found is None:
            ids = [self._vocab[piece] for piece in self.pieces(word) if piece in self._vocab]
            found = self._unit(self._table[ids].astype("f8").sum(axis=0))
            if len(self._known) < KEPT:
                self._known[word] = found
        return found

    def pieces(self, word: str) -> list[str]:
        """A word cut by byte-pair encoding: again and again the pair of the first merge is joined."""
        parts = list(_START + word[:LONGEST])
        while len(parts) > 1:
            pairs = [
                (rank, at)
                for at, pair in enumerate(itertools.pairwise(parts))
                if (rank := self._ranks.get(pair)) is not None
            ]
            if not pairs:
                break
            _, at = min(pairs)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        return parts

    def _unit(self, vector: Vector) -> Vector:
        length = float(vector @ vector) ** 0.5
        return vector / length if length else vector


def cosine(a: Vector, b: Vector) -> float:
    """Of two vectors of length 1: -1 .. 1; 0 where one of them is all zeros."""
    return float(a @ b)


def load_vectors() -> Vectors:
    """Map the table into memory and read the merges: a quarter of a second, off a live event loop.

    Raises NoVectors.
    """
    import numpy as np

    try:
        found = metadata.distribution(DISTRIBUTION)
        tokenizer = msgspec.json.decode(
            Path(str(found.locate_file(_TOKENIZER))).read_bytes(), type=_Tokenizer
        )
        weights = Path(str(found.locate_file(_WEIGHTS)))
        start, shape = _header(weights)
        table = np.memmap(weights, dtype="<f2", mode="r", offset=start, shape=shape)
    except metadata.PackageNotFoundError:
        raise NoVectors(f"no word vectors: run `pip install --no-deps {DISTRIBUTION}`") from None
    except (OSError, ValueError, KeyError, struct.error, msgspec.MsgspecError) as error:
        raise NoVectors(
            f"the word vectors of {DISTRIBUTION} {found.version} cannot be read ({error}); install the version in constraints.txt"
        ) from None
    return Vectors(table, tokenizer.model.vocab, tokenizer.model.merges)


def _header(weights: Path) -> tuple[int, tuple[int, int]]:
    """Where the numbers begin in a safetensors file of one table, and its shape."""
    with weights.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        told = msgspec.json.decode(file.read(length))["embedding.weight"]
    if told["dtype"] != "F16" or told["data_offsets"][0] != 0:
        raise ValueError("another kind of numbers")
    rows, columns = told["shape"]
    return 8 + length, (rows, columns)
