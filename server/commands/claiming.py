"""Where lists of what may be claimed come from: a file, a content id, or an address on the web. None of them is believed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from server.commands.running import CommandError

if TYPE_CHECKING:
    from chain.documents.payouts import PayoutProof
    from chain.wallet.payouts import Tree

T = TypeVar("T")

MAX_BYTES = 1 << 24
MAX_PROOF_BYTES = 1 << 16
TIMEOUT_S = 20.0
_DOCUMENTS = (".json", "/payouts")
"""How an address ends that is a list's own; any other is an arena's."""


class NotThere(CommandError):
    """There is no list at the source, or nobody answers."""


async def payouts(
    source: str | None, account: str, ipfs: str | None, data_dir: str | None
) -> Tree | PayoutProof:
    """The tree of pay-outs, or the account's proof where the source is an arena (None: the one of AGON_URL, or of this
    machine). Raises NotThere, and CommandError for what is no such list."""
    from chain.documents import payouts as documents

    if source is None or (_on_web(source) and not source.endswith(_DOCUMENTS)):
        return await _proof(source, account)
    return _read(source, await _bytes(source, ipfs, data_dir), documents.read)


def rewards_at(source: str | None) -> str:
    """Where a list of rewards is. An arena (None: the one of AGON_URL, or of this machine) has it at one place."""
    from bots.api import arena_url

    if source is None or (_on_web(source) and urlsplit(source).path in ("", "/")):
        return f"{arena_url(source)}/v1/operators/rewards"
    return source


def court_at(source: str | None) -> str:
    """Where the court's list of its newest epoch is, as `rewards_at`."""
    from bots.api import arena_url

    if source is None or (_on_web(source) and urlsplit(source).path in ("", "/")):
        return f"{arena_url(source)}/v1/court/epochs/latest"
    return source


async def document(
    source: str, read: Callable[[bytes], T], ipfs: str | None, data_dir: str | None
) -> T:
    """A list by `read`. Raises NotThere and CommandError."""
    return _read(source, await _bytes(source, ipfs, data_dir), read)


def _read(source: str, found: bytes, read: Callable[[bytes], T]) -> T:
    from chain.documents.form import DocumentError

    try:
        return read(found.removesuffix(b"\n"))  # editors add one
    except DocumentError as error:
        raise CommandError(f"--from {source}: {error}") from None


def _on_web(source: str) -> bool:
    return source.startswith(("http://", "https://"))


async def _bytes(source: str, ipfs: str | None, data_dir: str | None) -> bytes:
    if _on_web(source):
        return await _fetched(source, MAX_BYTES)
    found = _file(Path(source))
    return await _content(source, ipfs, data_dir) if found is None else found


def _file(path: Path) -> bytes | None:
    """None where there is none."""
    try:
        with path.open("rb") as opened:
            return opened.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotThere(f"--from {path}: cannot be read: {error.strerror}") from None


async def _proof(arena: str | None, account: str) -> PayoutProof:
    from bots.api import arena_url
    from chain.documents import payouts as documents

    base = arena_url(arena)
    url = f"{base}/v1/epochs/latest/payouts/{account}"
    return _read(url, await _fetched(url, MAX_PROOF_BYTES, who=base), documents.read_proof)


async def _fetched(url: str, most: int, who: str = "") -> bytes:
    """`who` is asked, for a refusal's words."""
    import httpx

    from bots.api import no_answer
    from server.commands.arena_word import problem_of

    body = bytearray()
    try:
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as http,
            http.stream("GET", url) as answer,
        ):
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > most:
                    raise CommandError(f"{url}: more than {most} bytes")
            if answer.is_success:
                return bytes(body)
            whole = httpx.Response(answer.status_code, content=bytes(body))
            raise NotThere(f"{who or url} says: {problem_of(whole)}")
    except httpx.HTTPError as error:
        raise NotThere(no_answer(who or url, error)) from None


async def _content(source: str, ipfs: str | None, data_dir: str | None) -> bytes:
    from chain.content import cid as cids
    from chain.content.errors import IpfsError
    from chain.content.ipfs import Ipfs
    from server import knobs
    from server.commands.opening import content

    try:
        wanted = cids.parse(source)
    except cids.NotACid:
        raise NotThere(
            f"--from {source[:100]!r}: no file of that name, no content id, and no http(s) address"
        ) from None
    try:
        if ipfs is not None:
            async with Ipfs(ipfs) as store:
                return await store.cat(wanted, MAX_BYTES)
        async with content(knobs.load(None, data_dir=data_dir)) as url, Ipfs(url) as store:
            return await store.cat(wanted, MAX_BYTES)
    except IpfsError as error:
        raise NotThere(f"--from {source}: {error}") from None
