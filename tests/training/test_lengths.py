"""What does not fit: prompts lose their oldest part, and nothing is lost untold."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from training.data.example import Example, Pair
from training.recipes.lengths import LEAST, fit, shorten

END = 2
TOKENS = st.integers(3, 50)


def test_a_long_prompt_keeps_its_system_message_and_its_end() -> None:
    system = (1, 9, 9, END, 5)
    prompt = (*system, *range(100, 160))
    assert shorten(prompt, 30, END) == (*system, *range(135, 160))


def test_an_example_without_room_for_its_question_is_left_out_and_counted() -> None:
    long = Example(prompt=tuple(range(10, 60)), completion=(7,) * 40)
    short = Example(prompt=(3, 4), completion=(7, END))
    fitted = fit([long, short], 50, END)
    assert fitted.examples == (short,)
    assert (fitted.shortened, fitted.dropped) == (0, 1)


def test_a_pair_has_room_for_its_longer_answer() -> None:
    pair = Pair(prompt=tuple(range(10, 60)), chosen=(7, END), rejected=(7,) * 20)
    (fitted,) = fit([pair], 50, END).examples
    assert len(fitted.prompt) == 30
    assert fitted.prompt[-1] == 59


@given(
    prompt=st.lists(TOKENS | st.just(END), max_size=80).map(tuple),
    completion=st.lists(TOKENS, min_size=1, max_size=40).map(tuple),
    most=st.integers(16, 100),
)
def test_what_is_kept_fits_and_is_never_cut_in_its_answer(
    prompt: tuple[int, ...], completion: tuple[int, ...], most: int
) -> None:
    fitted = fit([Example(prompt=prompt, completion=completion)], most, END)
    assert len(fitted.examples) + fitted.dropped == 1
    for each in fitted.examples:
        assert isinstance(each, Example)
        assert each.completion == completion
        assert len(each.prompt) + len(completion) <= most
        assert prompt[len(prompt) - LEAST :] == each.prompt[-LEAST:] or each.prompt == prompt
