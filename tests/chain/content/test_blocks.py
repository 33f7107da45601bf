"""Nodes, files as trees, sets of pins and archives: what is written is read, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.content import car, cid, dag_pb, pin_set, unixfs
from chain.content.car import BadCar, Reader
from chain.content.cid import Cid, Codec
from chain.content.dag_pb import Link, Node, NotANode
from chain.content.pin_set import BadPinSet, Entry
from chain.content.unixfs import Block, Profile
from tests.chain.content.test_cid import cids

names = st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=8)
links = st.builds(Link, cids, st.integers(0, 2**40), st.one_of(st.just(""), names))
nodes = st.builds(
    Node, st.lists(links, max_size=5).map(tuple), st.one_of(st.none(), st.binary(max_size=64))
)
small = st.builds(
    Profile, st.integers(1, 5), st.integers(2, 4), st.booleans(), st.sampled_from([0, 1])
)
some_blocks = st.lists(st.binary(max_size=200).map(lambda data: Block(cid.of(data), data)))


@given(nodes)
def test_a_node_that_is_written_is_read(node: Node) -> None:
    assert dag_pb.decode(dag_pb.encode(node)) == node


@given(st.one_of(st.binary(max_size=80), nodes.map(dag_pb.encode)), st.data())
def test_a_node_has_one_form(block: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(block)))
    changed = block[:at] + data.draw(st.binary(max_size=2)) + block[at + 1 :]
    try:
        found = dag_pb.decode(changed)
    except NotANode:
        return
    assert dag_pb.encode(found) == changed


@given(small, st.binary(max_size=120), st.integers(1, 7))
def test_a_file_is_read_back_from_its_blocks(profile: Profile, data: bytes, size: int) -> None:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    blocks = list(unixfs.blocks(pieces, profile))
    assert all(block.cid.is_of(block.data) for block in blocks)
    held = {block.cid: block.data for block in blocks}
    root = blocks[-1].cid
    assert root == unixfs.cid_of(data, profile)
    assert joined(root, held) == data
    assert unixfs.read(root, held[root]).size == len(data)


@given(small, st.integers(0, 120))
def test_all_leaves_are_at_one_depth_and_no_node_has_too_many_links(
    profile: Profile, size: int
) -> None:
    held = {block.cid: block.data for block in unixfs.blocks([bytes(range(size))], profile)}
    root = unixfs.cid_of(bytes(range(size)), profile)
    depths = set(depths_of(root, held, profile.links))
    assert len(depths) == 1
    leaves = max(1, -(-size // profile.chunk))
    assert profile.links ** depths.pop() >= leaves


def joined(id_: Cid, held: dict[Cid, bytes]) -> bytes:
    node = unixfs.read(id_, held[id_])
    below = [joined(link.cid, held) for link in node.links]
    assert tuple(map(len, below)) == node.sizes
    return node.data + b"".join(below)


def depths_of(id_: Cid, held: dict[Cid, bytes], most: int) -> Iterator[int]:
    node = unixfs.read(id_, held[id_])
    assert len(node.links) <= most
    if not node.links:
        yield 0
    for link in node.links:
        yield from (1 + depth for depth in depths_of(link.cid, held, most))


def test_sizes_that_do_not_add_up_are_refused() -> None:
    lying = dag_pb.encode(Node((Link(cid.of(b"x"), 1),), b"\x08\x02\x18\x05\x20\x01"))
    with pytest.raises(NotANode, match="do not add up"):
        unixfs.read(cid.of(lying, Codec.DAG_PB), lying)


def test_a_directory_is_no_file() -> None:
    block = unixfs.directory([])
    with pytest.raises(NotANode):
        unixfs.read(block.cid, block.data)


@given(
    st.lists(names.filter(lambda n: n not in (".", "..")), unique=True).map(
        lambda found: sorted(found, key=str.encode)
    )
)
def test_a_pin_set_is_a_directory_of_its_entries(found: list[str]) -> None:
    entries = [Entry(name, cid.of(name.encode()), len(name.encode())) for name in found]
    [block] = pin_set.blocks(entries)
    read = unixfs.read_directory(block.data)
    assert [(link.name, link.cid) for link in read] == [(e.name, e.cid) for e in entries]
    assert pin_set.root(entries) == block.cid


def test_a_large_pin_set_has_pages_and_a_longer_one_shares_them() -> None:
    entries = [Entry(f"{n:06}.json", cid.of(b"%d" % n), len(b"%d" % n)) for n in range(2_500)]
    blocks = list(pin_set.blocks(entries))
    assert len(blocks) == 4  # three pages and the root
    held = {block.cid: block.data for block in blocks}
    pages = unixfs.read_directory(blocks[-1].data)
    assert [page.name for page in pages] == ["000000.json", "001024.json", "002048.json"]
    listed = [link.name for page in pages for link in unixfs.read_directory(held[page.cid])]
    assert listed == [each.name for each in entries]
    sizes = [sum(e.size for e in entries[at : at + 1024]) for at in (0, 1024, 2048)]
    assert [p.size - len(held[p.cid]) for p in pages] == sizes
    longer = list(pin_set.blocks([*entries, Entry("999999.json", cid.of(b""), 0)]))
    assert longer[:2] == blocks[:2]


@pytest.mark.parametrize("wrong", [["b", "a"], ["a", "a"], [""], ["a/b"], [".."], ["a" * 129]])
def test_names_that_are_none_are_refused(wrong: list[str]) -> None:
    with pytest.raises(BadPinSet):
        pin_set.root([Entry(name, cid.of(b""), 0) for name in wrong])


@given(st.lists(cids, max_size=300), some_blocks, st.integers(1, 50))
def test_an_archive_that_is_written_is_read(
    roots: list[Cid], blocks: list[Block], size: int
) -> None:
    written = car.archive(roots, blocks)
    reader = Reader()
    read = [
        block
        for at in range(0, len(written), size)
        for block in reader.feed(written[at : at + size])
    ]
    reader.close()
    assert (reader.roots, read) == (tuple(roots), blocks)


@given(some_blocks.filter(bool), st.data())
def test_a_changed_bit_of_an_archive_never_gives_other_bytes_under_an_id(
    blocks: list[Block], data: st.DataObject
) -> None:
    written = bytearray(car.archive([blocks[0].cid], blocks))
    bit = data.draw(st.integers(0, len(written) * 8 - 1))
    written[bit // 8] ^= 1 << bit % 8
    reader = Reader()
    try:
        read = list(reader.feed(bytes(written)))
        reader.close()
    except BadCar:
        return
    # a changed root or codec is another archive, whose blocks still are what they are called
    assert all(block.cid.is_of(block.data) for block in read)
    assert [block.data for block in read] == [block.data for block in blocks]


@given(some_blocks, st.data())
def test_an_archive_that_is_cut_off_is_no_archive(blocks: list[Block], data: st.DataObject) -> None:
    written = car.archive([], blocks)
    ends = {len(car.archive([], blocks[:n])) for n in range(len(blocks) + 1)}
    end = data.draw(st.integers(0, len(written)).filter(lambda n: n not in ends))
    reader = Reader()
    list(reader.feed(written[:end]))
    with pytest.raises(BadCar):
        reader.close()


@pytest.mark.parametrize(
    "piece",
    [
        b"\xff" * 20,
        b"\x00",
        b"\xff\xff\xff\x7f",  # a header of 256 MiB
        b"\x0a\xa1gversion\x02",
        car.header([]) + b"\xff\xff\xff\x7f",
        car.header([]) + b"\x03abc",
    ],
)
def test_nonsense_is_refused_at_once(piece: bytes) -> None:
    with pytest.raises(BadCar):
        list(Reader().feed(piece))


def test_the_archive_of_the_specification() -> None:
    """The header of https://ipld.io/specs/transport/car/fixture/carv1-basic/."""
    fixture = bytes.fromhex(
        "63a265726f6f747382d82a58250001711220f88bc853804cf294fe417e4fa83028689fcdb1b1592c5102e1474dbc200fab8b"
        "d82a5825000171122069ea0740f9807a28f4d932c62e7c1c83be055e55072c90266ab3e79df63a365b6776657273696f6e01"
    )
    with pytest.raises(BadCar, match="codec 0x71"):
        list(Reader().feed(fixture))
    ours = car.header([Cid(Codec.RAW, fixture[18:50]), Cid(Codec.RAW, fixture[59:91])])
    assert ours == fixture.replace(b"\x01\x71\x12", b"\x01\x55\x12")
