"""A tiny training that was made, with all that is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from chain.content import unixfs
from chain.documents import form
from chain.verify.finding import Finding
from tests.training import tiny
from tests.training.proof.kept import HELD_OUT, Kept
from tests.training.sessions import bidding
from training.adapters.gguf import to_gguf
from training.adapters.package import Origin, pack
from training.adapters.shapes import of_checkpoint
from training.data.build import build, recipe_for
from training.data.example import Example
from training.data.split import HeldOut
from training.documents.adapter import Base as BaseName
from training.model import base as bases
from training.model.base import Base
from training.proof.prove import prove
from training.proof.record import Recorder
from training.proof.verify import Asked, findings
from training.recipes.config import LoraShape, TrainConfig
from training.recipes.run import train

SYSTEM = "You bid for cells."
CONFIG = TrainConfig(
    steps=6,
    batch=2,
    micro_batch=1,
    learning_rate=3e-3,
    warmup=0.0,
    max_length=256,
    threads=1,
    checkpoint_every=2,
    lora=LoraShape(rank=2, alpha=4, targets=("q_proj", "v_proj")),
)


class Made(msgspec.Struct):
    kept: Kept
    base: Base

    def verified(self, told: Kept, work: Path, steps: str = "", **changes: Any) -> list[Finding]:
        asked = Asked(
            card=told.document,
            cid=told.cid,
            fetch=told.fetch,
            work=work,
            systems=(SYSTEM,),
            steps=steps,
            base=lambda name: self.base,
        )
        return list(findings(msgspec.structs.replace(asked, **changes)))


def make(work: Path, config: TrainConfig = CONFIG, sessions: int = 3) -> Made:
    """Train, record, prove and keep it."""
    base = tiny.make(work / "base")
    named = BaseName(name=base.name, sha256=base.sha256)
    documents = [bidding(number) for number in range(sessions)]
    tokenizer = bases.tokenizer(base)
    recipe = recipe_for("winners", "bid-tac-toe", SYSTEM, tokenizer)
    held_out = HeldOut(sessions=(str(unixfs.cid_of(bidding(HELD_OUT))),))
    examples, data = build(documents, recipe, tokenizer, SYSTEM, held_out=held_out)
    run = work / "run"
    learnt = [each for each in examples if isinstance(each, Example)]
    trained = train(config, base, learnt, run, observers=[Recorder(run)], device="cpu")
    proof = prove(run, base=named, data=str(unixfs.cid_of(form.encode(data))))
    origin = Origin(
        base=named,
        space="bid-tac-toe",
        agent="mine",
        data=str(unixfs.cid_of(form.encode(data))),
        training=proof.cid,
    )
    to_gguf(trained.adapter, of_checkpoint(base.folder))
    package = pack(trained.adapter, origin, of_checkpoint(base.folder))
    kept = Kept(dict(package.contents), package.card)
    states = [path.read_bytes() for path in proof.states.values()]
    for content in (form.encode(data), proof.document, *documents, *states):
        kept.put(content)
    return Made(kept, base)
