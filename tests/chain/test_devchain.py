"""The embedded chain, over HTTP as any client sees it: shapes, refusals, blocks, reorganisations, restarts."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from chain.devchain.accounts import ADDRESSES
from chain.devchain.disk import Disk, DiskInUse
from chain.devchain.server import serving
from tests.chain.rpc import ANSWER, LOGGER, REFUSER, Refused, Wire, creation, signed

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def chain() -> AsyncIterator[Wire]:
    """One that makes a block of each transaction at once."""
    async with serving(None, interval_s=0) as url:
        wire = Wire(url)
        yield wire
        await wire.close()


async def deploy(chain: Wire, runtime: bytes) -> str:
    nonce = int(await chain("eth_getTransactionCount", ADDRESSES[0], "latest"), 16)
    hash_ = await chain("eth_sendRawTransaction", signed(nonce, to=None, data=creation(runtime)))
    return str((await chain("eth_getTransactionReceipt", hash_))["contractAddress"])


async def test_a_transaction_is_in_a_block_with_a_receipt(chain: Wire) -> None:
    before = int(await chain("eth_getBalance", ADDRESSES[9], "latest"), 16)
    hash_ = await chain("eth_sendRawTransaction", signed(0, value=5))
    receipt = await chain("eth_getTransactionReceipt", hash_)
    block = await chain("eth_getBlockByNumber", "latest", False)
    assert (receipt["status"], receipt["gasUsed"], receipt["blockNumber"]) == (
        "0x1",
        "0x5208",
        "0x1",
    )
    assert receipt["blockHash"] == block["hash"]
    assert block["transactions"] == [hash_]
    assert block == await chain("eth_getBlockByHash", block["hash"], False)
    full = await chain("eth_getBlockByNumber", "0x1", True)
    assert full["transactions"] == [await chain("eth_getTransactionByHash", hash_)]
    assert int(await chain("eth_getBalance", ADDRESSES[9], "latest"), 16) == before + 5
    assert int(await chain("eth_getBalance", ADDRESSES[9], "0x0"), 16) == before
    assert await chain("eth_getTransactionCount", ADDRESSES[0], "latest") == "0x1"
    parent = await chain("eth_getBlockByNumber", "0x0", False)
    assert block["parentHash"] == parent["hash"]


async def test_contracts_answer_and_say_why_they_refuse(chain: Wire) -> None:
    answer, refuser = await deploy(chain, ANSWER), await deploy(chain, REFUSER)
    assert int(await chain("eth_call", {"to": answer}, "latest"), 16) == 42
    assert await chain("eth_getCode", answer, "latest") == "0x" + ANSWER.hex()
    for method in ("eth_call", "eth_estimateGas"):
        with pytest.raises(Refused, match="execution reverted: no!") as refused:
            await chain(method, {"to": refuser})
        assert refused.value.code == 3
        assert str(refused.value.data).startswith("0x08c379a0")
    gas = int(await chain("eth_estimateGas", {"to": answer}), 16)
    hash_ = await chain("eth_sendRawTransaction", signed(2, to=answer, gas=gas))
    assert (await chain("eth_getTransactionReceipt", hash_))["status"] == "0x1"


async def test_logs_are_found_by_range_address_and_topic(chain: Wire) -> None:
    logger, other = await deploy(chain, LOGGER), await deploy(chain, LOGGER)
    for nonce, (to, word) in enumerate([(logger, 1), (other, 1), (logger, 2)], start=2):
        await chain("eth_sendRawTransaction", signed(nonce, to=to, data=word.to_bytes(32, "big")))
    found = await chain("eth_getLogs", {"fromBlock": "0x0", "toBlock": "latest", "address": logger})
    assert [int(log["data"], 16) for log in found] == [1, 2]
    assert {log["address"] for log in found} == {logger}
    topic = found[0]["topics"][0]
    by_topic = await chain("eth_getLogs", {"fromBlock": "0x0", "topics": [[topic]]})
    assert [log["address"] for log in by_topic] == [logger, other]
    assert (
        await chain("eth_getLogs", {"fromBlock": "0x5", "toBlock": "0x5", "address": other}) == []
    )
    assert await chain("eth_getLogs", {"blockHash": found[1]["blockHash"]}) == [found[1]]
    receipt = await chain("eth_getTransactionReceipt", found[0]["transactionHash"])
    assert receipt["logs"] == [found[0]]


async def test_two_logs_of_one_block_have_different_indices(chain: Wire) -> None:
    logger = await deploy(chain, LOGGER)
    await chain("evm_setAutomine", False)
    for nonce in (1, 2):
        await chain("eth_sendRawTransaction", signed(nonce, to=logger, data=bytes(32)))
    await chain("evm_mine")
    found = await chain("eth_getLogs", {"fromBlock": "latest", "toBlock": "latest"})
    assert [(log["logIndex"], log["transactionIndex"]) for log in found] == [
        ("0x0", "0x0"),
        ("0x1", "0x1"),
    ]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (signed(0, chain_id=1), "invalid chain id"),
        (signed(0, gas=20_999), "intrinsic gas too low"),
        (signed(0, gas=30_000_001), "exceeds block gas limit"),
        (signed(0, value=10**30), "insufficient funds"),
        (signed(0, fee=1, tip=2), "max priority fee per gas higher"),
        ("0x02c0", "cannot decode"),
        ("0x03" + "00" * 40, "type 3 is not supported"),
    ],
)
async def test_what_no_block_can_hold_is_refused(chain: Wire, raw: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        await chain("eth_sendRawTransaction", raw)
    assert await chain("eth_blockNumber") == "0x0"


async def test_a_nonce_is_used_once_and_outbid_by_a_tenth_on_both_fees(chain: Wire) -> None:
    await chain("evm_setAutomine", False)
    standing = signed(0, fee=2_000_000_000, tip=1_000_000)
    await chain("eth_sendRawTransaction", standing)
    with pytest.raises(Refused, match="already known"):
        await chain("eth_sendRawTransaction", standing)
    for fee, tip in [
        (2_199_999_999, 1_100_000),
        (2_200_000_000, 1_099_999),
        (4_000_000_000, 1_000_000),
    ]:
        with pytest.raises(Refused, match="replacement transaction underpriced"):
            await chain("eth_sendRawTransaction", signed(0, fee=fee, tip=tip))
    second = await chain("eth_sendRawTransaction", signed(0, fee=2_200_000_000, tip=1_100_000))
    await chain("evm_mine")
    assert (await chain("eth_getTransactionReceipt", second))["status"] == "0x1"
    with pytest.raises(Refused, match="nonce too low"):
        await chain("eth_sendRawTransaction", standing)


async def test_a_gap_waits_to_be_filled(chain: Wire) -> None:
    later = await chain("eth_sendRawTransaction", signed(1))
    assert await chain("eth_getTransactionReceipt", later) is None
    assert (await chain("eth_getTransactionByHash", later))["blockHash"] is None
    assert await chain("eth_getTransactionCount", ADDRESSES[0], "pending") == "0x0"
    await chain("eth_sendRawTransaction", signed(0))
    assert (await chain("eth_getTransactionReceipt", later))["blockNumber"] == "0x2"


async def test_what_does_not_pay_the_base_fee_waits(chain: Wire) -> None:
    hash_ = await chain("eth_sendRawTransaction", signed(0, fee=800_000_000, tip=0))
    assert await chain("eth_getTransactionReceipt", hash_) is None
    await chain("evm_mine", 3)  # empty blocks make it cheaper
    assert await chain("eth_getTransactionReceipt", hash_) is not None


@pytest.mark.parametrize("dropped", [True, False])
async def test_a_reorganisation_undoes_blocks(chain: Wire, dropped: bool) -> None:
    logger = await deploy(chain, LOGGER)
    hash_ = await chain("eth_sendRawTransaction", signed(1, to=logger, data=bytes(32)))
    gone = await chain("eth_getBlockByNumber", "0x2", False)
    await chain("evm_reorg", 1, dropped)
    assert await chain("eth_blockNumber") == "0x3"
    assert (await chain("eth_getBlockByNumber", "0x2", False))["hash"] != gone["hash"]
    assert await chain("eth_getBlockByHash", gone["hash"], False) is None
    assert await chain("eth_getTransactionReceipt", hash_) is None
    assert await chain("eth_getTransactionCount", ADDRESSES[0], "latest") == "0x1"
    assert await chain("eth_getLogs", {"fromBlock": "0x0"}) == []
    await chain("evm_mine")
    again = await chain("eth_getTransactionReceipt", hash_)
    assert again is None if dropped else again["blockNumber"] == "0x4"
    if dropped:  # the same bytes can be sent again
        assert await chain("eth_sendRawTransaction", signed(1, to=logger, data=bytes(32))) == hash_


async def test_the_clock_is_set_forward_for_good(chain: Wire) -> None:
    before = int((await chain("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
    await chain("evm_increaseTime", 1_000)
    await chain("evm_mine")
    after = int((await chain("eth_getBlockByNumber", "latest", False))["timestamp"], 16)
    assert 1_000 <= after - before < 1_010
    await chain("evm_setNextBlockTimestamp", after + 500)
    await chain("evm_mine", 2)
    first, second = [
        int((await chain("eth_getBlockByNumber", number, False))["timestamp"], 16)
        for number in ("0x2", "0x3")
    ]
    assert first == after + 500
    assert first < second < first + 10


async def test_fees_are_told(chain: Wire) -> None:
    history = await chain("eth_feeHistory", "0x4", "latest", [25, 75])
    assert history["oldestBlock"] == "0x0"
    assert len(history["baseFeePerGas"]) == 2  # of the first block, and of the next
    assert len(history["reward"]) == 1
    assert (
        int(await chain("eth_gasPrice"), 16) > int(await chain("eth_maxPriorityFeePerGas"), 16) > 0
    )


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        ("eth_nothing", [], -32601),
        ("eth_getBalance", ["0x12"], -32602),
        ("eth_getBalance", [ADDRESSES[0], "0xzz"], -32602),
        ("eth_getBalance", [ADDRESSES[0], "0x99"], -32000),
        ("eth_getBlockByNumber", ["0x" + "f" * 65, False], -32602),
        ("eth_getLogs", [{"fromBlock": "0x2", "toBlock": "0x1"}], -32602),
        ("eth_getLogs", [{"fromBlock": "0x0", "toBlock": "0xffffff"}], -32005),
        ("eth_getLogs", [{"address": ["0x" + "00" * 20] * 101}], -32602),
        ("eth_getLogs", [{"topics": [None] * 5}], -32602),
        ("eth_getStorageAt", [ADDRESSES[0], "0x-1", "latest"], -32602),
        ("eth_call", [{"to": "0x1"}], -32602),
        ("eth_sendRawTransaction", ["hello"], -32602),
        ("evm_revert", ["0x9"], -32000),
    ],
)
async def test_a_bad_request_is_told_what_is_wrong(
    chain: Wire, method: str, params: list[object], code: int
) -> None:
    with pytest.raises(Refused) as refused:
        await chain(method, *params)
    assert refused.value.code == code
    assert str(refused.value)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 60_000, -32600),
        (b'{"method":' + b"[" * 60_000, -32600),
        (b'{"method":"a","params":[' + b"[" * 60_000, -32600),
        (b'{"x":' + b"[" * 60_000, -32700),
        (b"{", -32700),
        (b"[]", -32600),
        (b'{"params":[]}', -32600),
        (b"\xff", -32700),
    ],
)
async def test_no_document_ends_the_chain(chain: Wire, body: bytes, code: int) -> None:
    headers = {"content-type": "application/json"}
    answer = (await chain.http.post(chain.url, content=body, headers=headers)).json()
    assert answer["error"]["code"] in (code, -32700)
    assert await chain("eth_chainId") == "0x7a69"


async def test_a_batch_is_answered_in_order(chain: Wire) -> None:
    asked = [{"jsonrpc": "2.0", "id": at, "method": "eth_chainId", "params": []} for at in range(3)]
    answers = (await chain.http.post(chain.url, json=asked)).json()
    assert [each["id"] for each in answers] == [0, 1, 2]


async def test_web_pages_and_floods_are_turned_away(chain: Wire) -> None:
    body = b'{"method":"eth_chainId"}'
    plain = await chain.http.post(chain.url, content=body, headers={"content-type": "text/plain"})
    assert plain.status_code == 415
    json = {"content-type": "application/json"}
    rebound = await chain.http.post(
        chain.url, content=body, headers=json | {"host": "evil.example"}
    )
    assert rebound.status_code == 403
    huge = await chain.http.post(chain.url, content=b" " * 2_000_000, headers=json)
    assert huge.status_code == 413


async def test_blocks_come_by_themselves_after_a_transaction() -> None:
    async with serving(None, interval_s=0.02) as url:
        wire = Wire(url)
        await asyncio.sleep(0.1)
        assert await wire("eth_blockNumber") == "0x0", "nothing happens, so no blocks"
        hash_ = await wire("eth_sendRawTransaction", signed(0))
        async with asyncio.timeout(10):
            while int(await wire("eth_blockNumber"), 16) < 17:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.1)
        assert await wire("eth_blockNumber") == "0x11", "buried, and no more"
        assert (await wire("eth_getTransactionReceipt", hash_))["blockNumber"] == "0x1"
        await wire.close()


async def test_a_chain_is_used_by_one_process(tmp_path: Path) -> None:
    disk = Disk(tmp_path / "chain.sqlite")
    try:
        with pytest.raises(DiskInUse):
            Disk(tmp_path / "chain.sqlite")
    finally:
        disk.close()


async def test_a_killed_chain_has_lost_nothing_that_it_answered(tmp_path: Path) -> None:
    file = tmp_path / "chain.sqlite"
    process, url = _start(file, interval_s=0.05)
    wire = Wire(url)
    hash_ = await wire("eth_sendRawTransaction", signed(0))
    async with asyncio.timeout(10):
        while await wire("eth_getTransactionReceipt", hash_) is None:
            await asyncio.sleep(0.02)
    receipt = await wire("eth_getTransactionReceipt", hash_)
    later = await wire("eth_sendRawTransaction", signed(2))  # a gap: it waits
    latest = await wire("eth_sendRawTransaction", signed(1))
    await wire.close()
    _end(process, signal.SIGKILL)
    process, url = _start(file, interval_s=0.05)
    wire = Wire(url)
    try:
        assert await wire("eth_getTransactionReceipt", hash_) == receipt
        async with asyncio.timeout(10):
            while await wire("eth_getTransactionReceipt", later) is None:
                await asyncio.sleep(0.02)
        assert (await wire("eth_getTransactionReceipt", latest))["status"] == "0x1"
    finally:
        await wire.close()
        assert _end(process, signal.SIGTERM) == 0


async def test_another_chain_is_not_taken_for_this_one(tmp_path: Path) -> None:
    async with serving(tmp_path / "chain.sqlite", interval_s=0):
        pass
    with pytest.raises(ValueError, match="has the id 31337, not 5"):
        async with serving(tmp_path / "chain.sqlite", chain_id=5):
            pass


def _start(file: Path, interval_s: float) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "chain.devchain", str(file), "0", "31337", str(interval_s)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stdout is not None
    url = process.stdout.readline().strip()
    assert url.startswith("http"), "it did not come up"
    httpx.post(url, json={"method": "eth_chainId"}, trust_env=False).raise_for_status()
    return process, url


def _end(process: subprocess.Popen[str], how: signal.Signals) -> int:
    process.send_signal(how)
    status = process.wait(10)
    assert process.stdout is not None
    process.stdout.close()
    return status
