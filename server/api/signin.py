"""Signing in with a wallet (EIP-4361), signing out, and who one is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import msgspec
import structlog
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from server import siwe
from server.api import problems
from server.api.operation import Operation, Services, as_json, read_body, read_id
from server.api.principal import authenticate, authorize, bearer
from server.api.problems import Problem
from server.evm import Chain, ChainUnavailable
from server.identity import is_login, key_hash
from server.live.nonces import Nonces
from server.signin import NONCE_TTL_S, Domains, SignInRefused, check
from server.siwe import InvalidMessage, SignInMessage
from server.store.accounts import Account, WalletBound, WalletTaken
from server.store.keys import Scope
from server.wallets import MAX_SIGNATURE_BYTES, BadSignature, check_signature

DAY_MS = 86_400_000
STATEMENT = "Sign in to Agon. This costs nothing and moves no money."
_WALLET = "{wallet}"
_log = structlog.get_logger()


class SignInNonce(msgspec.Struct, frozen=True, kw_only=True):
    """What a message to sign in with is made of."""

    nonce: str
    """Good once, and until `expires_ms`."""
    expires_ms: int
    """Unix milliseconds."""
    domain: str
    """What to sign in at. Sign only if this is the host (and port) that you meant to reach."""
    uri: str
    statement: str
    chain_id: int
    issued_at: str
    """RFC 3339, by the arena's clock."""
    expiration_time: str
    message: str
    """The whole EIP-4361 text, once `{wallet}` is replaced by the wallet's address in EIP-55 spelling."""


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A message and its signature."""

    message: Annotated[str, Meta(min_length=1, max_length=siwe.MAX_CHARS)]
    """EIP-4361, to the letter."""
    signature: Annotated[
        str,
        Meta(pattern="^0x([0-9a-fA-F]{2})+$", max_length=2 + 2 * MAX_SIGNATURE_BYTES),
    ]
    """Hex. By the wallet's key (EIP-191), or what its contract takes (ERC-1271)."""
    owner_key: Annotated[str, Meta(max_length=128)] | None = None
    """A key with the scope `manage` of an account that has no wallet yet: the account gets this one. It came with the account's
    first agent."""


class NewLogin(msgspec.Struct, frozen=True):
    """A login that has begun. The token is shown this once."""

    token: str
    """Send it as `Authorization: Bearer`. Secret."""
    account: str
    wallet: str
    """EIP-55."""
    expires_ms: int
    """Unix milliseconds."""


class Me(msgspec.Struct, frozen=True):
    """Who the credential speaks for."""

    account: str
    wallet: str | None
    """EIP-55; null where no wallet has signed in yet."""
    roles: list[str]
    """Of `admin`, `judge`, `operator`; everybody is an owner of what is theirs."""
    scopes: list[str]
    """What this credential may do."""
    agent: str | None
    """The agent whose key this is."""


class LoginCard(msgspec.Struct, frozen=True):
    """One open login of the account."""

    login: str
    created_ms: int
    expires_ms: int
    current: bool
    """The one that this was asked with."""


class LoginList(msgspec.Struct, frozen=True):
    """Open logins, newest first."""

    logins: list[LoginCard]


async def nonce(services: Services, request: Request) -> Response:
    config = services.config
    given = await Nonces(services.redis).give()
    now_ms = services.clock()
    domain = _domains(services).suggested(request.headers.get("host", ""))
    proposed = SignInMessage(
        domain=domain,
        address="0x" + "0" * 40,
        statement=STATEMENT,
        uri=f"{request.scope['scheme']}://{domain}/v1/signin",
        chain_id=config.chain_id,
        nonce=given,
        issued_at=_rfc3339(now_ms),
        expiration_time=_rfc3339(now_ms + NONCE_TTL_S * 1_000),
    )
    answer = SignInNonce(
        nonce=given,
        expires_ms=now_ms + NONCE_TTL_S * 1_000,
        domain=domain,
        uri=proposed.uri,
        statement=STATEMENT,
        chain_id=config.chain_id,
        issued_at=proposed.issued_at,
        expiration_time=_rfc3339(now_ms + NONCE_TTL_S * 1_000),
        message=siwe.render(proposed).replace(proposed.address, _WALLET),
    )
    return as_json(answer, 201, Cache_Control="no-store")


async def sign_in(services: Services, request: Request) -> Response:
    given = await read_body(request, SignIn)
    message = _understood(services, given.message)
    # Used up before the signature is looked at: one nonce buys one attempt, and one question to the chain.
    if not await Nonces(services.redis).use(message.nonce):
        raise Problem(
            422,
            "unknown-nonce",
            "the nonce was not given by this arena, was used before, or is older than five minutes; "
            "ask for another",
        )
    await _check_signature(services, message.address, given)
    account = await _account(services, message.address, given.owner_key)
    token, expires_ms = await services.store.logins.begin(
        account.account, services.config.login_days * DAY_MS
    )
    _log.info("signed in", account=account.account, wallet=message.address)
    answer = NewLogin(token, account.account, message.address, expires_ms)
    return as_json(answer, 201, Cache_Control="no-store")


async def sign_out(services: Services, request: Request) -> Response:
    caller = await authenticate(services, request)
    credential = bearer(request)
    assert credential is not None, "authenticated"
    if not is_login(credential):
        raise Problem(409, "not-a-login", "this is a key, not a login: revoke it by its id instead")
    await services.store.logins.end(key_hash(credential), account=caller.account)
    return Response(status_code=204)


async def me(services: Services, request: Request) -> Response:
    caller = await authenticate(services, request)
    account = await services.store.accounts.get(caller.account)
    wallet = None if account is None else account.wallet
    found = Me(caller.account, wallet, sorted(caller.roles), sorted(caller.scopes), caller.agent)
    return as_json(found, Cache_Control="no-store")


async def logins(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "manage")
    current = key_hash(bearer(request) or "")
    found = [
        LoginCard(login.id, login.created_ms, login.expires_ms, login.id == current)
        for login in await services.store.logins.of_account(caller.account)
    ]
    return as_json(LoginList(found), Cache_Control="no-store")


async def end_login(services: Services, request: Request) -> Response:
    caller = await authorize(services, request, "manage")
    name = read_id(request, "login")
    if not await services.store.logins.end(name, account=caller.account):
        raise problems.not_found("login", name)
    return Response(status_code=204)


def _understood(services: Services, text: str) -> SignInMessage:
    """A message that is ours and good now. Raises Problem."""
    try:
        message = siwe.parse(text)
        chain_id, now_ms = services.config.chain_id, services.clock()
        check(message, _domains(services), chain_id=chain_id, now_ms=now_ms)
    except InvalidMessage as error:
        raise Problem(422, "bad-message", f"no EIP-4361 message: {error}") from None
    except SignInRefused as refused:
        raise Problem(422, refused.code, str(refused)) from None
    return message


async def _check_signature(services: Services, wallet: str, given: SignIn) -> None:
    config = services.config
    chain = Chain(config.rpc_url, config.chain_id) if config.rpc_url else None
    try:
        await check_signature(given.message, wallet, bytes.fromhex(given.signature[2:]), chain)
    except BadSignature as error:
        raise Problem(422, "bad-signature", str(error)) from None
    except ChainUnavailable as error:
        _log.error("chain unavailable", error=str(error))
        raise problems.unavailable("the chain's node") from None


async def _account(services: Services, wallet: str, owner_key: str | None) -> Account:
    """The wallet's account, which may be made now, or the key's, which may get the wallet now. A key that only plays
    binds none: whoever runs a bot need not be who owns what it wins."""
    accounts = services.store.accounts
    if owner_key is None:
        return await accounts.with_wallet(wallet)
    holder = await services.store.keys.holder(owner_key)
    if holder is None:
        raise Problem(422, "unknown-owner-key", "`owner_key` is no key, or was revoked")
    if "manage" not in holder.scopes:
        said = "`owner_key` has not the scope `manage`: it is the one that came with the account's first agent"
        raise Problem(403, "insufficient-scope", said)
    try:
        return await accounts.bind(holder.account, wallet)
    except WalletTaken as error:
        raise Problem(409, "wallet-taken", f"{error}; accounts are never merged") from None
    except WalletBound as error:
        raise Problem(409, "wallet-bound", str(error)) from None


def _domains(services: Services) -> Domains:
    config = services.config
    return Domains(config.signin_domains, config.api_host, config.api_port)


def _rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


ANY_SCOPE: tuple[Scope, ...] = ("read", "play", "manage", "money")

OPERATIONS: tuple[Operation, ...] = (
    Operation(
        id="createSignInNonce",
        path="/v1/signin/nonce",
        method="POST",
        handler=nonce,
        summary="What to put into a message to sign in with",
        answer=SignInNonce,
        status=201,
        cost=10,
        tag="identity",
    ),
    Operation(
        id="signIn",
        path="/v1/signin",
        method="POST",
        handler=sign_in,
        summary="Sign in with a wallet's signature (EIP-4361, ERC-1271)",
        answer=NewLogin,
        status=201,
        cost=25,
        body=SignIn,
        problems={
            403: "`owner_key` has not the scope `manage`",
            409: "the wallet is of another account, or the key's account has another wallet",
            422: "the message, its nonce or its signature cannot be taken; `code` says which",
        },
        tag="identity",
    ),
    Operation(
        id="signOut",
        path="/v1/signout",
        method="POST",
        handler=sign_out,
        summary="End the login that this is asked with",
        status=204,
        scopes=ANY_SCOPE,
        problems={409: "it is a key, not a login"},
        tag="identity",
    ),
    Operation(
        id="getMe",
        path="/v1/me",
        handler=me,
        summary="Who the login or key speaks for, and what it may do",
        answer=Me,
        scopes=ANY_SCOPE,
        tag="identity",
    ),
    Operation(
        id="listLogins",
        path="/v1/logins",
        handler=logins,
        summary="The account's open logins",
        answer=LoginList,
        scopes=("manage",),
        tag="identity",
    ),
    Operation(
        id="endLogin",
        path="/v1/logins/{login}",
        method="DELETE",
        handler=end_login,
        summary="End one of the account's logins",
        status=204,
        scopes=("manage",),
        problems={404: "no such open login of the account"},
        tag="identity",
    ),
)
