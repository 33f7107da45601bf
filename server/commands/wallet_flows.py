"""`agon wallet deposit`, `limits`, `bring`, `withdraw`, `pending`: what an owner does with the money in the escrow. Asks a node of
the chain, and no arena."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.at_chain import (
    AsJson,
    At,
    ManifestFile,
    MaxFee,
    RpcUrl,
    WalletFile,
    act,
    checked,
    handed,
    in_words,
    keystore_at,
    manifest_at,
    sent,
)
from server.commands.running import CommandError, DataDir, run_async

if TYPE_CHECKING:
    from chain.wallet.deposits import Deposited
    from chain.wallet.hands import Hands
    from chain.wallet.limits import LimitsSet, SignedLimits
    from chain.wallet.withdrawals import Withdrawing

Amount = Annotated[str, typer.Argument(metavar="AMOUNT", help="USDC, as in 5 or 0.50.")]
_LIMITS_TOGETHER = "--max-entry and --daily-cap go together"


def deposit(
    amount: Amount,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Put USDC into the escrow, to play for.

    One transaction, whose gas the wallet pays: by a permit or an authorization that goes with it, where the token knows them,
    else after an approval. Nothing can be taken for sessions without limits.
    """
    from chain.wallet import amounts
    from chain.wallet.deposits import deposit as flow

    micros = usdc("AMOUNT", amount)
    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"deposit {amounts.shown_usdc(micros)}",
        lambda hands: flow(hands, micros),
        as_json=as_json,
        lines=_deposited,
    )


def limits(
    what: Annotated[
        str | None,
        typer.Argument(metavar="[revoke]", help="revoke: nothing is taken any more, at once."),
    ] = None,
    max_entry: Annotated[
        str | None, typer.Option(metavar="USDC", help="The most that one session may take.")
    ] = None,
    daily_cap: Annotated[
        str | None,
        typer.Option(metavar="USDC", help="The most that all sessions of a UTC day may take."),
    ] = None,
    expires: Annotated[
        str, typer.Option(metavar="SPAN", help="How long they last: 12h, 30d, 4w.")
    ] = "30d",
    sign_only: Annotated[
        bool,
        typer.Option(
            "--sign-only",
            help="Send nothing: print the limits, signed, for somebody else to bring (agon wallet bring).",
        ),
    ] = False,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Say what sessions may take from the escrow.

    Without limits they take nothing. The contract holds to them, whoever has the arena's keys. `agon wallet balance` shows those that are set.
    """
    from chain.wallet import amounts
    from chain.wallet import limits as flows

    at = At(rpc, manifest, data_dir, file, max_fee)
    if what not in (None, "revoke"):
        raise CommandError(
            f"limits {what}: there is `limits revoke`, or --max-entry and --daily-cap"
        )
    if (max_entry is None) != (daily_cap is None):
        raise CommandError(_LIMITS_TOGETHER)
    if what == "revoke":
        if max_entry is not None or sign_only:
            raise CommandError("limits revoke: takes no limits, and is sent at once")
        revoking = lambda hands: flows.revoke(hands, now_ms=_now_ms())  # noqa: E731 - one of two
        act(at, "limits revoke", revoking, as_json=as_json, lines=_limits_set)
        return
    if max_entry is None or daily_cap is None:
        raise CommandError(f"{_LIMITS_TOGETHER}: agon wallet limits --max-entry 5 --daily-cap 50")
    entry, cap = usdc("--max-entry", max_entry), usdc("--daily-cap", daily_cap)
    lasts_s = span_s("--expires", expires)
    if sign_only:
        print(_signed(at, entry, cap, lasts_s))
        return
    words = f"limits {amounts.shown_usdc(entry)} a session, {amounts.shown_usdc(cap)} a day, {lasts_s} s"
    act(
        at,
        words,
        lambda hands: flows.set_limits(hands, entry, cap, lasts_s, now_ms=_now_ms()),
        as_json=as_json,
        lines=_limits_set,
    )


def bring(
    signed: Annotated[
        Path, typer.Argument(metavar="FILE", help="What `agon wallet limits --sign-only` printed.")
    ],
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Set limits that somebody else has signed.

    They are the signer's, whoever brings them and pays the gas.
    """
    from chain.wallet import limits as flows

    try:
        text = signed.read_bytes()
    except OSError as error:
        raise CommandError(f"{signed}: cannot be read: {error.strerror}") from None
    with in_words():
        found = flows.read(text)
    act(
        At(rpc, manifest, data_dir, file, max_fee),
        f"bring limits {found.limits.nonce} of {found.owner}",
        lambda hands: flows.bring(hands, found),
        as_json=as_json,
        lines=_limits_set,
    )


def withdraw(
    amount: Annotated[
        str | None,
        typer.Argument(metavar="[AMOUNT]", help="USDC to ask for, as in 5 or 0.50, or all."),
    ] = None,
    finish: Annotated[
        bool, typer.Option("--finish", help="Have paid what was asked for and is ready.")
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="With --finish: whom. Default: the wallet itself."),
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="Put what was asked for back into the balance.")
    ] = False,
    restart_delay: Annotated[
        bool,
        typer.Option(
            "--restart-delay", help="Ask though something is on its way, which then waits anew."
        ),
    ] = False,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
    as_json: AsJson = False,
) -> None:
    """Take USDC out of the escrow, in two steps.

    Ask for an amount, and when the delay is over --finish. What is asked for cannot be spent on sessions any more. Nobody can stop a withdrawal, and no arena is needed.
    """
    from chain.wallet import amounts, withdrawals

    at = At(rpc, manifest, data_dir, file, max_fee)
    if [amount is not None, finish, cancel].count(True) != 1:
        raise CommandError("withdraw AMOUNT, or --finish, or --cancel: one of them")
    if to is not None and not finish:
        raise CommandError("--to goes with --finish: the receiver is named when it is paid")
    if finish:
        receiver = checked("--to", to) if to else keystore_at(file).address()
        command = f"withdraw --finish --to {receiver}"
        act(
            at,
            command,
            lambda hands: withdrawals.finish(hands, receiver),
            as_json=as_json,
            lines=_paid,
        )
        return
    if cancel:
        act(at, "withdraw --cancel", withdrawals.cancel, as_json=as_json, lines=_put_back)
        return
    micros = None if amount == "all" else usdc("AMOUNT", amount or "")
    words = "all" if micros is None else amounts.shown_usdc(micros)
    act(
        at,
        f"withdraw {words}",
        lambda hands: withdrawals.request(hands, micros, restart=restart_delay),
        as_json=as_json,
        lines=_asked,
    )


def pending(
    speed_up: Annotated[
        bool, typer.Option("--speed-up", help="Send it again, for an eighth more.")
    ] = False,
    give_up: Annotated[
        bool,
        typer.Option("--give-up", help="Have a transaction that does nothing take its place."),
    ] = False,
    file: WalletFile = None,
    rpc: RpcUrl = None,
    manifest: ManifestFile = None,
    data_dir: DataDir = None,
    max_fee: MaxFee = 500,
) -> None:
    """Wait for what the wallet has sent, or give it up.

    What is in no block yet can be sent again for more (--speed-up), or replaced by nothing (--give-up). The command that sent it can also be repeated: it goes on, and sends nothing twice.
    """
    if speed_up and give_up:
        raise CommandError("--speed-up or --give-up, not both")
    at = At(rpc, manifest, data_dir, file, max_fee)

    async def done() -> list[str]:
        async with handed(at, "pending") as hands:
            lines = await _followed(hands, speed_up=speed_up, give_up=give_up)
            hands.sender.finish()
            return lines

    with in_words():
        for line in run_async(done):
            print(line)


async def _followed(hands: Hands, *, speed_up: bool, give_up: bool) -> list[str]:
    under_way = await hands.sender.under_way()
    if under_way is None:
        await hands.sender.earlier()  # tells of what has ended since
        return ["nothing of this wallet is under way"]
    if speed_up or give_up:
        tx = await hands.sender.again(under_way, cancel=give_up)
    else:
        tx = await hands.sender.wait(under_way)
    what = "is given up" if tx.gave_up else "is done"
    more = "" if under_way.last or tx.gave_up else ": repeat the command for what follows it"
    return [f"`{under_way.command}`: {under_way.step} {what}{more}", sent(tx)]


def usdc(option: str, text: str) -> int:
    """Micros. Raises CommandError."""
    from chain.wallet import amounts

    try:
        return amounts.usdc(text)
    except amounts.BadAmount as error:
        raise CommandError(f"{option}: {error}") from None


def span_s(option: str, text: str) -> int:
    """Seconds. Raises CommandError."""
    from chain.wallet import amounts

    try:
        return amounts.span_s(text)
    except amounts.BadAmount as error:
        raise CommandError(f"{option}: {error}") from None


def _signed(at: At, max_entry: int, daily_cap: int, lasts_s: int) -> str:
    """Signed limits as JSON; asks no node, only the manifest."""
    import msgspec

    from chain.wallet import limits as flows
    from server import knobs
    from server.commands.login import ask_passphrase

    with in_words():
        manifest, _ = manifest_at(at, knobs.load(None, data_dir=at.data_dir))
        escrow = manifest.address("escrow")
        now_ms = _now_ms()
        wanted = flows.wanted(max_entry, daily_cap, lasts_s, now_s=now_ms // 1_000, now_ms=now_ms)
        account = keystore_at(at.file).open(ask_passphrase)
        made: SignedLimits = flows.sign(account, manifest.chain_id, escrow, wanted)
    return msgspec.json.format(msgspec.json.encode(made)).decode()


def _deposited(done: Deposited) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    ways = {
        "allowance": "by an approval that stood",
        "permit": "by a permit",
        "authorization": "by an authorization",
        "approve": "after an approval",
    }
    how = f" {ways[done.way]}" if done.way else ""
    return [
        f"deposited {shown_usdc(done.micros)}{how}",
        f"escrow {shown_usdc(done.escrow_micros)}, wallet {shown_usdc(done.wallet_micros)}",
        sent(done.tx),
    ]


def _limits_set(done: LimitsSet) -> list[str]:
    from chain.wallet.limits import in_words as limits_in_words

    words = limits_in_words(done.limits, int(time.time()))
    return [f"limits of {done.owner}: {words}", sent(done.tx)]


def _asked(done: Withdrawing) -> list[str]:
    from chain.wallet.amounts import shown_usdc
    from chain.wallet.words import due

    return [
        f"asked for {shown_usdc(done.micros)}; {shown_usdc(done.escrow_micros)} stay in the escrow",
        f"{shown_usdc(done.pending_micros)} are ready {due(done.ready_at, int(time.time()))}: then"
        " `agon wallet withdraw --finish`",
        sent(done.tx),
    ]


def _paid(done: Withdrawing) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    what = shown_usdc(done.micros) if done.micros else "what was asked for"
    return [f"paid {what} to {done.to}", sent(done.tx)]


def _put_back(done: Withdrawing) -> list[str]:
    from chain.wallet.amounts import shown_usdc

    return [
        f"nothing is on its way any more; the escrow holds {shown_usdc(done.escrow_micros)} to play for",
        sent(done.tx),
    ]


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
