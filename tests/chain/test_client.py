"""The client on the embedded chain: what a node says, contracts deployed and called, actions done, logs read."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chain.client import deployment, signing
from chain.client.contract import Contract, NoContract
from chain.client.deployment import DeploymentFailed, Plan
from chain.client.escrow import Account, Escrow, Limits, Opening
from chain.client.fees import Fees
from chain.client.index import Indexer
from chain.client.node import (
    RangeTooWide,
    Reverted,
    RpcUnavailable,
    SendRefused,
    Trouble,
    WrongChain,
    trouble,
)
from chain.client.nonces import Call, Policy, State
from chain.client.rpc import Rpc
from chain.client.signer import KeySigner
from chain.client.txs import Alarm, TxWriter
from chain.devchain.accounts import ADDRESSES
from tests.chain.fake_chain import Fuse, MemoryTxs
from tests.chain.node import PLANS, Net, account, deployed, net
from tests.chain.rpc import CHAIN_ID, LOGGER, REFUSER, creation, signed
from tests.chain.test_index import MemoryLogs

SIGNER = KeySigner(account(0), CHAIN_ID)
SETTLER = KeySigner(account(1), CHAIN_ID)
OWNER = account(2)


@pytest.fixture
async def chain() -> AsyncIterator[Net]:
    async with net() as found:
        yield found


async def test_a_node_of_another_chain_is_refused(chain: Net) -> None:
    other = Rpc(chain.url, 1)
    with pytest.raises(WrongChain, match="chain 31337, not of chain 1"):
        await other.head()
    await other.close()


async def test_a_node_that_is_away_is_told_without_its_address() -> None:
    away = Rpc("http://127.0.0.1:9/secret", CHAIN_ID, timeout_s=1)
    with pytest.raises(RpcUnavailable) as told:
        await away.head()
    assert "secret" not in str(told.value)
    await away.close()


async def test_a_refusal_of_a_contract_is_told_in_its_words(chain: Net) -> None:
    receipt = await chain.send(0, None, creation(REFUSER))
    with pytest.raises(Reverted, match=r"^no!$"):
        await chain.rpc.call(receipt["contractAddress"], b"")
    with pytest.raises(Reverted, match=r"^no!$"):
        await chain.rpc.estimate(ADDRESSES[0], Call(receipt["contractAddress"], b"", 0))
    with pytest.raises(Reverted, match=r"insufficient|balance"):
        await chain.rpc.estimate(ADDRESSES[0], Call(ADDRESSES[1], b"", 0, value=10**30))


async def test_why_a_transaction_is_refused_is_understood(chain: Net) -> None:
    await chain.wire("evm_setAutomine", False)
    raw = bytes.fromhex(signed(0)[2:])
    await chain.rpc.send(raw)
    cases = [(raw, Trouble.KNOWN), (bytes.fromhex(signed(0, tip=2)[2:]), Trouble.UNDERPRICED)]
    cases += [(bytes.fromhex(signed(1, value=10**30)[2:]), Trouble.FUNDS)]
    cases += [(b"\x02nonsense", Trouble.OTHER)]
    await self_checks(chain, cases)
    await chain.wire("evm_mine")
    await self_checks(chain, [(bytes.fromhex(signed(0, tip=3)[2:]), Trouble.NONCE_USED)])


async def self_checks(chain: Net, cases: list[tuple[bytes, Trouble]]) -> None:
    for raw, expected in cases:
        with pytest.raises(SendRefused) as refused:
            await chain.rpc.send(raw)
        assert refused.value.trouble is expected


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("already known", Trouble.KNOWN),  # geth
        ("AlreadyKnown", Trouble.OTHER),  # nobody
        ("Known transaction", Trouble.KNOWN),  # besu
        ("transaction already imported", Trouble.KNOWN),  # anvil
        ("nonce too low: next nonce 5, tx nonce 4", Trouble.NONCE_USED),
        ("replacement transaction underpriced", Trouble.UNDERPRICED),
        ("max fee per gas less than block base fee", Trouble.UNDERPRICED),
        ("Insufficient funds for gas * price + value", Trouble.FUNDS),
        ("exceeds block gas limit", Trouble.OTHER),
    ],
)
def test_the_words_of_nodes_are_understood(words: str, expected: Trouble) -> None:
    assert trouble(words) is expected


async def test_logs_come_in_order_and_too_many_blocks_are_told(chain: Net) -> None:
    address = (await chain.send(0, None, creation(LOGGER)))["contractAddress"]
    for word in (1, 2):
        await chain.send(0, address, word.to_bytes(32, "big"))
    logs = await chain.rpc.logs([address], 0, 3)
    assert [(log.number, log.index, log.data[-1]) for log in logs] == [(2, 0, 1), (3, 0, 2)]
    assert await chain.rpc.logs([address], 0, 3, topics=["0x" + "11" * 32]) == []
    with pytest.raises(RangeTooWide):
        await chain.rpc.logs([address], 0, 50_000)


async def test_contracts_are_deployed_once(chain: Net, tmp_path: Path) -> None:
    manifest = await deployed(chain, tmp_path)
    height = (await chain.rpc.head()).number
    assert await deployed(chain, tmp_path) == manifest
    assert (await chain.rpc.head()).number == height, "nothing was sent"
    await deployment.verify(chain.rpc, manifest)
    escrow = Escrow(chain.rpc, manifest.address("escrow"))
    assert await escrow.read("USDC") == manifest.address("usdc")
    assert manifest.first_block == 1
    with pytest.raises(DeploymentFailed, match="no contract 'agents'"):
        manifest.address("agents")


@pytest.mark.parametrize("after", ["writing", "sending"])
async def test_a_deployment_that_was_killed_is_gone_on_with(
    chain: Net, tmp_path: Path, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Rpc.send

    async def dies(self: Rpc, raw: bytes) -> None:
        if after == "sending":
            await real(self, raw)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rpc, "send", dies)
        with pytest.raises(KeyboardInterrupt):
            await deployed(chain, tmp_path)
    journal = deployment.read(tmp_path / "manifest.json")
    assert journal is not None
    manifest = await deployed(chain, tmp_path)
    assert manifest.address("usdc") == journal.contracts["usdc"].address
    assert manifest.contracts["usdc"].tx == journal.contracts["usdc"].tx


async def test_a_deployment_whose_nonce_was_used_otherwise_takes_another(
    chain: Net, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(self: Rpc, raw: bytes) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Rpc, "send", dies)
        with pytest.raises(KeyboardInterrupt):
            await deployed(chain, tmp_path)
    await chain.send(0, ADDRESSES[5], b"")
    manifest = await deployed(chain, tmp_path)
    assert manifest.contracts["usdc"].nonce == 1
    await deployment.verify(chain.rpc, manifest)


async def test_what_a_reorganisation_took_away_is_deployed_again_to_the_same_address(
    chain: Net, tmp_path: Path
) -> None:
    before = await deployed(chain, tmp_path)
    await chain.wire("evm_reorg", "0x1", True)
    with pytest.raises(DeploymentFailed, match="escrow does not stand"):
        await deployment.verify(chain.rpc, before)
    after = await deployed(chain, tmp_path)
    assert after.address("escrow") == before.address("escrow")
    await deployment.verify(chain.rpc, after)


async def test_a_manifest_of_another_chain_or_build_is_refused(chain: Net, tmp_path: Path) -> None:
    await deployed(chain, tmp_path)
    async with net() as another:
        with pytest.raises(DeploymentFailed, match="begins with"):
            await deployed(another, tmp_path)
    other_terms = (*PLANS[:2], Plan("escrow", "escrow", lambda at: [at["usdc"], 5, 5]))
    with pytest.raises(DeploymentFailed, match="a new version is a new manifest"):
        await deployed(chain, tmp_path, other_terms)
    path = tmp_path / "manifest.json"
    path.write_bytes(path.read_bytes().replace(b"agon-deployment/1", b"agon-deployment/2"))
    with pytest.raises(DeploymentFailed, match="agon-deployment/2"):
        await deployed(chain, tmp_path)
    path.write_bytes(b"{")
    with pytest.raises(DeploymentFailed, match="no manifest"):
        await deployed(chain, tmp_path)


async def test_a_blueprint_is_code_that_nobody_can_call(chain: Net, tmp_path: Path) -> None:
    plan = Plan("pattern", "agent_token", blueprint=True)
    manifest = await deployed(chain, tmp_path, [plan])
    assert (await chain.rpc.code(manifest.address("pattern")))[:3] == bytes.fromhex("fe7100")


async def test_money_goes_in_plays_and_comes_out(chain: Net, tmp_path: Path) -> None:
    """All typed calls, by signatures where there are some."""
    manifest = await deployed(chain, tmp_path)
    escrow = Escrow(chain.rpc, manifest.address("escrow"))
    usdc = Contract(chain.rpc, "usdc_dev", manifest.address("usdc"))
    await chain.send(0, *usdc.invoke("mint", OWNER.address, 10_000_000))
    allowed = signing.authorization(
        OWNER,
        chain_id=CHAIN_ID,
        usdc=usdc.address,
        usdc_name=(await usdc.read("eip712Domain"))[1],
        usdc_version=await usdc.read("version"),
        escrow=escrow.address,
        amount=5_000_000,
        valid_before=2**40,
        nonce=bytes(32),
    )
    receipt = await chain.send(3, *escrow.deposit_with_authorization(allowed))
    assert receipt["status"] == "0x1"
    assert await escrow.account(OWNER.address) == Account(5_000_000, 0, 0, 0)
    limits = Limits(1_000_000, 3_000_000, 2**40, 1)
    signature = signing.limits(OWNER, CHAIN_ID, escrow.address, limits)
    await chain.send(3, *escrow.set_limits_by_signature(OWNER.address, limits, signature))
    assert await escrow.limits(OWNER.address) == limits

    settler = await escrow.read("SETTLER")
    await chain.send(0, *escrow.invoke("offer_role", settler, SETTLER.address))
    await chain.send(1, *escrow.invoke("take_role", settler))
    opening = Opening("01JXSESSION", 1_000_000, (OWNER.address,))
    receipt = await chain.send(1, *escrow.open_sessions([opening]))
    first = int(receipt["blockNumber"], 16)
    (log,) = await chain.rpc.logs([escrow.address], first, first)
    event = escrow.event(log)
    assert event is not None
    assert event.name == "Opened"
    assert event.fields["owners"] == (OWNER.address,)
    assert (await escrow.session("01JXSESSION"))[0] == 1
    assert (await escrow.account(OWNER.address)).balance == 4_000_000

    await chain.wire("evm_increaseTime", 7_300)
    await chain.send(4, *escrow.refund([opening]))
    assert (await escrow.session("01JXSESSION"))[0] == 3
    await chain.send(2, *escrow.request_withdrawal(5_000_000))
    assert (await escrow.withdrawal(OWNER.address)).amount == 5_000_000
    await chain.wire("evm_increaseTime", 3_700)
    await chain.send(2, *escrow.withdraw(OWNER.address))
    assert await usdc.read("balanceOf", OWNER.address) == 10_000_000
    assert await escrow.held() == 0
    assert (await escrow.books()).settled == 0


async def test_a_contract_that_is_not_there_is_told(chain: Net) -> None:
    with pytest.raises(NoContract, match="no contract 'escrow' at"):
        await Escrow(chain.rpc, ADDRESSES[7]).held()


def test_arguments_that_do_not_fit_are_named() -> None:
    escrow = Escrow(Rpc("http://127.0.0.1:9", 1), ADDRESSES[7])
    with pytest.raises(ValueError, match="arguments of deposit do not fit"):
        escrow.deposit(2**64)
    with pytest.raises(ValueError, match="claim takes 3 arguments, got 1"):
        escrow.invoke("claim", 1)
    with pytest.raises(ValueError, match="no function 'steal'"):
        escrow.invoke("steal")
    with pytest.raises(ValueError, match="1 to 256 sessions"):
        escrow.open_sessions([])


class Work:
    """A writer on the chain, whose store and node go on when it is killed."""

    def __init__(self, chain: Net, confirmations: int = 2) -> None:
        self.chain = chain
        self.store = MemoryTxs(Fuse())
        self.now_ms = 0
        self.alarms: list[Alarm] = []
        self.writer = TxWriter(
            node=chain.rpc, store=self.store, signer=SIGNER, chain_id=CHAIN_ID,
            clock=lambda: self.now_ms, alarm=self.alarms.append,
            policy=Policy(confirmations=confirmations, resubmit_ms=1_000),
        )  # fmt: skip

    async def state(self, action: str) -> State:
        row = await self.writer.find(action)
        assert row is not None
        return row.state


async def test_actions_are_done_in_order_and_buried(chain: Net) -> None:
    work = Work(chain)
    await chain.wire("evm_setAutomine", False)
    for number in range(3):
        await work.writer.submit(f"pay:{number}", ADDRESSES[8], b"", value=number)
    await work.writer.round()
    await chain.wire("evm_mine")
    await work.writer.round()
    assert [await work.state(f"pay:{n}") for n in range(3)] == [State.MINED] * 3
    await chain.wire("evm_mine", "0x2")
    await work.writer.round()
    assert [await work.state(f"pay:{n}") for n in range(3)] == [State.FINAL] * 3
    assert work.alarms == []


async def test_an_action_that_would_fail_reserves_no_nonce(chain: Net) -> None:
    refuser = (await chain.send(0, None, creation(REFUSER)))["contractAddress"]
    work = Work(chain)
    with pytest.raises(Reverted, match="no!"):
        await work.writer.submit("fail:1", refuser, b"")
    assert work.store.rows == {}
    row = await work.writer.submit("fail:2", refuser, b"", gas=100_000)
    await work.writer.round()
    await chain.wire("evm_mine", "0x2")
    await work.writer.round()
    row_after = await work.writer.find("fail:2")
    assert row_after is not None
    assert (row_after.nonce, row_after.state, row_after.done) == (row.nonce, State.FINAL, False)
    assert [alarm.kind for alarm in work.alarms] == ["reverted"]


async def test_a_reorganisation_has_it_sent_again_and_a_replacement_is_taken(chain: Net) -> None:
    work = Work(chain)
    await work.writer.submit("pay:1", ADDRESSES[8], b"", value=1)
    await work.writer.round()
    await work.writer.round()
    assert await work.state("pay:1") is State.MINED
    await chain.wire("evm_setAutomine", False)
    await chain.wire("evm_reorg", "0x1", True)
    await work.writer.round()
    assert await work.state("pay:1") is State.SENT
    work.now_ms += 1_000
    await work.writer.round()
    row = await work.writer.find("pay:1")
    assert row is not None
    assert len(row.attempts) == 2
    await chain.wire("evm_mine", "0x3")
    await work.writer.round()
    row = await work.writer.find("pay:1")
    assert row is not None
    assert row.done
    assert row.mined is not None
    assert row.mined.hash == row.attempts[1].hash, "this chain holds replacements to a tenth more"


async def test_a_node_that_is_away_delays_and_is_told(chain: Net) -> None:
    work = Work(chain)
    task = asyncio.create_task(work.writer.run(every_s=0.01, calm_s=0.01))
    await work.writer.submit("pay:1", ADDRESSES[8], b"", value=1)
    async with asyncio.timeout(10):
        while not (row := await work.writer.find("pay:1")) or row.state is not State.MINED:
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_logs_are_read_below_the_head_and_again_after_a_reorganisation(chain: Net) -> None:
    logger = (await chain.send(0, None, creation(LOGGER)))["contractAddress"]
    store = MemoryLogs(Fuse())
    alarms: list[str] = []
    reader = Indexer(
        node=chain.rpc, store=store, reader="r", addresses=[logger], start=1, confirmations=1,
        alarm=lambda kind, detail: alarms.append(kind),
    )  # fmt: skip
    for word in (1, 2, 3):
        await chain.send(0, logger, word.to_bytes(32, "big"))
    await reader.round()
    assert [log.data[-1] for log in store.read] == [1, 2]
    await chain.wire("evm_reorg", "0x3", True)
    await chain.send(0, logger, (9).to_bytes(32, "big"))
    await chain.wire("evm_mine", "0x1")
    while await reader.round():
        pass
    assert [log.data[-1] for log in store.read] == [9]
    assert alarms == ["reorganised"]


def test_a_signature_is_the_same_each_time() -> None:
    call, fees = Call(ADDRESSES[3], b"", 21_000), Fees(100, 1)
    assert SIGNER.sign(1, call, fees) == SIGNER.sign(1, call, fees)


async def test_an_answer_that_is_no_json_rpc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def web_page(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\nConnection: close\r\n\r\n<html>")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(web_page, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    rpc = Rpc(f"http://127.0.0.1:{port}", CHAIN_ID)
    with pytest.raises(RpcUnavailable):
        await rpc.head()
    await rpc.close()
    server.close()
    await server.wait_closed()
