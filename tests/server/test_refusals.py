"""Refusals of the API, in the words of the command that was given."""

from __future__ import annotations

import pytest

from bots.owner import Refused
from server.commands import automation
from server.commands.agent_spec import OPTIONS
from server.commands.refusals import in_words


@pytest.mark.parametrize(
    ("field", "detail", "said"),
    [
        (
            "spec.temperature",
            "temperature: expected a number, 2 or less, got 5",
            "--temperature: expected a number, 2 or less, got 5",
        ),
        ("spec.spaces[1]", "spaces: no space 'chess'", "--space: no space 'chess'"),
        ("spec.prompts[...]", "prompts: expected text", "--prompt-for: expected text"),
        ("spec.unheard", "unheard: is missing", "unheard: is missing"),
        ("", "the agent is archived", "the agent is archived"),
    ],
)
def test_a_field_is_called_by_its_option(field: str, detail: str, said: str) -> None:
    assert in_words(Refused(422, "bad-body", detail, field), OPTIONS) == said


def test_micros_are_told_as_the_option_takes_them() -> None:
    detail = "stop_loss_micros: expected a whole number, 1000000000000 or less, got 5000000000000"
    refused = Refused(400, "bad-body", detail, "stop_loss_micros")
    assert in_words(refused, automation.OPTIONS) == (
        "--stop-loss: expected an amount, 1000000.00 or less, got 5000000.00"
    )
    detail = "tier_micros: 0.20 is no fee tier; there are free, 0.10, 25.00 USDC"
    refused = Refused(422, "bad-limits", detail, "tier_micros")
    assert in_words(refused, automation.OPTIONS) == (
        "--tier: 0.20 is no fee tier; there are free, 0.10, 25.00 USDC"
    )


def test_what_helps_is_named() -> None:
    unknown = Refused(404, "unknown-agent", "unknown agent 'Embr'")
    assert in_words(unknown) == "unknown agent 'Embr'; `agon agents list` shows yours"
    poor = Refused(409, "unfunded", "your purse has 0.00 USDC available, 5.00 USDC is wanted")
    assert in_words(poor, help_={"unfunded": "deposit"}).endswith("is wanted; deposit")
