from __future__ import annotations

from typing import Any

import pytest
from starlette.responses import JSONResponse, Response

from server.evm import Chain, ChainUnavailable
from server.wallets import BadSignature, check_signature, recover
from tests.server.wallet import ORDER, Wallet, chain_node

TEXT = "arena.example wants you to sign in with your Ethereum account:\n…"
CONTRACT = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
YES = "0x1626ba7e" + "0" * 56


def split(signature: bytes) -> tuple[int, int, int]:
    return (
        int.from_bytes(signature[:32], "big"),
        int.from_bytes(signature[32:64], "big"),
        signature[64],
    )


def joined(r: int, s: int, v: int) -> bytes:
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([v])


def test_a_key_signs_for_its_own_address() -> None:
    wallet = Wallet()
    assert recover(TEXT, wallet.sign(TEXT)) == wallet.address
    assert recover(TEXT + " ", wallet.sign(TEXT)) != wallet.address


def test_a_signature_has_one_form() -> None:
    wallet = Wallet()
    r, s, v = split(wallet.sign(TEXT))
    # The same key has signed these, too, as far as the curve is concerned.
    for other in (joined(r, ORDER - s, 55 - v), joined(r, s, v - 27), joined(r, s, v + 8)):
        with pytest.raises(BadSignature, match="one form"):
            recover(TEXT, other)


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x1b",
        b"\x00" * 64,
        b"\x00" * 65,
        b"\xff" * 65,
        joined(0, 1, 27),
        joined(1, 0, 27),
        joined(ORDER, 1, 27),
        joined(5, 1, 27),  # no point of the curve has this x
        b"\x01" * 64 + b"\x1b\x00",
    ],
)
def test_garbage_is_no_signature(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        recover(TEXT, signature)


async def test_without_a_chain_another_key_is_refused() -> None:
    with pytest.raises(BadSignature, match=Wallet(2).address):
        await check_signature(TEXT, Wallet(1).address, Wallet(2).sign(TEXT), None)


class Contract:
    """A node of chain 31337 where one contract answers each call with `says`."""

    def __init__(self, says: Any, chain_id: str = "0x7a69") -> None:
        self.says = says
        self.chain_id = chain_id
        self.asked: list[dict[str, str]] = []

    def __call__(self, method: str, params: list[Any]) -> Any:
        if method == "eth_chainId":
            return self.chain_id
        assert method == "eth_call"
        assert params[1] == "latest"
        self.asked.append(params[0])
        return self.says


async def agrees(contract: Contract, signature: bytes = b"\x01\x02\x03") -> None:
    async with chain_node(contract) as url:
        await check_signature(TEXT, CONTRACT, signature, Chain(url, 31_337))


async def test_a_contract_wallet_is_asked_as_erc_1271_says() -> None:
    contract = Contract(YES)
    await agrees(contract)
    assert contract.asked[0]["to"] == CONTRACT
    data = bytes.fromhex(contract.asked[0]["data"][2:])
    assert data[:4].hex() == "1626ba7e"
    assert data[36:68] == (64).to_bytes(32, "big")
    assert data[68:100] == (3).to_bytes(32, "big")
    assert data[100:] == b"\x01\x02\x03" + b"\x00" * 29


async def test_a_key_is_believed_without_asking_the_chain() -> None:
    contract, wallet = Contract(YES), Wallet()
    async with chain_node(contract) as url:
        await check_signature(TEXT, wallet.address, wallet.sign(TEXT), Chain(url, 31_337))
    assert contract.asked == []


@pytest.mark.parametrize(
    "says",
    [
        "0x",  # no contract there
        "0x1626ba7e",
        "0xffffffff" + "0" * 56,
        "0x" + "0" * 63 + "1",
        YES + "00",
        YES[:-1] + "1",
        # What a precompile does that echoes its input, which begins with the selector.
        "0x1626ba7e" + "ab" * 28,
        JSONResponse({"jsonrpc": "2.0", "id": 1, "error": {"code": 3, "message": "reverted"}}),
    ],
)
async def test_a_contract_that_does_not_say_yes_says_no(says: Any) -> None:
    with pytest.raises(BadSignature):
        await agrees(Contract(says))


@pytest.mark.parametrize(
    "says",
    [
        Response("<html>", media_type="text/html"),
        Response(b"[]"),
        JSONResponse({"result": 7}),
        JSONResponse({}),
        "no number",
        Response(b" " * 100_000),
    ],
)
async def test_a_node_that_answers_nonsense_decides_nothing(says: Any) -> None:
    with pytest.raises(ChainUnavailable):
        await agrees(Contract(says))


async def test_a_node_of_another_chain_decides_nothing() -> None:
    with pytest.raises(ChainUnavailable, match="chain 1, not of chain 31337"):
        await agrees(Contract(YES, chain_id="0x1"))


async def test_no_node_decides_nothing() -> None:
    chain = Chain("http://127.0.0.1:9", 31_337)
    with pytest.raises(ChainUnavailable):
        await check_signature(TEXT, CONTRACT, Wallet().sign(TEXT), chain)
