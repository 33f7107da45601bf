"""What contracts refuse is said in words, and the words are of things that contracts say."""

from __future__ import annotations

from pathlib import Path

import pytest

from chain.client.node import Reverted
from chain.wallet.refusals import REASONS, in_words

CONTRACTS = Path(__file__).parents[3] / "chain" / "contracts"
OURS = ("escrow: ", "rewards: ", "fractals: ", "agent_token: ", "agent_tokens: ", "usdc_dev: ")


def test_every_reason_of_ours_is_in_a_contract() -> None:
    sources = "".join(path.read_text() for path in CONTRACTS.rglob("*.vy"))
    reasons = [each for each in REASONS if each.startswith(OURS)]
    assert len(reasons) > 15
    for reason in reasons:
        assert f'"{reason}"' in sources, reason


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("escrow: paused", "the escrow's guardian has paused deposits"),
        ("execution reverted: escrow: the delay is not over", "not ready yet"),
        ("", "does not say why"),
        ("execution reverted", "does not say why"),
        ("moon: too far", "the contract refuses: moon: too far"),
        ("insufficient funds for gas * price + value", "not enough ETH"),
    ],
)
def test_a_refusal_is_a_sentence(said: str, words: str) -> None:
    assert words in in_words(Reverted(said))
