"""What is kept of a training, as a dictionary of contents, and ways to lie about it."""

from __future__ import annotations

from typing import Any

import msgspec

from chain.content import unixfs
from chain.documents import form
from chain.verify.finding import Finding, Standing
from tests.training.proof import manifests
from tests.training.sessions import bidding
from training import tensors
from training.documents.adapter import AdapterCard
from training.documents.data import DataCard
from training.documents.training import TrainingManifest
from training.proof import digest, manifest
from training.proof.shown import NotThere
from training.tensors import Tensor

replace = msgspec.structs.replace
HELD_OUT = 99
"""The number of the session that is held out."""


class Kept(msgspec.Struct):
    """What was pinned. Changing a document makes a new one: whoever lies gives all ids anew."""

    contents: dict[str, bytes]
    card: AdapterCard

    @property
    def document(self) -> bytes:
        return form.encode(self.card)

    @property
    def cid(self) -> str:
        return str(unixfs.cid_of(self.document))

    @property
    def manifest(self) -> TrainingManifest:
        return manifest.read(self.contents[self.card.training])

    @property
    def data(self) -> DataCard:
        return msgspec.json.decode(self.contents[self.card.data], type=DataCard)

    def put(self, content: bytes) -> str:
        cid = str(unixfs.cid_of(content))
        self.contents[cid] = content
        return cid

    def without(self, cid: str) -> Kept:
        return Kept({key: each for key, each in self.contents.items() if key != cid}, self.card)

    def with_card(self, **changes: Any) -> Kept:
        return Kept(dict(self.contents), replace(self.card, **changes))

    def with_manifest(self, **changes: Any) -> Kept:
        told = self.with_card()
        document = form.encode(replace(self.manifest, **changes))
        told.card = replace(told.card, training=told.put(document))
        return told

    def with_data(self, **changes: Any) -> Kept:
        told = self.with_card()
        data = told.put(form.encode(replace(self.data, **changes)))
        told.card = replace(told.card, data=data)
        return told.with_manifest(data=data)

    def with_session(self, document: bytes) -> Kept:
        """Learned from one session more."""
        told = self.with_card()
        session = told.put(document)
        return told.with_data(sessions=sorted([*self.data.sessions, session]))

    def fetch(self, cid: str, most: int) -> bytes:
        if cid not in self.contents:
            raise NotThere("nobody has it")
        assert len(self.contents[cid]) <= most
        return self.contents[cid]


def on_paper(sessions: int = 2) -> Kept:
    """Documents that agree with each other, of a training that nobody has made."""
    told = Kept({}, manifests.card())
    adapter = [Tensor(name="a.lora_A.weight", dtype="F32", shape=(2,), data=b"\0\1\2\3" * 2)]
    weights = tensors.write(adapter, {"format": "pt"})
    held_out = str(unixfs.cid_of(bidding(HELD_OUT)))
    data = replace(
        manifests.data_card(),
        sessions=sorted(told.put(bidding(number)) for number in range(sessions)),
        held_out={"players": [], "seeds": [], "sessions": [held_out]},
    )
    steps = manifests.manifest().steps
    steps[-1] = replace(steps[-1], weights=digest.of_weights(adapter))
    document = form.encode(manifests.manifest(steps=steps, data=told.put(form.encode(data))))
    told.card = manifests.card(
        weights=told.put(weights),
        bytes=len(weights),
        data=str(unixfs.cid_of(form.encode(data))),
        training=told.put(document),
    )
    return told


def lies(found: list[Finding]) -> dict[str, str]:
    return {each.what: each.words for each in found if each.standing is Standing.FALSE}
