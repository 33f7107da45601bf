"""How forecasts are read: the documented forms, the last well-formed one, and nothing guessed."""

from __future__ import annotations

import pytest

from spaces.prediction import Prediction
from spaces.prediction.answers import Probability, Quantiles
from spaces.space import InvalidAction

SPACE = Prediction()
FIVE = ("98", "101.2", "103", "104.5", "108")
NAMED = (5, 25, 50, 75, 95)


@pytest.mark.parametrize(
    "text",
    [
        "quantiles: 98, 101.2, 103, 104.5, 108",
        "Quantiles = 98 101.20 103.0 104.5 1.08e2",
        "- **quantiles:** [98, 101.2, 103, 104.5, 108]",
        "`quantiles: 98; 101.2; 103; 104.5; 108`",
        "I think it rises.\r\nquantiles: 1 2 3 4 5\r\nNo:\r\nquantiles: 98, 101.2, 103, 104.5, 108\r\n",
        '{"quantiles": [98, 101.2, 103, 104.5, 108]}',
        '{"quantiles": ["98", "101.2", "103", "104.5", "108"], "why": "a feeling"}',
        '```json\n{"quantiles": [98, 101.2, 103, 104.50, 108]}\n```',
    ],
)
def test_a_list_of_quantiles(text: str) -> None:
    assert SPACE.parse("quantiles", text) == Quantiles(FIVE)


@pytest.mark.parametrize(
    "text",
    [
        '{"q05": 98, "q25": 101.2, "q50": 103, "q75": 104.5, "q95": 108}',
        '{"q95": "108", "q5": 98, "Q50": 103.0, "q75": 104.5, "q25": 101.2, "note": "x"}',
    ],
)
def test_quantiles_by_name_in_any_order(text: str) -> None:
    assert SPACE.parse("quantiles", text) == Quantiles(FIVE, NAMED)


def test_digits_beyond_the_ninth_are_rounded() -> None:
    text = '{"quantiles": [103.33333333333333, 0.1000000000000000055]}'
    assert SPACE.parse("quantiles", text) == Quantiles(("103.333333333", "0.1"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "98, 101.2, 103, 104.5, 108",
        "the quantiles: are 98 and 99",
        "quantiles: low, middle, high",
        "quantiles: 98, NaN",
        "quantiles: 98,, 99",
        "quantiles:",
        '{"quantiles": [98, null]}',
        '{"quantiles": [98, true]}',
        '{"quantiles": [98, [99]]}',
        '{"quantiles": [98, Infinity]}',
        '{"quantiles": 98}',
        '{"q05": 1, "q5": 2}',
        '{"quantiles": [' + "1," * 19 + "1]}",
        "quantiles: " + "[" * 500,
        '{"quantiles": ' + "[" * 5_000 + "}",
        "quantiles: 1e999",
        "probability: 0.5",
    ],
)
def test_what_is_no_list_of_quantiles(text: str) -> None:
    with pytest.raises(InvalidAction, match="no quantiles found; answer with one line"):
        SPACE.parse("quantiles", text)


@pytest.mark.parametrize(
    "text",
    [
        "probability: 0.62",
        "Probability: **.62**",
        "probability: 62%",
        "probability = 62 %",
        '{"probability": 0.62}',
        '{"probability": "0.620"}',
        '{"probability": 0.1} Wait. {"probability": 0.62}',
        "0.62",
        " 62%\n",
    ],
)
def test_a_probability(text: str) -> None:
    assert SPACE.parse("probability", text) == Probability("0.62")


@pytest.mark.parametrize(
    "text",
    ["", "likely", "I say 0.62", "probability: 1/2", "0.62 or 0.63", '{"probability": null}', "%"],
)
def test_what_is_no_probability(text: str) -> None:
    with pytest.raises(InvalidAction, match="no probability found"):
        SPACE.parse("probability", text)


def test_another_kind_is_refused() -> None:
    with pytest.raises(InvalidAction, match="not for 'verse'"):
        SPACE.parse("verse", "probability: 0.5")


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "quantiles", "quantiles": ["1.0"]},
        {"kind": "quantiles", "quantiles": [1]},
        {"kind": "quantiles", "quantiles": []},
        {"kind": "quantiles", "quantiles": ["-0"]},
        {"kind": "quantiles", "quantiles": ["1\n"]},
        {"kind": "quantiles", "quantiles": ["1"], "levels": [100]},
        {"kind": "probability", "probability": ".5"},
        {"kind": "probability", "probability": "0.5", "why": "x"},
        {"kind": "guess"},
    ],
)
def test_a_forged_action_is_in_the_one_form_or_refused(body: dict[str, object]) -> None:
    with pytest.raises(InvalidAction):
        SPACE.decode_action(body)
