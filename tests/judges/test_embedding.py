"""Vectors of texts: the cutting on a table of our own, the meaning on the one that is shipped."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from judges.instruments import embedding
from judges.instruments.embedding import NoVectors, Vectors, cosine, load_vectors

TOY = Vectors(
    table=[(0.0, 0.0), (1.0, 0.0), (0.0, 2.0), (1.0, 1.0)],
    vocab={"<unk>": 0, "\u2581ab": 1, "c": 2, "\u2581abc": 3},
    merges=["a b", "\u2581 ab", "\u2581ab d"],
)


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return load_vectors()


def test_a_word_is_cut_by_the_merges_in_their_order() -> None:
    assert TOY.pieces("abc") == ["\u2581ab", "c"]
    assert TOY.pieces("abd") == ["\u2581abd"]
    assert TOY.pieces("x") == ["\u2581", "x"]


def test_a_text_is_the_mean_of_its_words() -> None:
    assert tuple(TOY.word("ab")) == (1.0, 0.0)
    assert tuple(TOY.word("abc")) == pytest.approx((1 / math.sqrt(5), 2 / math.sqrt(5)))
    assert tuple(TOY.of("ab, and ab")) == (1.0, 0.0), "and says nothing of a subject"
    assert tuple(TOY.of("and the x")) == (0.0, 0.0), "nothing is known of x"


def test_the_shipped_table_is_cut_as_its_own_tokenizer_cuts(vectors: Vectors) -> None:
    assert vectors.size == 256
    assert vectors.pieces("timetable") == ["\u2581tim", "et", "able"]
    assert vectors.pieces("the") == ["\u2581the"]


def test_what_is_alike_is_closer(vectors: Vectors) -> None:
    topic = vectors.of("night buses")
    on = vectors.of("The driver rings the bell at the bus stop in the evening")
    off = vectors.of("A wizard has lost his wand and the dragon breathes fire")
    assert cosine(topic, on) > cosine(topic, off) + 0.2
    assert cosine(topic, topic) == pytest.approx(1.0)


@given(st.text(max_size=80))
def test_any_text_has_a_vector_of_length_one_or_none(text: str) -> None:
    length = math.sqrt(sum(each * each for each in TOY.of(text)))
    assert length == pytest.approx(1.0) or length == 0.0


def test_without_the_table_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding, "DISTRIBUTION", "no-such-distribution")
    with pytest.raises(NoVectors, match="pip install --no-deps"):
        load_vectors()
