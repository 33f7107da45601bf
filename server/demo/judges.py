"""Seven judges of a demonstration, as anybody would be one: a wallet each, FRAC at stake, a way of judging, and a process of its own.

Their FRAC is a development chain's and worth nothing; all the rest is what judges do. Each is one `agon judge run`, with its
folder and its log; they share the arena's model and nothing else.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import msgspec

from chain.client.deployment import Manifest
from chain.client.judge_registry import JudgeRegistry
from chain.client.rpc import Rpc
from chain.client.sending import send
from chain.client.signer import KeySigner
from chain.client.token import Token
from chain.devchain.accounts import ETHER, KEYS
from chain.ethereum import Account, LocalAccount

FAMILIES = ("model:leaning", "sound", "words", "topic", "blend", "words", "sound")
"""Where something is paid for a panel has seven seats, two of a family at most; else five, and no two of a family."""
STAKES = 3
"""Times the least stake."""
LIGHT_SCRYPT = 1 << 10
"""For wallets that are worth nothing and live for an evening."""
STOP_S = 10.0

Told = Callable[[str], None]


class Seated(msgspec.Struct, frozen=True):
    """A judge before it is started."""

    family: str
    account: LocalAccount
    folder: Path
    wallet: Path
    passphrase: str

    @property
    def address(self) -> str:
        return str(self.account.address)

    @property
    def log(self) -> Path:
        return self.folder / "judge.log"


def prepare(home: Path) -> list[Seated]:
    """A folder with a wallet for each, in `home`."""
    return [_prepared(home / f"judge-{at}", family) for at, family in enumerate(FAMILIES, 1)]


def _prepared(folder: Path, family: str) -> Seated:
    folder.mkdir(mode=0o700, parents=True)
    account: LocalAccount = Account.create()
    passphrase = secrets.token_urlsafe()
    wallet = folder / "wallet.json"
    wallet.touch(mode=0o600)
    sealed = Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=LIGHT_SCRYPT)
    wallet.write_text(json.dumps(sealed), encoding="utf-8")
    return Seated(family, account, folder, wallet, passphrase)


async def stake(node: Rpc, manifest: Manifest, judges: Sequence[Seated], told: Told) -> None:
    """Gas and FRAC from who has all of it there; then what a judge does: registers, approves, stakes. Raises OSError, and what the
    chain refuses."""
    registry = JudgeRegistry(node, manifest.address("judge_registry"))
    frac = Token(node, manifest.address("frac"), "frac")
    amount = STAKES * await registry.min_stake()
    rich, holder = (KeySigner(Account.from_key(key), node.chain_id) for key in (KEYS[-1], KEYS[0]))
    for judge in judges:
        await asyncio.gather(
            send(node, rich, judge.address, b"", value=ETHER),
            send(node, holder, *frac.transfer(judge.address, amount)),
        )
    await asyncio.gather(*(_stake(node, registry, frac, judge, amount) for judge in judges))
    told(
        f"{len(judges)} judges have {amount // 10**18:,} FRAC each at stake: {', '.join(each.family for each in judges)}"
    )


async def _stake(
    node: Rpc, registry: JudgeRegistry, frac: Token, judge: Seated, amount: int
) -> None:
    own = KeySigner(judge.account, node.chain_id)
    await send(node, own, *registry.register(judge.address, judge.family, ""))
    await send(node, own, *frac.approve(registry.address, amount))
    await send(node, own, *registry.stake(amount))


@contextlib.contextmanager
def running(
    judges: Sequence[Seated], *, arena: str, model: str, rpc: str, manifest: Path
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Their processes, for the time of the block."""
    children = [
        start(judge, arena=arena, model=model, rpc=rpc, manifest=manifest) for judge in judges
    ]
    try:
        yield children
    finally:
        for child in children:
            child.send_signal(signal.SIGINT)
        deadline = time.monotonic() + STOP_S
        for child in children:
            try:
                child.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def start(
    judge: Seated, *, arena: str, model: str, rpc: str, manifest: Path
) -> subprocess.Popen[bytes]:
    """One process; its log goes on."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("AGON_")}
    environment["AGON_PASSPHRASE"] = judge.passphrase
    environment["XDG_DATA_HOME"] = str(judge.folder)  # nothing stays behind
    asks = judge.family.startswith("model:")
    command = [
        *(sys.executable, "-m", "server.cli", "judge", "run", "--url", arena),
        *("--family", judge.family, *(("--model", model) if asks else ())),
        *("--rpc", rpc, "--manifest", str(manifest)),
        *("--file", str(judge.wallet), "--folder", str(judge.folder)),
    ]
    with judge.log.open("ab") as output:
        return subprocess.Popen(  # noqa: S603 - our own command
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=environment,
            start_new_session=True,
        )
