"""Signing in at an arena from the outside: what to sign, and what to do with the signature.

The message is written here, from the address that was asked to be reached: an arena that wants a signature for another
domain, to sign in *there* with it, gets none.
"""

from __future__ import annotations

from typing import Any, TypeVar
from urllib.parse import urlsplit

import msgspec

from bots.errors import NotAnArena
from bots.logins import Login
from bots.owner import OwnerApi
from server import siwe
from server.siwe import InvalidMessage, SignInMessage

T = TypeVar("T")

STATEMENT = "Sign in to Agon. This costs nothing and moves no money."


class _Nonce(msgspec.Struct):
    """What is needed of `server.api.signin.SignInNonce`."""

    nonce: str
    domain: str
    chain_id: int
    issued_at: str
    expiration_time: str


async def propose(api: OwnerApi, address: str) -> str:
    """The message that `address` (EIP-55) is to sign, good for five minutes.

    Raises BotError; NotAnArena where the arena answers what cannot be signed with a good conscience.
    """
    given = _read(await api.post("/v1/signin/nonce"), _Nonce, api.url)
    domain = urlsplit(api.url).netloc
    if given.domain.lower() != domain.lower():
        raise NotAnArena(
            f"{api.url} asks for a signature that signs in at {given.domain}; "
            "if that is the arena's name, give it as --url; else its operator has to set signin_domains"
        )
    try:
        return siwe.render(
            SignInMessage(
                domain=domain,
                address=address,
                statement=STATEMENT,
                uri=f"{api.url}/v1/signin",
                chain_id=given.chain_id,
                nonce=given.nonce,
                issued_at=given.issued_at,
                expiration_time=given.expiration_time,
            )
        )
    except InvalidMessage as error:
        raise NotAnArena(f"no message to sign can be made for {api.url}: {error}") from None


async def hand_in(
    api: OwnerApi, message: str, signature: str, owner_key: str | None = None
) -> Login:
    """The login that a signed message buys. Raises BotError with the arena's words."""
    body = {"message": message, "signature": signature, "owner_key": owner_key}
    return _read(await api.post("/v1/signin", body), Login, api.url)


def _read(found: Any, type_: type[T], url: str) -> T:
    try:
        return msgspec.convert(found, type_)
    except msgspec.ValidationError as error:
        raise NotAnArena(f"{url} does not answer as an arena does: {error}") from None
