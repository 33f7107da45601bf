"""`agon operator`: keep an arena's transcripts on a node of your own, with a stake behind your word."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.asking import LINE_CHARS, Url
from server.commands.at_chain import (
    GWEI,
    AccountOption,
    AsJson,
    At,
    act,
    address_of,
    checked,
    in_words,
    keystore_at,
    look,
    opened,
    sent,
)
from server.commands.chain_options import looks, sends
from server.commands.running import CommandError, run_async
from server.commands.staking import (
    FracAmount,
    FracOrAll,
    Receiver,
    check_words,
    frac,
    shown,
    staked,
)

if TYPE_CHECKING:
    from chain.operator.registering import Registered
    from chain.wallet.staking import Staked
    from server.operating.running import Settings

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        help="The operator's own: what it keeps, has sent and has read. Default: ~/.local/share/agon-operator.",
    ),
]
IpfsUrl = Annotated[
    str | None,
    typer.Option(
        "--ipfs",
        envvar="AGON_OPERATOR_IPFS_URL",
        help="The RPC of your own IPFS node, http://[user:password@]host:port. Default: a store of blocks in --folder, which is on no network.",
    ),
]
Confirmations = Annotated[
    int,
    typer.Option(
        min=0, max=256, help="Blocks that must lie on top before what a block says counts."
    ),
]

app = typer.Typer(
    name="operator",
    help="Keep transcripts on a node of your own, with a stake.",
    epilog="Example: agon operator run --url https://arena.example --ipfs http://127.0.0.1:5001",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def operator() -> None:
    """Keep transcripts on a node of your own, with a stake (docs/operators.md)."""


@app.command(
    epilog="Example: agon operator register --endpoint https://node.example --ipfs http://127.0.0.1:5001"
)
@sends
def register(
    endpoint: Annotated[
        str,
        typer.Option(
            help="Where your node is found: a URL or a multiaddress, at most 128 characters."
        ),
    ],
    peer_id: Annotated[
        str | None,
        typer.Option(
            help="Its IPFS peer id; `none` to try things out. Default: what the node at --ipfs says."
        ),
    ] = None,
    ipfs: IpfsUrl = None,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Say on the chain where your node is. Again: changes it.

    Nothing is given to an operator before it has staked, too.
    """
    from chain.operator import registering

    check_words("--endpoint", endpoint, registering.MAX_ENDPOINT)
    if peer_id is None and ipfs is None:
        raise CommandError(
            "name your IPFS node's peer id by --peer-id, or the node by --ipfs, which is asked for it; to try things out without a"
            " node: --peer-id none"
        )
    name = peer_id or run_async(lambda: _peer_id(ipfs or ""))
    check_words("--peer-id", name, registering.MAX_PEER_ID)
    act(
        at,
        f"operator register {endpoint} {name}",
        lambda hands: registering.register(hands, endpoint, name),
        as_json=as_json,
        lines=_registered,
    )


@app.command(epilog="Example: agon operator stake 1000")
@sends
def stake(
    amount: FracAmount,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Put FRAC behind your word.

    A challenge that you miss costs 1 % of it, each third one 20 %, a leaf that contradicts its block 20 %.
    """
    from chain.wallet import staking

    parts = frac(amount)
    act(
        at,
        f"operator stake {shown(parts)}",
        lambda hands: staking.stake(hands, hands.contracts.operators, parts),
        as_json=as_json,
        lines=_staked,
    )


@app.command(epilog="Example: agon operator unbond all")
@sends
def unbond(
    amount: FracOrAll,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Ask for stake back. It can be taken when the unbonding time is over, and be lost until then.

    Go on running until then: what you have attested is asked for. Asking again begins the time anew, for all that unbonds.
    """
    from chain.wallet import staking

    parts = None if amount == "all" else frac(amount)
    act(
        at,
        f"operator unbond {shown(parts)}",
        lambda hands: staking.unbond(hands, hands.contracts.operators, parts),
        as_json=as_json,
        lines=_staked,
    )


@app.command(epilog="Example: agon operator release")
@sends
def release(
    to: Receiver = None,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Take the stake that was unbonded and whose time is over."""
    from chain.wallet import staking

    receiver = checked("--to", to) if to else keystore_at(at.file).address()
    act(
        at,
        f"operator release --to {receiver}",
        lambda hands: staking.release(
            hands, hands.contracts.operators, receiver, by="agon operator unbond"
        ),
        as_json=as_json,
        lines=_staked,
    )


@app.command(
    short_help="Say how an operator stands, and what it keeps.",
    epilog="Example: agon operator status --json",
)
@looks
def status(
    account: AccountOption = None,
    folder: Folder = None,
    confirmations: Confirmations = 6,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Say how an operator stands: stake, batches, challenges, misses, pins, rewards. Needs no key.

    The first time it reads the contract's whole history. It may be asked while the operator runs.
    """
    from server.commands import telling
    from server.operating import status as looking

    address = address_of(at, account)
    found = look(at, lambda each: looking.status(each, address, _folder(folder), confirmations))
    if as_json:
        telling.as_json(found)
        return
    for line in looking.lines(found):
        print(line)


@app.command(
    short_help="Keep the blocks that are yours, attest them, answer.",
    epilog="Example: agon operator run --url https://arena.example --ipfs http://127.0.0.1:5001 --rpc https://base.example --manifest chain.json",
)
@sends
def run(
    url: Url = None,
    ipfs: IpfsUrl = None,
    folder: Folder = None,
    leaves: Annotated[
        int, typer.Option(min=1, max=1_024, help="Blocks of a batch: what is attested together.")
    ] = 256,
    every: Annotated[
        int,
        typer.Option(min=1, max=86_400, help="Seconds after which fewer are attested, too."),
    ] = 600,
    max_bytes: Annotated[
        int, typer.Option(min=1024 * 1024, help="Of blocks; past it nothing more is taken.")
    ] = 10 * 1024**3,
    confirmations: Confirmations = 6,
    *,
    at: At,
) -> None:
    """Take pin tasks, keep the blocks that are yours, attest them, answer challenges. Ctrl-C ends it.

    Whenever it is stopped or killed, the same command goes on. Who is away longer than a challenge may wait loses stake.
    """
    from bots.api import arena_url
    from server.commands.login import ask_passphrase
    from server.operating.running import Settings

    arena = arena_url(url)
    place = _folder(folder)

    async def done() -> None:
        async with opened(at) as contracts, _node(ipfs, place, max_bytes) as node:
            account = keystore_at(at.file).open(ask_passphrase)
            settings = Settings(
                arena=arena,
                ipfs=node,
                folder=place,
                confirmations=confirmations,
                batch_leaves=leaves,
                batch_every_s=every,
                max_bytes=max_bytes,
                max_fee=at.max_fee * GWEI,
            )
            await _operate(settings, contracts.node, contracts.manifest, account)

    with in_words():
        run_async(done)


async def _operate(settings: Settings, *rest: object) -> None:
    from chain.content.errors import IpfsError
    from chain.content.rpc import BadUrl
    from chain.operator.journal import JournalInUse
    from server.operating.running import CannotOperate, operate

    try:
        await operate(settings, *rest, tell=_said)  # type: ignore[arg-type]
    except (CannotOperate, IpfsError, BadUrl, JournalInUse) as error:
        raise CommandError(str(error)) from None


def _said(line: str) -> None:
    """With the time, as a log has it. An arena's or a node's words may be in it."""
    import time

    from bots.journal import plain

    print(f"{time.strftime('%H:%M:%S')} {plain(line, LINE_CHARS)}", flush=True)


@contextlib.asynccontextmanager
async def _node(url: str | None, folder: Path, max_bytes: int) -> AsyncIterator[str]:
    """Our node's RPC; a store of our own in the folder where none is named."""
    from server.embedded import ipfs
    from server.embedded.data_dir import DataDir

    if url is not None:
        yield url
        return
    _said("no --ipfs: blocks are kept in the folder alone, where no network finds them")
    with DataDir(str(folder)) as data:
        # Lists of leaves lie beside the blocks.
        yield await ipfs.start(data, 2 * max_bytes)


async def _peer_id(url: str) -> str:
    from chain.content.errors import IpfsError
    from chain.content.ipfs import Ipfs
    from chain.content.rpc import BadUrl

    try:
        async with Ipfs(url) as node:
            return await node.peer_id()
    except (IpfsError, BadUrl) as error:
        raise CommandError(f"--ipfs: {error}") from None


def _folder(given: Path | None) -> Path:
    import os

    if given is not None:
        return given.expanduser()
    base = os.environ.get("XDG_DATA_HOME", "")
    data = Path(base) if Path(base).is_absolute() else Path.home() / ".local" / "share"
    return data / "agon-operator"


def _registered(found: Registered) -> list[str]:
    return [f"{found.address} is registered: {found.peer_id} at {found.endpoint}", sent(found.tx)]


def _staked(found: Staked) -> list[str]:
    return staked(found, "blocks are given")
