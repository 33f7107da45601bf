"""The recipes' formulas, and that our shorter way to a log-probability ends where trl's does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.training import tiny
from training.model import base as bases
from training.model import lora
from training.recipes.config import LoraShape

pytestmark = pytest.mark.slow


def test_a_robust_cost_is_on_average_that_of_right_labels() -> None:
    import torch
    from torch.nn.functional import logsigmoid

    from training.recipes.dpo import robust

    z = torch.linspace(-3, 3, 13)
    for share in (0.0, 0.1, 0.45):
        wrong = torch.full_like(z, share)
        mean = (1 - wrong) * robust(z, wrong) + wrong * robust(-z, wrong)
        torch.testing.assert_close(mean, -logsigmoid(z), rtol=1e-4, atol=1e-5)


def test_a_prospect_costs_a_half_where_nothing_has_changed() -> None:
    import torch

    from training.recipes.kto import prospect

    ratios, kl = torch.tensor([0.0, 0.0, 5.0, 5.0]), torch.tensor(0.0)
    good = torch.tensor([True, False, True, False])
    costs = prospect(ratios, kl, good, 0.1)
    assert costs[:2].tolist() == [0.5, 0.5]
    assert costs[2] < 0.5 < costs[3]
    assert prospect(ratios, torch.tensor(1.0), good, 0.1)[2] > costs[2]


def test_answers_alone_have_the_log_probabilities_and_gradients_of_trl(tmp_path: Path) -> None:
    import torch
    from trl.trainer.utils import add_fused_lm_head

    from training.recipes.frame import tokens
    from training.recipes.head import only_answers

    base = tiny.make(tmp_path)
    batch = tokens([(5, 6, 7, 8), (9, 10)], [(11, 2), (12, 13, 2)], 2)
    outputs = ("log_probs", "entropy", "is_top1")
    found, gradients = [], []
    for ours in (False, True):
        model = lora.fresh(bases.load(base, four_bit=False), LoraShape(rank=4), 1)
        add_fused_lm_head(model.get_base_model(), outputs=outputs)
        if ours:
            only_answers(model.get_base_model(), outputs)
        out = model(**batch, fused_lm_head=True)
        out.log_probs.sum().backward()
        found.append(out)
        gradients.append(
            [
                p.grad
                for name, p in model.named_parameters()
                if name.endswith("lora_B.default.weight")
            ]
        )
    theirs, mine = found
    for name in outputs:
        torch.testing.assert_close(getattr(mine, name), getattr(theirs, name))
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=0.02, atol=1e-4)


def test_an_update_begins_the_same_whatever_was_drawn_before(tmp_path: Path) -> None:
    import torch

    base = tiny.make(tmp_path)
    drawn = []
    for noise in (1, 2):
        torch.manual_seed(noise)
        model = lora.fresh(bases.load(base, four_bit=noise == 2), LoraShape(), 5)
        drawn.append({n: p.detach() for n, p in model.named_parameters() if p.requires_grad})
    assert drawn[0].keys() == drawn[1].keys()
    for name, parameter in drawn[0].items():
        assert torch.equal(parameter, drawn[1][name])
        assert ("lora_A" in name) == bool(parameter.any())
