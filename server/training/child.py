"""The process that trains one job: `python -m server.training.child FOLDER DEVICE`.

Examples are built of the lessons in the folder, a recipe learns from them and is recorded for its proof, and what came of it is written
beside: everything that is to be pinned, by CID, and last `made.json`. Killed at any moment it goes on when it is started again; what
it makes is the same. It ends when its standard input does.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from server.training import progress
from server.training.order import (
    CONTENTS,
    LESSONS,
    MADE,
    ORDER,
    Made,
    Order,
    read_order,
    write,
)

CANNOT = 65
"""`server.training.teaching.CANNOT`: it would end the same way every time."""
ORPHANED = 75
RUN = "run"


class Cannot(Exception):
    """There is nothing to be learned from this; the text is for the owner."""


class Told:
    """An observer: a line for each step."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._steps = 0

    def begun(self, model: Any, config: Any) -> None:
        self._steps = config.steps

    def stepped(self, step: int, loss: float, batch: Mapping[str, Any], model: Any) -> None:
        with self._file.open("ab") as told:
            told.write(progress.line(step, self._steps, loss))

    def ended(self, trained: Any) -> None:
        return


def make(folder: Path, device: str) -> Made:
    """Raises Cannot, and what the trainer raises."""
    from chain.content import cid as cids
    from chain.content import unixfs
    from chain.documents import form
    from server.training import lesson_files
    from server.training.lessons import material
    from server.training.questions import BrainQuestions
    from training.data.build import DataError, build, recipe_for
    from training.model import base as bases
    from training.proof import prove
    from training.proof.record import Recorder
    from training.recipes import run

    order, contents = read_order(folder), folder / CONTENTS
    base, lessons = _base(order), lesson_files.load(folder / LESSONS)
    tokenizer, questions = bases.tokenizer(base), BrainQuestions()
    try:
        recipe = recipe_for(
            order.form,
            order.space,
            order.system,
            tokenizer,
            questions=questions,
            seed=order.config.seed,
            **order.options,
        )
        examples, card = build(
            recipe=recipe,
            tokenizer=tokenizer,
            system=order.system,
            questions=questions,
            **material(lessons),
        )
    except DataError as error:
        raise Cannot(str(error)) from None
    if not examples:
        sessions = card.counts["sessions"]
        raise Cannot(f"there is nothing to learn from in {sessions} sessions: {_why(order)}")
    data = form.encode(card)
    data_cid = str(unixfs.cid_of(data))
    parent = folder / "parent" if order.parent is not None else None
    running = folder / RUN
    try:
        trained = run.train(
            order.config,
            base,
            cast("Sequence[Any]", examples),  # of the recipe's kind: `gathering` names both
            running,
            parent=parent,
            observers=(Recorder(running), Told(folder / progress.FILE)),
            device=device,
        )
    except ValueError as error:
        raise Cannot(str(error)) from None
    _finish(base, tokenizer, trained.adapter, order)
    proof = prove.prove(
        running,
        base=_named(base),
        data=data_cid,
        parent=order.parent,
        on=device,
    )
    package = _packed(order, base, trained.adapter, data_cid, proof.cid)
    contents.mkdir(exist_ok=True)
    documents = {data_cid: data, proof.cid: proof.document, package.cid: package.document}
    results = {str(cids.of(each.result)): each.result for each in lessons if each.result}
    for cid, document in (results | documents | package.contents).items():
        (contents / cid).write_bytes(document)
    for cid, state in proof.states.items():
        shutil.copyfile(state, contents / cid)
    run.forget(running)
    return Made(
        card=package.cid,
        data=data_cid,
        manifest=proof.cid,
        weights=package.card.weights,
        gguf=package.card.gguf,
        base_sha256=base.sha256,
        bytes=package.card.bytes,
        parent=order.parent,
        counts=dict(card.counts),
    )


def _base(order: Order) -> Any:
    from training.model import base as bases

    if isinstance(order.base, str):
        return bases.find(order.base)
    return bases.Base(order.base.name, Path(order.base.folder), order.base.sha256)


def _why(order: Order) -> str:
    if order.form == "winners":
        return "the agent has won none of them by legal answers"
    return "no answer was better or worse than another"


def _finish(base: Any, tokenizer: Any, adapter: Path, order: Order) -> None:
    """What servers need beside the weights: the form that llama.cpp reads, and how the adapter is known to be used."""
    from training.adapters import gguf, shapes
    from training.model import base as bases
    from training.model import lora
    from training.recipes.same import same
    from training.serving import probe

    gguf.to_gguf(adapter, shapes.of_checkpoint(base.folder))
    # The same sums, also in a process that has found the adapter trained.
    with same(order.config, "cpu"):
        model = lora.from_folder(bases.load(base, four_bit=False, device="cpu"), adapter)
        probe.record(model, tokenizer, adapter, _named(base))


def _named(base: Any) -> Any:
    """As documents have it."""
    from training.documents.adapter import Base

    return Base(name=base.name, sha256=base.sha256)


def _packed(order: Order, base: Any, adapter: Path, data: str, training: str) -> Any:
    from training.adapters import package, shapes

    origin = package.Origin(
        base=_named(base),
        space=order.space,
        agent=order.agent,
        data=data,
        training=training,
        parent=order.parent,
    )
    return package.pack(adapter, origin, shapes.of_checkpoint(base.folder))


def main(folder: Path, device: str) -> int:
    """The exit status: 0 once `made.json` lies in the folder."""
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # an earlier one may take a moment to end
        if (folder / MADE).is_file():
            return 0
        try:
            write(folder / MADE, make(folder, device))
        except Cannot as error:
            print(str(error), file=sys.stderr, flush=True)
            return CANNOT
    return 0


def _end_with_stdin() -> None:
    while os.read(0, 4_096):
        pass
    os._exit(ORPHANED)


if __name__ == "__main__":
    if len(sys.argv) != 3 or not (Path(sys.argv[1]) / ORDER).is_file():
        sys.exit("usage: python -m server.training.child FOLDER DEVICE, of a job's folder")
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
