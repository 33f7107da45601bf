"""`agon wallet` and `agon token` on a chain, as an owner types them: results in words or JSON, refusals in one line."""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from chain.client import deployment
from chain.content.ipfs import Ipfs
from chain.devchain.accounts import ADDRESSES
from chain.devchain.server import serving
from chain.documents import payouts
from chain.documents.form import encode
from chain.wallet.payouts import Tree
from server import knobs
from server.cli import app
from server.commands import opening
from server.commands.keystore import Keystore
from tests.chain.node import Net
from tests.chain.rpc import Wire
from tests.chain.wallet.stage import DOLLAR, Stage, on_disk

PASSPHRASE = "correct horse battery"


class Desk:
    """An owner at a terminal, beside a node."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.manifest = folder / "chain" / "manifest.json"
        self.wallet = folder / "config" / "agon" / "wallet.json"

    async def agon(self, *words: object, fails: str = "") -> Result:
        """With the node and the deployment named, unless `words` do."""
        typed = [str(each) for each in words]
        for option, value in (("--rpc", self.url), ("--manifest", self.manifest)):
            if option not in typed:
                typed += [option, str(value)]
        result = await asyncio.to_thread(CliRunner().invoke, app, typed)
        if fails:
            assert fails in str(result.exception), (result.output, result.exception)
        else:
            assert result.exit_code == 0, (result.output, result.exception)
        return result

    async def told(self, *words: object) -> Any:
        return json.loads((await self.agon(*words, "--json")).stdout)


@pytest.fixture
async def home(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """With a wallet, and a chain that nobody runs yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AGON_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("AGON_DATA_DIR", str(tmp_path / "arena"))
    monkeypatch.setattr("server.commands.keystore.SCRYPT_N", 2)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(await on_disk(tmp_path_factory), tmp_path / "chain")
    Keystore(tmp_path / "config" / "agon" / "wallet.json").make(lambda *_: PASSPHRASE)
    return tmp_path


@pytest.fixture
async def desk(home: Path) -> AsyncIterator[Desk]:
    async with serving(home / "chain" / "devchain.sqlite", interval_s=0) as url:
        yield Desk(url, home)


async def test_from_nothing_to_a_deposit_and_back(desk: Desk) -> None:
    poor = await desk.agon("wallet", "balance")
    assert "0.00 USDC, 0 ETH  (nothing to pay gas with)" in poor.stdout
    assert "none set: nothing is taken for sessions" in poor.stdout
    await desk.agon("wallet", "deposit", "5", fails="the wallet has 0.00 USDC, and 5.00 USDC are")
    await desk.agon("wallet", "faucet", "--usdc", "100", "--eth", "0.5")
    made = await desk.agon("wallet", "deposit", "20.50")
    first, second, last = made.stdout.splitlines()
    assert first == "deposited 20.50 USDC by a permit"
    assert second == "escrow 20.50 USDC, wallet 79.50 USDC"
    assert last.startswith("transaction 0x")
    assert "deposit of 20.50 USDC: 0x" in made.stderr
    assert not list(desk.wallet.parent.glob("*.sent.json")), "it was told, so it is over"
    limits = await desk.told("wallet", "limits", "--max-entry", "5", "--daily-cap", "50")
    assert limits["limits"]["max_entry"] == 5 * DOLLAR
    asked = await desk.agon("wallet", "withdraw", "all")
    assert asked.stdout.startswith("asked for 20.50 USDC; 0.00 USDC stay in the escrow\n")
    await desk.agon("wallet", "withdraw", "--finish", fails="not before")
    await desk.agon("wallet", "withdraw", "--cancel")
    await desk.agon("wallet", "limits", "revoke")
    has = await desk.told("wallet", "balance")
    assert has["escrow"]["balance"] == 20_500_000
    assert has["limits"]["max_entry"] == 0
    assert has["claimable"] is None


async def test_limits_signed_here_are_brought_by_another(desk: Desk) -> None:
    signed = await desk.agon(
        *("wallet", "limits", "--max-entry", "1", "--daily-cap", "2", "--sign-only"),
        *("--rpc", "http://127.0.0.1:9"),
    )
    file = desk.folder / "limits.json"
    file.write_text(signed.stdout)
    other = desk.folder / "other.json"
    account = Keystore(other).make(lambda *_: PASSPHRASE)
    await desk.agon("wallet", "faucet", "--usdc", "0", "--account", account.address)
    brought = await desk.agon("wallet", "bring", file, "--file", other)
    owner = Keystore(desk.wallet).address()
    assert f"limits of {owner}: at most 1.00 USDC a session" in brought.stdout
    again = "newer limits are set already"
    await desk.agon("wallet", "bring", file, "--file", other, fails=again)
    file.write_text(signed.stdout.replace('"max_entry": 1000000', '"max_entry": 2000000'))
    await desk.agon("wallet", "bring", file, "--file", other, fails=f"not signed by {owner}")


async def test_winnings_by_a_file(desk: Desk) -> None:
    owner = Keystore(desk.wallet).address()
    document, _ = await _epoch(desk, {owner: 3 * DOLLAR, ADDRESSES[5]: DOLLAR})
    escrow = document.escrow
    file = desk.folder / "payouts.json"
    file.write_bytes(encode(document) + b"\n")
    has = await desk.agon("wallet", "balance", "--from", file)
    assert "claimable  3.00 USDC; claimed so far 0.00 USDC" in has.stdout
    await desk.agon("wallet", "claim", "--from", file, fails="has no ETH to pay gas with")
    await desk.agon("wallet", "faucet", "--usdc", "0")
    claimed = await desk.agon("wallet", "claim", "--from", file)
    assert f"claimed 3.00 USDC for {owner}: the escrow's balance is 3.00" in claimed.stdout
    await desk.agon("wallet", "claim", "--from", file, fails="is claimed already")
    false, _ = payouts.build(1, 31_337, escrow, {owner: 9 * DOLLAR})
    file.write_bytes(encode(false))
    await desk.agon("wallet", "claim", "--from", file, fails="it is wrong")
    file.write_bytes(b"{}")
    await desk.agon("wallet", "claim", "--from", file, fails="not an agon-payouts/1")
    await desk.agon("wallet", "claim", "--from", "nowhere.json", fails="no file of that name, no")
    gone = "http://127.0.0.1:9"
    await desk.agon("wallet", "claim", "--from", gone, fails="nothing answers at")
    await desk.agon("wallet", "claim", "points", fails="name the published list by --from")


async def test_winnings_by_an_arena_and_by_an_address(desk: Desk) -> None:
    owner = Keystore(desk.wallet).address()
    document, tree = await _epoch(desk, {owner: 3 * DOLLAR, ADDRESSES[5]: DOLLAR})
    proof = msgspec.json.encode(payouts.proof_of(document, tree, owner))
    none = b'{"detail":"no epoch is closed yet"}'
    with _serving({f"/v1/epochs/latest/payouts/{owner}": proof}, none) as arena:
        has = await desk.agon("wallet", "balance", "--from", arena)
        assert "claimable  3.00 USDC;" in has.stdout
        other = await desk.agon("wallet", "balance", "--account", ADDRESSES[8], "--from", arena)
        assert f"not known: {arena} says: no epoch is closed yet" in other.stdout
        await desk.agon("wallet", "faucet", "--usdc", "0")
        await desk.agon("wallet", "claim", "--from", arena)
    with _serving({"/list.json": encode(document)}, none) as place:
        words = "is claimed already"
        await desk.agon("wallet", "claim", "--from", f"{place}/list.json", fails=words)
    with _serving({"/": b"x" * 100_000}, b"x" * 100_000) as place:
        await desk.agon("wallet", "claim", "--from", place, fails="more than 65536 bytes")


@pytest.mark.slow
async def test_winnings_by_a_content_id(desk: Desk) -> None:
    """From the arena's own store, which is started if need be."""
    owner = Keystore(desk.wallet).address()
    document, _ = await _epoch(desk, {owner: 3 * DOLLAR})
    config = knobs.load(None)
    async with opening.content(config) as url, Ipfs(url) as store:
        cid = await store.add(encode(document))
    has = await desk.agon("wallet", "balance", "--from", cid)
    assert "claimable  3.00 USDC;" in has.stdout
    nobody = "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    dead = ("--ipfs", "http://127.0.0.1:9")
    await desk.agon("wallet", "claim", "--from", nobody, *dead, fails=f"--from {nobody}")


@pytest.mark.slow
async def test_a_command_that_is_killed_sends_nothing_twice(desk: Desk) -> None:
    """SIGKILL as soon as it has sent; then the same command again, killed while it waits; then to its end."""
    await desk.agon("wallet", "faucet")
    wire = Wire(desk.url)
    await wire("evm_setAutomine", False)
    hashes = []
    for _ in range(2):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli", "wallet", "deposit", "5"),
            *("--rpc", desk.url, "--manifest", str(desk.manifest)),
            cwd=Path(__file__).parents[2],
            stderr=asyncio.subprocess.PIPE,
        )
        assert process.stderr is not None
        async with asyncio.timeout(60):
            line = (await process.stderr.readline()).decode()
        hashes.append(line[line.index("0x") :][:66])
        process.kill()
        await process.wait()
    assert hashes[0] == hashes[1]
    owner = Keystore(desk.wallet).address()
    assert int(await wire("eth_getTransactionCount", owner, "pending"), 16) <= 1
    await wire("evm_setAutomine", True)
    done = await desk.told("wallet", "deposit", "5")
    assert done["tx"]["hash"] == hashes[0]
    assert done["tx"]["earlier"]
    assert done["escrow_micros"] == 5 * DOLLAR
    await wire.close()


async def test_a_token_from_its_launch_on(desk: Desk) -> None:
    card = "ipfs://bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"
    await desk.agon("wallet", "faucet")
    agent = (await desk.told("token", "register", card))["agent"]
    made = await desk.told(
        *("token", "launch", agent, "--name", "Ember", "--symbol", "EMBR"),
    )
    shown = await desk.agon("token", "show", made["token"])
    assert "Ember (EMBR) of agent 1 at 0x" in shown.stdout
    assert "of what is paid now buys nothing" in shown.stdout
    quote = await desk.agon("token", "quote", agent, "--buy", "10")
    assert "stays on the curve, is nobody's, and buys nothing" in quote.stdout
    await desk.agon("token", "buy", agent, "10", fails="--accept-start buys all the same")
    await desk.agon("token", "buy", agent, "10", "--accept-start")
    sale = await desk.told("token", "quote", agent, "--sell", "1000")
    assert sale["quote"]["usdc"] > 0
    sold = await desk.agon("token", "sell", agent, "all")
    assert sold.stdout.startswith("the wallet has 0 tokens and ")
    fees = await desk.told("token", "fees", agent)
    assert fees["micros"] > 0
    imitation = deployment.read(desk.manifest)
    assert imitation is not None
    await desk.agon("token", "show", imitation.address("usdc"), fails="beware of imitations")
    await desk.agon("token", "show", "7", fails="agent 7 has no token")


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("wallet", "deposit", "1,5"), "AMOUNT: '1,5' is no amount of USDC; write 5 or 0.50"),
        (("wallet", "deposit", "-1"), "No such option"),
        (("wallet", "deposit", "0.0000001"), "6 decimals at most"),
        (("wallet", "limits"), "go together"),
        (("wallet", "limits", "--max-entry", "5"), "go together"),
        (("wallet", "limits", "forget"), "there is `limits revoke`"),
        (("wallet", "limits", "--max-entry", "5", "--daily-cap", "1", "--sign-only"), "no session could take"),
        (
            ("wallet", "limits", "--max-entry", "1", "--daily-cap", "1", "--expires", "soon"),
            "--expires: 'soon' is no span of time",
        ),
        (("wallet", "withdraw"), "one of them"),
        (("wallet", "withdraw", "5", "--finish"), "one of them"),
        (("wallet", "withdraw", "5", "--to", ADDRESSES[1]), "--to goes with --finish"),
        (("wallet", "withdraw", "--finish", "--to", "0xabc"), "--to: '0xabc' is no address"),
        (
            ("wallet", "withdraw", "--finish", "--to", ADDRESSES[1][:-1] + "d"),
            "is no address: 0x and 40 hex digits",
        ),
        (("wallet", "pending", "--speed-up", "--give-up"), "not both"),
        (("token", "buy", "7", "10", "--slippage", "99"), "gives the trade away"),
        (("token", "quote", "7"), "one of them"),
        (("wallet", "bring", "nothing.json"), "nothing.json: cannot be read"),
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_said_before_a_node_is_asked(
    home: Path, words: tuple[str, ...], why: str
) -> None:
    manifest = home / "chain" / "manifest.json"
    typed = [*words, "--rpc", "http://127.0.0.1:9", "--manifest", str(manifest)]
    result = await asyncio.to_thread(CliRunner().invoke, app, typed)
    assert result.exit_code != 0
    assert why in f"{result.exception} {result.output}", (result.output, result.exception)


async def test_a_wrong_passphrase_node_or_deployment_is_one_sentence(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = "http://127.0.0.1:9"
    await desk.agon("wallet", "balance", "--rpc", dead, fails="is --rpc (AGON_RPC_URL) right")
    await desk.agon("wallet", "balance", "--rpc", "ftp://x", fails="begins with http")
    manifest = json.loads(desk.manifest.read_text())
    elsewhere = desk.folder / "elsewhere.json"
    elsewhere.write_text(json.dumps(manifest | {"chain_id": 8_453}))
    wrong = "the node is of chain 31337, not of chain 8453: name the right node by --rpc"
    await desk.agon("wallet", "balance", "--manifest", elsewhere, fails=wrong)
    elsewhere.write_text(json.dumps(manifest | {"genesis": "0x" + "00" * 32}))
    await desk.agon("wallet", "balance", "--manifest", elsewhere, fails="begins with 0x0000")
    missing = desk.folder / "missing.json"
    await desk.agon("wallet", "balance", "--manifest", missing, fails="name the deployment by")
    monkeypatch.setenv("AGON_PASSPHRASE", "something else")
    await desk.agon("wallet", "deposit", "1", fails="the passphrase is wrong")
    nobody = desk.folder / "nobody.json"
    await desk.agon("wallet", "deposit", "1", "--file", nobody, fails=f"there is no {nobody}")


async def test_a_damaged_journal_stops_and_two_commands_at_once_do_not_run(desk: Desk) -> None:
    from server.commands.sent_file import SentFile

    await desk.agon("wallet", "faucet")
    journal = SentFile(desk.wallet, 31_337)
    with journal.alone():
        await desk.agon("wallet", "deposit", "1", fails="another command is at work")
    file = desk.wallet.with_name("wallet.31337.sent.json")
    file.write_text("{")
    await desk.agon("wallet", "deposit", "1", fails="is damaged: it says what this wallet has sent")
    file.unlink()
    await desk.agon("wallet", "deposit", "1")
    nothing = await desk.agon("wallet", "pending")
    assert nothing.stdout == "nothing of this wallet is under way\n"


async def test_a_command_that_was_cut_off_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.agon("wallet", "faucet")
    with monkeypatch.context() as broken:
        broken.setattr("server.commands.asking.tell", _broken_pipe)
        await desk.agon("wallet", "deposit", "5", fails="nobody reads")
    file = desk.wallet.with_name("wallet.31337.sent.json")
    assert file.stat().st_mode & 0o777 == 0o600
    other = await desk.agon("wallet", "deposit", "5")
    assert "(sent by an earlier run of this command)" in other.stdout
    assert "escrow 5.00 USDC, wallet 995.00 USDC" in other.stdout


async def _epoch(desk: Desk, won: dict[str, int]) -> Tree:
    chain = Net(desk.url)
    manifest = deployment.read(desk.manifest)
    assert manifest is not None
    try:
        return await Stage(chain, manifest).close_epoch(won)
    finally:
        await chain.aclose()


@contextmanager
def _serving(answers: Mapping[str, bytes], otherwise: bytes) -> Iterator[str]:
    """Somebody on the web, who answers so, and else with 404."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = answers.get(self.path)
            self.send_response(404 if found is None else 200)
            self.end_headers()
            self.wfile.write(otherwise if found is None else found)

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def _broken_pipe(*_: object) -> None:
    raise BrokenPipeError("nobody reads")
