"""The store's own promises: the bound, the pins, the disk."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chain.blockstore.store import (
    FILE,
    BlockStore,
    Damaged,
    Full,
    NotFound,
    NotPinned,
    Pin,
    StoreError,
)
from chain.content import cid, unixfs
from chain.content.cid import Cid, Codec
from chain.content.unixfs import Block, Profile

SMALL = Profile(chunk=4, links=3, raw_leaves=True, version=1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlockStore]:
    opened = BlockStore(tmp_path, 1_000)
    yield opened
    opened.close()


def raw(data: bytes) -> Block:
    return Block(cid.of(data), data)


def test_what_is_put_is_there_for_whoever_opens_it_next(store: BlockStore, tmp_path: Path) -> None:
    store.put([raw(b"kept")], [Pin(cid.of(b"kept"), name="a name")])
    other = BlockStore(tmp_path, 1_000)
    assert other.get(cid.of(b"kept")) == b"kept"
    assert list(other.pins()) == [Pin(cid.of(b"kept"), True, "a name")]
    other.close()


def test_the_same_block_costs_once(store: BlockStore) -> None:
    store.put([raw(b"twice"), raw(b"twice")])
    store.put([raw(b"twice")])
    assert (store.stat().bytes, store.stat().blocks) == (5, 1)


def test_what_does_not_fit_is_refused_whole_and_nothing_is_dropped(store: BlockStore) -> None:
    store.put([raw(b"a" * 600)], [Pin(cid.of(b"a" * 600))])
    with pytest.raises(Full, match="AGON_IPFS_MAX_BYTES"):
        store.put([raw(b"b" * 300), raw(b"c" * 300)], [Pin(cid.of(b"b" * 300))])
    assert store.stat().bytes == 600
    assert len(list(store.pins())) == 1
    store.put([raw(b"b" * 400)])  # exactly full
    store.put([raw(b"b" * 400)])  # here already, so it costs nothing
    assert store.get(cid.of(b"a" * 600))


def test_a_pin_of_what_is_not_whole_is_refused(store: BlockStore) -> None:
    *below, root = unixfs.blocks([bytes(40)], SMALL)
    missing = below[0]
    store.put([each for each in (*below, root) if each.cid != missing.cid])
    with pytest.raises(NotFound, match=str(missing.cid)):
        store.pin(Pin(root.cid))
    assert list(store.pins()) == []
    store.pin(Pin(root.cid, recursive=False))
    store.put([missing], [Pin(root.cid)])
    assert list(store.pins()) == [Pin(root.cid)]


def test_no_pinned_block_can_be_removed_under_any_of_its_ids(store: BlockStore) -> None:
    *below, root = unixfs.blocks([bytes(range(40))], SMALL)
    store.put([*below, root], [Pin(root.cid)])
    for block in (*below, root):
        for codec in Codec:
            with pytest.raises(StoreError, match="pinned"):
                store.remove(Cid(codec, block.cid.digest))
    store.unpin(root.cid)
    store.remove(root.cid)
    with pytest.raises(NotFound):
        store.remove(root.cid)
    with pytest.raises(NotPinned):
        store.unpin(root.cid)


def test_a_direct_pin_holds_the_block_and_not_what_is_below(store: BlockStore) -> None:
    *below, root = unixfs.blocks([bytes(range(40))], SMALL)
    store.put([*below, root], [Pin(root.cid, recursive=False)])
    gone = store.collect()
    assert {each.digest for each in gone} == {block.cid.digest for block in below}
    assert store.stat().blocks == 1
    with pytest.raises(StoreError, match="already pinned recursively"):
        store.put(below, [Pin(root.cid), Pin(root.cid, recursive=False)])


def test_a_broken_tree_is_never_collected_around(store: BlockStore, tmp_path: Path) -> None:
    *below, root = unixfs.blocks([bytes(range(40))], SMALL)
    store.put([*below, root, raw(b"loose")], [Pin(root.cid)])
    inner = next(each for each in below if each.cid.codec is Codec.DAG_PB)
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("DELETE FROM block WHERE digest = ?", (inner.cid.digest,))
    with pytest.raises(NotFound):
        store.collect()
    assert store.get(cid.of(b"loose")) == b"loose"


def test_a_damaged_block_is_never_given(store: BlockStore, tmp_path: Path) -> None:
    store.put([raw(b"right")])
    with sqlite3.connect(tmp_path / FILE) as db:
        db.execute("UPDATE block SET data = ?", (b"wrong",))
    with pytest.raises(Damaged):
        store.get(cid.of(b"right"))


class Machine(RuleBasedStateMachine):
    """Against a model: what is pinned stays, what is counted is there."""

    def __init__(self) -> None:
        super().__init__()
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = BlockStore(Path(self.folder.name), 120)
        self.held: dict[Cid, bytes] = {}
        self.pinned: set[Cid] = set()

    def teardown(self) -> None:
        self.store.close()
        self.folder.cleanup()

    files = st.integers(0, 30).map(lambda n: bytes(range(n)))

    @rule(data=files, pin=st.booleans())
    def add(self, data: bytes, pin: bool) -> None:
        *_, root = blocks = list(unixfs.blocks([data], SMALL))
        new = {b.cid: b.data for b in blocks}
        size = sum(map(len, (self.held | new).values()))
        try:
            self.store.put(blocks, [Pin(root.cid)] if pin else [])
        except Full:
            assert size > 120
            return
        assert size <= 120 or not new.keys() - self.held.keys()
        self.held |= new
        if pin:
            self.pinned.add(root.cid)

    @rule(data=files)
    def unpin(self, data: bytes) -> None:
        root = unixfs.cid_of(data, SMALL)
        try:
            self.store.unpin(root)
            assert root in self.pinned
        except NotPinned:
            assert root not in self.pinned
        self.pinned.discard(root)

    @rule(data=files)
    def remove(self, data: bytes) -> None:
        root = unixfs.cid_of(data, SMALL)
        try:
            self.store.remove(root)
            self.held.pop(root)
        except StoreError:
            assert root not in self.held or root in self.kept()

    @rule()
    def collect(self) -> None:
        kept = self.kept()
        gone = self.store.collect()
        assert len(gone) == len(self.held.keys() - kept)
        self.held = {id_: data for id_, data in self.held.items() if id_ in kept}

    def kept(self) -> set[Cid]:
        return {below for root in self.pinned for below in self.below(root)}

    def below(self, id_: Cid) -> Iterator[Cid]:
        yield id_
        for link in unixfs.read(id_, self.held[id_]).links:
            yield from self.below(link.cid)

    @invariant()
    def agrees(self) -> None:
        stat = self.store.stat()
        assert (stat.blocks, stat.bytes) == (len(self.held), sum(map(len, self.held.values())))
        assert {pin.cid for pin in self.store.pins()} == self.pinned
        assert all(self.store.get(each) == self.held[each] for each in self.kept())


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=20, deadline=None)
