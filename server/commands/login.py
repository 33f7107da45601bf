"""`agon login`, `agon logout`, `agon whoami`: who the owner's commands act for.

A wallet in a file signs by itself; any other (hardware, browser, another program) signs the message that is printed.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from server.commands.asking import AsJson, Url, ask


class LoginFailed(Exception):
    """The command was not understood, or there is nobody to ask; the message says what to do."""


def login(
    url: Url = None,
    wallet: Annotated[
        Path | None,
        typer.Option(
            help="Keystore file; made where it is missing. Default: ~/.config/agon/wallet.json."
        ),
    ] = None,
    agent: Annotated[
        str,
        typer.Option(
            help="Give the wallet to the account of this agent, which `agon bot` has registered."
        ),
    ] = "",
    print_message: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS", help="Print what a wallet elsewhere is to sign, and do no more."
        ),
    ] = "",
    message: Annotated[
        Path | None, typer.Option(help="With --signature: the file of what was printed.")
    ] = None,
    signature: Annotated[str, typer.Option(help="What the wallet elsewhere has signed, hex.")] = "",
) -> None:
    """Sign in with a wallet, and remember it.

    A wallet elsewhere (hardware, browser) takes two steps: agon login --print-message 0x… > message.txt, have it sign
    that text (personal_sign, EIP-191), then agon login --message message.txt --signature 0x…
    """
    from bots.api import arena_url

    arena = arena_url(url)
    if print_message:
        sys.stdout.write(asyncio.run(_propose(arena, print_message)))
        print("\nSign it within five minutes.", file=sys.stderr)
        return
    if bool(signature) != (message is not None):
        raise LoginFailed("--message and --signature go together")
    owner_key = _owner_key(arena, agent) if agent else None
    if message is not None:
        text = _text(message)
        made = ask(
            arena,
            lambda _: _hand_in(arena, text, signature, owner_key),
            nobody=True,
            options={"message": "--message", "signature": "--signature"},
        )
    else:
        asyncio.run(_reach(arena))  # before a wallet is made for nothing
        made = _by_keystore(arena, wallet, owner_key)
    _keep(arena, made)


def logout(url: Url = None) -> None:
    """End the login at an arena, there and here."""
    from bots.api import arena_url
    from bots.logins import Logins

    arena = arena_url(url)
    known = Logins().find(arena)
    if known is None:
        print(f"not signed in at {arena}")
        return
    asyncio.run(_sign_out(arena, known.token))
    Logins().forget(arena)
    print(f"signed out at {arena}")


def whoami(
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say who is signed in, and what that login may do."""
    import msgspec

    from bots.api import arena_url

    me = ask(url, lambda api: api.get("/v1/me"))
    if as_json:
        print(msgspec.json.encode(me).decode())
        return
    print(f"account  {me['account']}")
    print(f"wallet   {me['wallet'] or 'none yet: agon login --agent NAME gives it one'}")
    print(f"roles    {', '.join(me['roles']) or 'owner'}")
    print(f"may      {', '.join(me['scopes'])}")
    print(f"arena    {arena_url(url)}")


async def _reach(arena: str) -> None:
    """Raises BotError where no arena answers."""
    from bots.api import Api

    await Api(arena).gateway()


async def _propose(arena: str, address: str) -> str:
    from eth_utils.address import is_checksum_address, is_hex_address, to_checksum_address

    from bots.owner import OwnerApi
    from server.commands.signing_in import propose

    if not is_hex_address(address):
        raise LoginFailed(f"{address!r} is no address: 0x and 40 hexadecimal digits")
    digits = address[2:]
    # One case throughout holds no checksum; mixed case does, and a wrong one is a slip of the pen.
    if digits not in (digits.lower(), digits.upper()) and not is_checksum_address(address):
        raise LoginFailed(f"{address} has a wrong checksum (EIP-55); copy it again")
    return await propose(OwnerApi(arena), to_checksum_address(address))


async def _hand_in(arena: str, text: str, signature: str, owner_key: str | None) -> Any:
    from bots.owner import OwnerApi
    from server.commands.signing_in import hand_in

    return await hand_in(OwnerApi(arena), text, signature, owner_key)


def _by_keystore(arena: str, file: Path | None, owner_key: str | None) -> Any:
    from bots.private_file import config_folder
    from server.commands.keystore import Keystore, sign

    keystore = Keystore(file or config_folder() / "wallet.json")
    if keystore.exists():
        account = keystore.open(ask_passphrase)
    else:
        account = keystore.make(ask_passphrase)
        print(f"made a wallet, {account.address}, in {keystore.path}")
        print("keep a copy of that file and its passphrase: nobody else can open it")

    async def sign_in() -> Any:
        # In this order: a passphrase takes longer to find than a nonce lives.
        text = await _propose(arena, account.address)
        return await _hand_in(arena, text, sign(account, text), owner_key)

    return asyncio.run(sign_in())


async def _sign_out(arena: str, token: str) -> None:
    from bots.owner import OwnerApi, Refused

    try:
        await OwnerApi(arena, token).post("/v1/signout")
    except Refused as refused:
        if refused.status != 401:  # it has ended there already
            raise


def _keep(arena: str, made: Any) -> None:
    from bots.logins import Logins

    Logins().keep(arena, made)
    until = datetime.fromtimestamp(made.expires_ms / 1_000, UTC)
    print(f"signed in at {arena} as {made.wallet}")
    print(f"account {made.account}, until {until:%Y-%m-%d %H:%M} UTC")


def _owner_key(arena: str, name: str) -> str:
    from bots.keys import Keys

    keys = Keys()
    known = keys.find(arena, name)
    if known is None:
        raise LoginFailed(f"{keys.path} has no key of an agent named {name!r} at {arena}")
    if known.owner_key is None:
        raise LoginFailed(
            f"the key of {name!r} in {keys.path} plays and no more: an account is given a wallet by its owner key,"
            " which was shown when its first agent was registered"
        )
    return known.owner_key


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LoginFailed(f"cannot read {file}: {error}") from None


def ask_passphrase(question: str, twice: bool) -> str:
    if not sys.stdin.isatty():
        raise LoginFailed("a passphrase is needed: run it in a terminal, or set AGON_PASSPHRASE")
    return str(typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True))
