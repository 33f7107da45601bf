"""A model plays: the answers are what the model itself would give one by one, only sooner."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from spaces.bid_tac_toe import BidTacToe
from tests.training import tiny
from training.chat import SYSTEM, Tokenizer, completion_ids
from training.play import play, seeds

pytestmark = pytest.mark.slow
SPACE = BidTacToe()


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Tokenizer:
    from training.model import base as bases
    from training.model.base import Base

    return bases.tokenizer(Base("tiny", folder, tiny.SHA256))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    tiny.make(folder)
    return folder


@pytest.fixture
def model(folder: Path) -> Any:
    """In float32: in bf16 another batch rounds another way."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(1)
    return AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, local_files_only=True)


def requests(tokenizer: Tokenizer, *, constrained: bool) -> list[Any]:
    from training.play.generate import Request
    from training.play.trie import trie

    def ids(text: str) -> tuple[int, ...]:
        return tuple(tokenizer.encode(text, add_special_tokens=False))

    begin = "<|im_start|>user\nYou play Bid Tac Toe as X. Get three X in a row. You have"
    asked = [ids(f"{begin} {chips} chips." + " Bid." * (chips % 7)) for chips in range(90, 101)]
    asked += [asked[3], asked[3], ids("Something else entirely, which begins another way.")]
    tree = trie(completion_ids(f'{{"bid": {bid}}}', tokenizer) for bid in range(101))
    return [
        Request(prompt, Random(at).getrandbits(32), tree if constrained else None)
        for at, prompt in enumerate(asked)
    ]


def expected(model: Any, request: Any, ids: tuple[int, ...], temperature: float) -> list[float]:
    """Log-probabilities of an answer, by one plain pass of the model."""
    import torch

    from training.play.trie import allowed

    with torch.no_grad():
        logits = model(torch.tensor([request.prompt + ids])).logits[0].double() / temperature
    found = []
    for at, token in enumerate(ids):
        row = logits[len(request.prompt) + at - 1]
        if request.tree is not None:
            options = torch.tensor(allowed(request.tree, ids)[at])
            row = torch.full_like(row, float("-inf")).index_copy(0, options, row[options])
        found.append(float(row.log_softmax(-1)[token]))
    return found


@pytest.mark.parametrize("constrained", [True, False])
def test_a_batch_draws_what_one_by_one_draws_with_the_same_log_probabilities(
    model: Any, tokenizer: Tokenizer, constrained: bool
) -> None:
    from training.play.generate import generate

    asked = requests(tokenizer, constrained=constrained)
    how: dict[str, Any] = {"end": tokenizer.eos_token_id, "temperature": 0.7, "max_tokens": 6}
    together = generate(model, asked, **how)
    small = generate(model, asked, **how, batch_tokens=100)
    apart = [generate(model, [each], **how)[0] for each in asked]
    assert [each.ids for each in together] == [each.ids for each in apart]
    assert [each.ids for each in small] == [each.ids for each in apart]
    for request, drawn in zip(asked, together, strict=True):
        wanted = expected(model, request, drawn.ids, 0.7)
        assert drawn.logprobs == pytest.approx(wanted, abs=1e-4)
        assert drawn.whole == (drawn.ids[-1] == tokenizer.eos_token_id)
    equal = together[11].ids, together[12].ids, together[3].ids
    assert len(set(equal)) > 1, "equal questions are read once, and their answers are drawn apart"


def test_without_temperature_the_likeliest_token_is_taken(model: Any, tokenizer: Tokenizer) -> None:
    import torch

    from training.play.generate import generate

    asked = requests(tokenizer, constrained=False)[:1]
    (drawn,) = generate(model, asked, end=tokenizer.eos_token_id, temperature=0.0, max_tokens=5)
    greedy = model.generate(
        torch.tensor([asked[0].prompt]),
        attention_mask=torch.ones(1, len(asked[0].prompt), dtype=torch.long),
        max_new_tokens=5,
        do_sample=False,
    )
    assert drawn.ids == tuple(greedy[0, len(asked[0].prompt) :].tolist())


def test_base_and_adapters_share_one_model_which_is_left_as_it_was(
    model: Any, tokenizer: Tokenizer
) -> None:
    import torch

    from training.model import lora
    from training.play.model_player import ModelPlayer, using
    from training.recipes.config import LoraShape

    model = lora.fresh(model, LoraShape(rank=4), seed=1)
    torch.manual_seed(0)
    for name, weight in model.named_parameters():
        if "lora_B" in name:
            weight.data.normal_(std=0.5)
    model.train()
    before = [name for name, weight in model.named_parameters() if weight.requires_grad]
    players = {
        "base": ModelPlayer(model, tokenizer),
        "trained": ModelPlayer(model, tokenizer, adapter="default"),
        "free": ModelPlayer(model, tokenizer, constrained=False, max_tokens=4),
    }
    seatings = [("base", "trained"), ("trained", "base"), ("base", "free")]
    games = play(SPACE, {}, seatings, seeds("test", 3), players)
    assert model.training
    assert [name for name, weight in model.named_parameters() if weight.requires_grad] == before
    again = play(SPACE, {}, seatings, seeds("test", 3), players)
    assert again == games, "a run is a function of its seeds"

    first = games[0].attempts[:2]
    assert first[0].messages[0].content == SYSTEM
    for game in games[:2]:
        assert all(made.legal for made in game.attempts)
        for made in game.attempts:
            assert made.said.completion == completion_ids(made.said.text, tokenizer)
    assert games[2].outcome.termination == "forfeit", "random weights say nothing that is a bid"
    with using(model, None):
        off = model(torch.tensor([first[0].said.prompt])).logits
    with using(model, "default"):
        on = model(torch.tensor([first[0].said.prompt])).logits
    assert not torch.allclose(off, on)


def test_a_four_bit_model_that_has_played_learns_what_it_would_have_learnt(
    folder: Path, tokenizer: Tokenizer
) -> None:
    """bitsandbytes packs weights of a model that is asked in `eval`, for good, and passes no gradient through them."""
    import torch

    from training.model import base as bases
    from training.model import lora
    from training.model.base import Base
    from training.play.model_player import ModelPlayer
    from training.recipes.config import LoraShape

    torch.set_num_threads(1)
    ids = torch.tensor([tokenizer.encode("Place your bid now: a whole number.")])

    def gradients(*, played: bool) -> dict[str, Any]:
        loaded = bases.load(Base("tiny", folder, tiny.SHA256), four_bit=True)
        model = lora.fresh(loaded, LoraShape(rank=4), seed=1)
        if played:
            player = ModelPlayer(model, tokenizer, adapter="default")
            play(SPACE, {}, [("a", "a")], seeds("test", 1), {"a": player})
        model.train()
        with torch.autocast("cpu", torch.bfloat16):
            model(ids, labels=ids).loss.backward()
        return {n: p.grad for n, p in model.named_parameters() if p.grad is not None}

    plain, after = gradients(played=False), gradients(played=True)
    assert plain.keys() == after.keys()
    assert all(torch.equal(plain[name], after[name]) for name in plain)
