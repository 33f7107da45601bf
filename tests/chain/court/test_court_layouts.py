"""The court's layouts: those of the ABI, and nothing that a stranger sends gets past them."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
import pytest
from eth_abi.abi import encode as abi_encode
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from chain.court import anchor, commitment, encoding, filing, messages, reference, seed, snapshot
from chain.court.commitment import Court
from chain.court.filing import Batch, Filing, is_filed
from chain.court.messages import Commit, Reveal
from chain.ethereum import Account
from chain.standard_tree import root_of

COURT = Court(31_337, "0x" + "c0" * 20)
KEY = Account.from_key(b"\x07" * 32)
OTHER = Account.from_key(b"\x08" * 32)
words = st.binary(min_size=32, max_size=32)
addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
scores = st.integers(0, 10_000)
sheets = st.lists(scores, max_size=64)
replace = msgspec.structs.replace


@st.composite
def filings(draw: Any) -> Filing:
    lines = draw(st.integers(1, 8))
    number = st.integers(0, 2**64)
    return Filing(
        case=draw(words),
        hearing=draw(st.integers(0, 20)),
        transcript=draw(words),
        seats=draw(st.integers(1, 31)),
        snapshot=draw(number),
        contestants=draw(st.integers(1, 8)),
        weights=tuple(draw(st.lists(st.integers(1, 255), min_size=lines, max_size=lines))),
        prior=tuple(draw(st.lists(scores, min_size=lines, max_size=lines))),
        scale=draw(st.integers(1, 2**40)),
        fee=draw(number),
        lock=draw(number),
        margin=draw(scores),
        commit_s=draw(number),
        reveal_s=draw(number),
        reference=draw(words),
    )


FILING = Filing(
    case=b"\x01" * 32,
    hearing=0,
    transcript=b"\x02" * 32,
    seats=7,
    snapshot=3,
    contestants=2,
    weights=(2, 1),
    prior=(5_000, 6_000),
    scale=1_000_000,
    fee=4_000,
    lock=10**18,
    margin=300,
    commit_s=60,
    reveal_s=30,
    reference=b"\x03" * 32,
)


@given(st.lists(addresses, max_size=4), sheets, words, st.integers(-(2**255), 2**256 - 1))
def test_values_are_encoded_as_the_abi_says(
    some: list[str], sheet: list[int], word: bytes, number: int
) -> None:
    kind = "int256" if number < 0 else "uint256"
    there = abi_encode(
        ["address[]", "bytes32", "uint16[]", kind, "bytes32[]"],
        [some, word, sheet, number, [word]],
    )
    assert encoding.encode(some, word, sheet, number, [word]) == there


@pytest.mark.parametrize("value", [b"", b"\0" * 31, "0x12", "0xzz", 1 << 256, -(1 << 255) - 1])
def test_what_is_no_word_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"expected|bits|hex"):
        encoding.word(value)


@given(filings())
def test_a_filing_is_the_contracts_struct(one: Filing) -> None:
    kinds = ["bytes32", "uint256", "bytes32", *["uint256"] * 11, "bytes32"]
    packed = [int.from_bytes(bytes(reversed(one.weights)), "big")]
    packed.append(sum(prior << 16 * at for at, prior in enumerate(one.prior)))
    values: list[Any] = [one.case, one.hearing, one.transcript, one.seats, one.snapshot]
    values += [one.contestants, *packed, one.scale, one.fee, one.lock, one.margin]
    values += [one.commit_s, one.reveal_s, one.reference]
    assert one.leaf() == keccak(keccak(abi_encode(kinds, values)))
    assert filing.unpacked(packed[0], 8, len(one.weights)) == one.weights
    assert filing.unpacked(packed[1], 16, len(one.prior)) == one.prior


@given(filings(), st.integers(1, 12))
def test_a_batch_holds_its_filings_and_no_other(one: Filing, count: int) -> None:
    batch = Batch([replace(one, hearing=number) for number in range(count)])
    for number in range(count):
        proof = batch.proof(number)
        assert is_filed(replace(one, hearing=number), proof, batch.root)
        assert not is_filed(replace(one, hearing=number, fee=one.fee + 1), proof, batch.root)
    assert batch.count == count


@pytest.mark.parametrize(
    "wrong",
    [
        {"weights": ()},
        {"weights": (1, 0)},
        {"weights": (1,) * 9, "prior": (1,) * 9},
        {"weights": (256, 1)},
        {"prior": (1,)},
        {"prior": (1, 1 << 16)},
        {"seats": 0},
        {"seats": 32},
        {"contestants": 0},
        {"contestants": 9},
        {"scale": 0},
        {"fee": -1},
        {"lock": 1 << 200},
        {"case": b"short"},
        {"reference": b""},
    ],
)
def test_a_filing_that_fits_no_contract_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"expected|lines|seats|numbers|fit"):
        replace(FILING, **wrong).leaf()


def test_a_batch_is_of_some_filings_each_once() -> None:
    for wrong in ([], [FILING, FILING], [FILING, replace(FILING, fee=1)]):
        with pytest.raises(ValueError, match=r"a batch has|filed twice"):
            Batch(wrong)


@given(words, words, st.integers(0, 20), st.integers(0, 45))
def test_a_seats_word_is_the_contracts(
    the_seed: bytes, case: bytes, hearing: int, seat: int
) -> None:
    there = keccak(
        abi_encode(["bytes32", "bytes32", "uint256", "uint256"], [the_seed, case, hearing, seat])
    )
    assert seed.words(the_seed, case, hearing)(seat) == int.from_bytes(there, "big")
    assert seed.seed_of(case, seat) == keccak(abi_encode(["bytes32", "uint256"], [case, seat]))


@given(sheets, words, words, st.integers(0, 20))
def test_a_commitment_is_the_contracts(
    sheet: list[int], digest: bytes, salt: bytes, hearing: int
) -> None:
    shown = commitment.scores_hash(sheet, digest)
    assert shown == keccak(abi_encode(["uint16[]", "bytes32"], [sheet, digest]))
    kinds = ["bytes32", "uint256", "address", "bytes32", "uint256", "address", "bytes32", "bytes32"]
    values: list[Any] = [commitment.COMMIT_TYPEHASH, COURT.chain_id, COURT.address, FILING.case]
    values += [hearing, KEY.address, shown, salt]
    found = commitment.commitment(COURT, FILING.case, hearing, KEY.address, shown, salt)
    assert found == keccak(abi_encode(kinds, values))
    assert reference.commitment(salt, sheet) == keccak(
        abi_encode(["bytes32", "uint16[]"], [salt, sheet])
    )


def test_a_commitment_binds_everything() -> None:
    shown = commitment.scores_hash([1, 2], b"\x09" * 32)
    one = (COURT, FILING.case, 0, KEY.address, shown, b"\x04" * 32)
    others: list[Any] = [
        (Court(1, COURT.address), *one[1:]),
        (Court(COURT.chain_id, "0x" + "c1" * 20), *one[1:]),
        (COURT, b"\x05" * 32, *one[2:]),
        (*one[:2], 1, *one[3:]),
        (*one[:3], OTHER.address, *one[4:]),
        (*one[:4], commitment.scores_hash([2, 1], b"\x09" * 32), one[5]),
        (*one[:4], commitment.scores_hash([1, 2], b"\x08" * 32), one[5]),
        (*one[:5], b"\x06" * 32),
    ]
    assert len({commitment.commitment(*each) for each in (one, *others)}) == len(others) + 1


def test_reasons_are_hashed_in_canonical_form() -> None:
    said = [["plain", 'with "quotes"'], ["é", ""]]
    written = '[["plain","with \\"quotes\\""],["é",""]]'.encode()
    assert commitment.reasons_digest(said) == hashlib.sha256(written).digest()
    with pytest.raises(ValueError, match="surrogate"):
        commitment.reasons_digest([["\ud800"]])


COMMIT = Commit(FILING.case, 0, b"\x05" * 32, 4)
REVEAL = Reveal(FILING.case, 0, b"\x06" * 32, b"\x07" * 32)


@pytest.mark.parametrize("message", [COMMIT, REVEAL])
def test_who_has_signed_a_message_is_known(message: Commit | Reveal) -> None:
    signature = messages.sign(KEY, COURT, message)
    assert messages.recover(COURT, message, signature) == KEY.address
    assert messages.recover(Court(1, COURT.address), message, signature) != KEY.address
    assert messages.recover(COURT, replace(message, hearing=1), signature) != KEY.address


def test_the_typed_data_is_what_the_page_says() -> None:
    data = messages.to_sign(COURT, COMMIT)
    assert data["domain"] == {
        "name": "Agon Court",
        "version": "1",
        "chainId": 31_337,
        "verifyingContract": COURT.address,
    }
    fields = ",".join(f"{each['type']} {each['name']}" for each in data["types"]["Commit"])
    assert fields == "bytes32 case,uint256 hearing,bytes32 commitment,uint256 ordinal"
    fields = ",".join(
        f"{each['type']} {each['name']}"
        for each in messages.to_sign(COURT, REVEAL)["types"]["Reveal"]
    )
    assert fields == "bytes32 case,uint256 hearing,bytes32 scores_hash,bytes32 salt"


def test_a_signatures_twin_is_none() -> None:
    signature = messages.sign(KEY, COURT, COMMIT)
    raw = bytes.fromhex(signature[2:])
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    twin = raw[:32] + (order - int.from_bytes(raw[32:64], "big")).to_bytes(32, "big")
    twin += bytes([55 - raw[64]])
    assert messages.recover(COURT, COMMIT, "0x" + twin.hex()) is None


@pytest.mark.parametrize(
    "signature", ["", "0x", "0x" + "00" * 65, "0x" + "ff" * 65, "0x" + "zz" * 65, "11" * 66]
)
def test_what_is_no_signature_is_nobodys(signature: str) -> None:
    assert messages.recover(COURT, COMMIT, signature) is None


@given(st.lists(st.tuples(addresses, addresses, words, st.integers(0, 2**96)), max_size=20))
def test_a_snapshot_is_the_registrys(rows: list[tuple[str, str, bytes, int]]) -> None:
    lists: list[Any] = (
        [list(each) for each in zip(*rows, strict=True)] if rows else [[], [], [], []]
    )
    there = keccak(abi_encode(["address[]", "address[]", "bytes32[]", "uint256[]"], lists))
    found = snapshot.snapshot_of(3, *lists)
    assert found.digest() == there
    assert [each.weight for each in found.judges] == lists[3]


def test_lists_that_do_not_fit_are_no_snapshot() -> None:
    with pytest.raises(ValueError, match="four lists"):
        snapshot.snapshot_of(1, [KEY.address], [], [], [])
    with pytest.raises(ValueError, match="four lists"):
        snapshot.snapshot_of(1, [KEY.address] * 257, [KEY.address] * 257, [b""] * 257, [1] * 257)


@given(st.integers(-(10**7), 2_000_000), st.integers(-(10**9), 10**9), st.integers(0, 10**24))
def test_an_anchor_proves_each_of_its_leaves(skill: int, pay: int, slash: int) -> None:
    inputs = anchor.inputs_hash([KEY.address, OTHER.address], [b"\x22" * 32, b"\x33" * 32])
    listed: list[Any] = [[KEY.address, OTHER.address], [b"\x22" * 32, b"\x33" * 32]]
    assert inputs == keccak(abi_encode(["address[]", "bytes32[]"], listed))
    verdict = anchor.verdict_hash([7_000, 6_000], [7_000, 6_000], 1_000, inputs)
    case = anchor.CaseLeaf(FILING.case, 0, verdict, b"\x11" * 32)
    seats: list[anchor.Leaf] = [
        anchor.SeatLeaf(FILING.case, 0, who.address, 3, skill, pay, slash) for who in (KEY, OTHER)
    ]
    leaves: list[anchor.Leaf] = [case, *seats]
    tree = anchor.AnchorTree(leaves)
    for each in leaves:
        assert root_of(each.leaf(), tree.proof(each)) == tree.root
    kinds = ["bytes32", "bytes32", "uint256", "address", "uint256", "int256", "int256", "uint256"]
    values: list[Any] = [anchor.SEAT, FILING.case, 0, KEY.address, 3, skill, pay, slash]
    assert seats[0].leaf() == keccak(keccak(abi_encode(kinds, values)))
    assert case.leaf() == keccak(
        keccak(
            abi_encode(
                ["bytes32", "bytes32", "uint256", "bytes32", "bytes32"],
                [anchor.CASE, FILING.case, 0, verdict, b"\x11" * 32],
            )
        )
    )


def test_an_anchor_is_of_some_leaves_each_once() -> None:
    leaf = anchor.EarnedLeaf(KEY.address, 5)
    for wrong in ([], [leaf, leaf]):
        with pytest.raises(ValueError, match="each once"):
            anchor.AnchorTree(wrong)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=32))
def test_a_family_goes_by_its_name(name: str) -> None:
    assert len(snapshot.family_id(name)) == 32
    assert snapshot.family_name(snapshot.family_id(name)) == name


@pytest.mark.parametrize("name", ["", "x" * 33, "zoë", "a\nb", "a\0b"])
def test_what_is_no_family_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a family has"):
        snapshot.family_id(name)


@given(words)
def test_whatever_a_judge_registers_can_be_shown(family: bytes) -> None:
    assert snapshot.family_name(family).isprintable()
