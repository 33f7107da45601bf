"""What an arena finds on a chain of its own: contracts, roles, gas, and a house that can pay; made once."""

from __future__ import annotations

import asyncio
import shutil
import stat
import sys
from pathlib import Path

import pytest

from chain.client.claims import Fractals, Rewards
from chain.client.court import CourtContract
from chain.client.escrow import Escrow
from chain.client.operators import Operators
from chain.client.rpc import Rpc
from server.embedded import chain, deployment
from server.embedded.data_dir import DataDir
from server.settlement import key_file


@pytest.fixture(autouse=True)
def _no_anvil(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)


@pytest.mark.slow
async def test_everything_stands_wherever_the_first_starts_were_killed(tmp_path: Path) -> None:
    with DataDir(tmp_path) as data:
        url = await chain.start(data, 31_337)
        for lasts_s in (1.5, 2.5, 4.0):
            killed = await asyncio.create_subprocess_exec(
                sys.executable, "-c", _START, url, str(tmp_path)
            )
            await asyncio.sleep(lasts_s)
            if killed.returncode is None:
                killed.kill()
            await killed.wait()
        manifest = await deployment.ensure(data, url, 31_337)
        node = Rpc(url, 31_337)
        settler = key_file.read(data.file(deployment.SETTLER_KEY)).address
        house = key_file.read(data.file(deployment.HOUSE_KEY)).address
        escrow = Escrow(node, manifest.address("escrow"))
        assert [await escrow.holder(role) for role in ("settler", "guardian")] == [settler] * 2
        for contract, role in (
            (Operators(node, manifest.address("operators")), "challenger"),
            (Rewards(node, manifest.address("rewards")), "publisher"),
            (Fractals(node, manifest.address("fractals")), "publisher"),
            (court := CourtContract(node, manifest.address("court")), "clerk"),
            (court, "guardian"),
        ):
            assert await contract.holder(role) == settler
        assert await court.clerk_bond() == deployment.COURT.clerk_bond
        assert await court.funded() == deployment.COURT_MICROS
        assert (await escrow.account(house)).balance == deployment.HOUSE_MICROS
        assert await escrow.held() == deployment.HOUSE_MICROS, "the house deposits once"
        assert (await escrow.limits(house)).max_entry == deployment.HOUSE_ENTRY_MICROS
        head = await node.head()
        assert await deployment.ensure(data, url, 31_337) == manifest
        nonces = [await node.nonce(each, (await node.head()).number) for each in (settler, house)]
        assert nonces == [await node.nonce(each, head.number) for each in (settler, house)]
        await node.close()


_START = """
import asyncio, sys
from server.embedded import deployment
from server.embedded.data_dir import DataDir
with DataDir(sys.argv[2]) as data:
    asyncio.run(deployment.ensure(data, sys.argv[1], 31_337))
"""


def test_a_key_file_is_its_owners_alone_and_never_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "settler.key"
    made = key_file.ensure(file)
    assert key_file.ensure(file).address == made.address
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with pytest.raises(key_file.KeyFileError, match="left as it is"):
        key_file.make(file)
    file.chmod(0o644)
    with pytest.raises(key_file.KeyFileError, match="chmod 600"):
        key_file.read(file)


@pytest.mark.parametrize("text", ["", "zz" * 32, "00" * 32, "ff" * 32, "ab" * 31, "é" * 64])
def test_what_is_no_key_is_refused_in_words(text: str, tmp_path: Path) -> None:
    file = tmp_path / "settler.key"
    file.write_text(text, encoding="utf-8")
    file.chmod(0o600)
    with pytest.raises(key_file.KeyFileError, match="holds no private key"):
        key_file.read(file)


def test_a_missing_key_file_says_how_one_is_made(tmp_path: Path) -> None:
    with pytest.raises(key_file.KeyFileError, match="agon chain key"):
        key_file.read(tmp_path / "none")
