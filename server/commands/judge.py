"""`agon judge`: score what rules cannot decide, with a stake behind your word."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands import judge_bench
from server.commands.asking import LINE_CHARS, Url
from server.commands.at_chain import (
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
    from chain.wallet.contracts import Contracts
    from chain.wallet.judges import Accepted, Paid, Registered
    from chain.wallet.staking import Staked
    from judges.judge import Judge
    from judges.node.journal import Price
    from server.judging.running import Settings

Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder",
        help="The judge's own: what it has found and signed. Default: ~/.local/share/agon-judge/ADDRESS.",
    ),
]
Family = Annotated[
    str | None,
    typer.Option(
        help="What you judge by: model:leaning, model:scores, sound, words, topic, blend."
    ),
]

app = typer.Typer(
    name="judge",
    help="Judge what rules cannot decide, with a stake of your own.",
    epilog="Example: agon judge run --url https://arena.example --model http://127.0.0.1:8080/v1",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def judge() -> None:
    """Judge what rules cannot decide, with a stake of your own (docs/judging.md)."""


@app.command(epilog="Example: agon judge register --family model:scores")
@sends
def register(
    family: Annotated[
        str,
        typer.Option(
            help="What you judge by, at most 32 characters. A panel has few of one family."
        ),
    ],
    operator: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Who answers for the judge, and has to accept it. No panel has two judges of one operator. Default: itself.",
        ),
    ] = None,
    endpoint: Annotated[
        str, typer.Option(help="Where people read of you: a URL, at most 128 characters.")
    ] = "",
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Say on the chain what you judge by. Again: changes it.

    Nobody is drawn who has not staked, too.
    """
    from chain.wallet import judges

    check_words("--endpoint", endpoint, judges.MAX_ENDPOINT, least=0)
    by = checked("--operator", operator) if operator else keystore_at(at.file).address()
    act(
        at,
        f"judge register {family} {by} {endpoint}",
        lambda hands: judges.register(hands, by, family, endpoint),
        as_json=as_json,
        lines=_registered,
    )


@app.command(epilog="Example: agon judge accept 0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed")
@sends
def accept(
    judge: Annotated[str, typer.Argument(metavar="JUDGE", help="The judge's address.")],
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Answer for a judge that has named you as its operator."""
    from chain.wallet import judges

    address = checked("JUDGE", judge)
    act(
        at,
        f"judge accept {address}",
        lambda hands: judges.accept(hands, address),
        as_json=as_json,
        lines=_accepted,
    )


@app.command(epilog="Example: agon judge stake 1000")
@sends
def stake(amount: FracAmount, *, at: At, as_json: AsJson = False) -> None:
    """Put FRAC behind your word. The more there is, the oftener you are drawn.

    Not committing, not revealing and scores that are nowhere near cost some of it; two commitments to one hearing cost all of it.
    """
    from chain.wallet import staking

    parts = frac(amount)
    act(
        at,
        f"judge stake {shown(parts)}",
        lambda hands: staking.stake(hands, hands.contracts.judge_registry, parts),
        as_json=as_json,
        lines=_staked,
    )


@app.command(epilog="Example: agon judge unbond all")
@sends
def unbond(amount: FracOrAll, *, at: At, as_json: AsJson = False) -> None:
    """Ask for stake back. It can be taken when the unbonding time is over, and be lost until then.

    Go on running until then: you are drawn from older snapshots still. Asking again begins the time anew, for all that unbonds.
    """
    from chain.wallet import staking

    parts = None if amount == "all" else frac(amount)
    act(
        at,
        f"judge unbond {shown(parts)}",
        lambda hands: staking.unbond(hands, hands.contracts.judge_registry, parts),
        as_json=as_json,
        lines=_staked,
    )


@app.command(epilog="Example: agon judge release")
@sends
def release(to: Receiver = None, *, at: At, as_json: AsJson = False) -> None:
    """Take the stake that was unbonded and whose time is over."""
    from chain.wallet import staking

    receiver = checked("--to", to) if to else keystore_at(at.file).address()
    act(
        at,
        f"judge release --to {receiver}",
        lambda hands: staking.release(
            hands, hands.contracts.judge_registry, receiver, by="agon judge unbond"
        ),
        as_json=as_json,
        lines=_staked,
    )


@app.command(epilog="Example: agon judge claim --from https://arena.example")
@sends
def claim(
    source: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Where the court's list of an epoch is: a file, or a URL. Default: the arena of AGON_URL.",
        ),
    ] = None,
    account: AccountOption = None,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Have a judge's pay sent to its wallet. By anybody who pays the gas."""
    from chain.documents import court_epoch
    from chain.wallet import judges
    from server.commands import claiming

    address = address_of(at, account)
    place = claiming.court_at(source)
    found = run_async(lambda: claiming.document(place, court_epoch.read, None, at.data_dir))
    act(
        at,
        f"judge claim {address} {found.epoch}",
        lambda hands: judges.claim(hands, address, found),
        as_json=as_json,
        lines=_paid,
    )


@app.command(
    short_help="Say how a judge stands, and what it has done.",
    epilog="Example: agon judge status --json",
)
@looks
def status(
    account: AccountOption = None, folder: Folder = None, *, at: At, as_json: AsJson = False
) -> None:
    """Say how a judge stands: stake, whether it can be drawn, hearings, questions to its model, pay. Needs no key.

    It may be asked while the judge runs.
    """
    from server.commands import telling
    from server.judging import folder as folders
    from server.judging import status as looking

    address = address_of(at, account)
    place = folders.folder(folder, address)
    found = look(at, lambda each: looking.status(each, address, place))
    if as_json:
        telling.as_json(found)
        return
    for line in looking.lines(found):
        print(line)


@app.command(
    short_help="Say what a judge has found in a session.",
    epilog="Example: agon judge show 01J8QZ5T0G3YV7W9XKCM4N2R6A",
)
@looks
def show(
    session: Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")],
    account: AccountOption = None,
    folder: Folder = None,
    url: Url = None,
    *,
    at: At,
    as_json: AsJson = False,
) -> None:
    """Say what a judge has found in a session, by its own journal, and what the panel did, by the arena.

    What has not been revealed yet is shown here, too: to nobody else.
    """
    from bots.api import arena_url
    from server.commands import telling
    from server.commands.asking import tell
    from server.judging import folder as folders
    from server.judging import showing

    address = address_of(at, account)
    place = folders.folder(folder, address)
    found = run_async(lambda: showing.found(place, session, address, arena_url(url)))
    if not found.hearings and found.view is None:
        raise CommandError(f"the journal in {place} has nothing of {session[:60]!r}; {found.why}")
    if as_json:
        telling.as_json(found)
        return
    tell(found, False, showing.lines)


@app.command(
    short_help="Judge: hear of cases, commit, reveal.",
    epilog="Example: agon judge run --url https://arena.example --model http://127.0.0.1:8080/v1 --rpc https://base.example --manifest chain.json",
)
@looks
def run(
    url: Url = None,
    family: Family = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            envvar="AGON_JUDGE_MODEL",
            help="An OpenAI-compatible server, …/v1, for families that ask a model. AGON_JUDGE_API_KEY is its key.",
        ),
    ] = None,
    model_name: Annotated[
        str, typer.Option(help="Which of the server's models. Default: what it has.")
    ] = "",
    price: Annotated[
        str,
        typer.Option(
            metavar="USD,USD",
            help="What a million tokens cost, of questions and of answers, as in 0.15,0.60: for `agon judge status`.",
        ),
    ] = "0,0",
    at_once: Annotated[
        int, typer.Option(min=1, max=32, help="Cases that are judged beside each other.")
    ] = 1,
    ipfs: Annotated[
        str | None,
        typer.Option(
            envvar="AGON_JUDGE_IPFS_URL",
            help="The RPC of an IPFS node of yours, asked for transcripts that the arena does not give.",
        ),
    ] = None,
    folder: Folder = None,
    *,
    at: At,
) -> None:
    """Hear of cases, check them against the chain, judge, commit, reveal. Ctrl-C ends it.

    Whenever it is stopped or killed, the same command goes on. Who is away longer than a hearing's deadlines loses stake. One key, one folder, one process: a second one would commit twice, which costs everything.
    """
    import os
    import sqlite3

    from bots.api import arena_url
    from server.commands.login import ask_passphrase
    from server.judging import folder as folders
    from server.judging.running import Settings

    arena, prices = arena_url(url), _price(price)
    key = os.environ.get("AGON_JUDGE_API_KEY", "")

    async def done() -> None:
        async with opened(at) as contracts:
            account = keystore_at(at.file).open(ask_passphrase)
            spec = family or await _registered_family(contracts, str(account.address))
            async with _judge(spec, model or "", model_name, key) as judge:
                settings = Settings(
                    arena=arena,
                    folder=folders.folder(folder, str(account.address)),
                    ipfs=ipfs,
                    price=prices,
                    at_once=at_once,
                )
                await _run(settings, contracts.node, contracts.manifest, account, judge)

    with in_words():
        try:
            run_async(done)
        except sqlite3.Error as error:
            raise CommandError(
                f"the judge's journal cannot be read or written: {error}; is the disk full, or the file damaged?"
            ) from None


async def _run(settings: Settings, *rest: object) -> None:
    from chain.content.rpc import BadUrl
    from judges.node.journal import JournalInUse, WrongFolder
    from server.judging.running import CannotJudge, run

    try:
        await run(settings, *rest, tell=_said)  # type: ignore[arg-type]
    except (CannotJudge, BadUrl, JournalInUse, WrongFolder) as error:
        raise CommandError(str(error)) from None


async def _registered_family(contracts: Contracts, address: str) -> str:
    standing = await contracts.judge_registry.judge(address)
    if not standing.registered:
        raise CommandError(f"{address} is not registered: `agon judge register` does it")
    return standing.family_name


@contextlib.asynccontextmanager
async def _judge(spec: str, url: str, model: str, key: str) -> AsyncIterator[Judge]:
    import asyncio

    from judges.families import MODELS, UnknownFamily, judge_of
    from judges.faults import JudgeUnavailable
    from judges.instruments.embedding import NoVectors
    from server.judging.model import first_model

    try:
        name = model or (await first_model(url, key) if spec in MODELS and url else "")
        made = await asyncio.to_thread(judge_of, spec, url=url, model=name, api_key=key)
    except (UnknownFamily, ValueError) as error:
        raise CommandError(f"{error}; name the family by --family, the model by --model") from None
    except NoVectors as error:
        raise CommandError(str(error)) from None
    except JudgeUnavailable as error:
        raise CommandError(f"--model: {error.reason}; name one by --model-name") from None
    try:
        yield made
    finally:
        await made.aclose()


def _price(text: str) -> Price:
    from judges.node.journal import Price

    try:
        prompt, completion = (round(float(each) * 10**6) for each in text.split(","))
        if min(prompt, completion) < 0:
            raise ValueError
    except (ValueError, OverflowError):
        raise CommandError(f"--price: expected two amounts of USD, as in 0.15,0.60; got {text[:60]!r}") from None  # fmt: skip
    return Price(prompt, completion)


def _said(line: str) -> None:
    """With the time, as a log has it. An arena's or a model's words may be in it."""
    import time

    from bots.journal import plain

    print(f"{time.strftime('%H:%M:%S')} {plain(line, LINE_CHARS)}", flush=True)


def _registered(found: Registered) -> list[str]:
    told = [f"{found.judge} is registered: it judges by {found.family}"]
    if not found.accepted:
        told.append(
            f"it counts once {found.operator} has accepted it: `agon judge accept {found.judge}` with that wallet"
        )
    return [*told, sent(found.tx)]


def _accepted(found: Accepted) -> list[str]:
    return [f"{found.operator} answers for {found.judge}", sent(found.tx)]


def _paid(found: Paid) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    return [
        f"{shown_usdc(found.amount)} paid to {found.judge}; {shown_usdc(found.claimed)} in all",
        sent(found.tx),
    ]


def _staked(found: Staked) -> list[str]:
    return staked(found, "a judge is drawn")


judge_bench.add(app)
