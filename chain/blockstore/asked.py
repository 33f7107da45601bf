"""What a request asks for: its arguments as Kubo's RPC has them, each read once and bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator

from starlette.requests import Request

from chain.blockstore.multipart import BadForm, FormReader, PartBegins, boundary_of
from chain.blockstore.store import StoreError
from chain.content import cid
from chain.content.cid import Cid, NotACid
from chain.content.unixfs import V0_2015, V1_2025, Profile

MAX_ARGS = 256
MAX_NAME = 255
"""Characters of a pin's name, as Kubo bounds it."""
MAX_CHUNK = V1_2025.chunk
_CHUNKER = "size-"


class BadRequest(StoreError):
    """The request does not say what it has to, or asks for what this store does not do."""


def flag(request: Request, name: str, default: bool) -> bool:
    """Raises BadRequest."""
    value = request.query_params.get(name)
    if value is None:
        return default
    if value.lower() not in ("true", "false", "1", "0"):
        raise BadRequest(f"{name}={value[:32]!r} is neither true nor false")
    return value.lower() in ("true", "1")


def number(request: Request, name: str, default: int, least: int, most: int) -> int:
    """Raises BadRequest."""
    value = request.query_params.get(name)
    if value is None or (value == "-1" and least >= 0):  # Kubo's -1: nothing is said
        return default
    if not value.isascii() or not value.isdigit() or len(value) > 19:
        raise BadRequest(f"{name}={value[:32]!r} is no number")
    if not least <= int(value) <= most:
        raise BadRequest(f"{name}={value}: expected {least} to {most}")
    return int(value)


def cids(request: Request) -> list[Cid]:
    """The arguments `arg`: ids, with or without `/ipfs/`. Raises BadRequest."""
    found = request.query_params.getlist("arg")
    if not 0 < len(found) <= MAX_ARGS:
        raise BadRequest(f'argument "ipfs-path" is required, at most {MAX_ARGS} times')
    try:
        return [cid.parse(each.removeprefix("/ipfs/")) for each in found]
    except NotACid as error:
        raise BadRequest(f"invalid path: {error}") from None


def one_cid(request: Request) -> Cid:
    """Raises BadRequest."""
    first, *others = cids(request)
    if others:
        raise BadRequest("one argument is expected, not several")
    return first


def profile(request: Request) -> Profile:
    """How files are to be laid out; what is not said is as with a Kubo that has been told nothing. Raises BadRequest."""
    for unheard in ("trickle", "nocopy", "fscache", "wrap-with-directory", "inline"):
        if flag(request, unheard, False):
            raise BadRequest(f"this store does not do {unheard}")
    if (
        request.query_params.get("hash", "sha2-256") != "sha2-256"
        or "to-files" in request.query_params
    ):
        raise BadRequest("this store hashes with sha2-256 alone, and has no folders of its own")
    version = number(request, "cid-version", 0, 0, 1)
    raw = flag(request, "raw-leaves", version == 1)
    if raw and version == 0:
        raise BadRequest("this store adds raw leaves with cid-version=1 alone")
    links = number(request, "max-file-links", V0_2015.links, 2, 8_192)
    return Profile(_chunk(request), links, raw, version)


def _chunk(request: Request) -> int:
    said = request.query_params.get("chunker") or f"{_CHUNKER}{V0_2015.chunk}"
    size = said.removeprefix(_CHUNKER)
    if not said.startswith(_CHUNKER) or not size.isascii() or not size.isdigit() or len(size) > 8:
        raise BadRequest(f"chunker={said[:32]!r}: this store cuts by size-BYTES alone")
    if not 0 < int(size) <= MAX_CHUNK:
        raise BadRequest(f"chunker={said!r}: expected 1 to {MAX_CHUNK} bytes")
    return int(size)


async def form(request: Request) -> AsyncIterator[PartBegins | bytes]:
    """The parts of the body, as they come. Raises BadRequest."""
    try:
        reader = FormReader(boundary_of(request.headers.get("content-type", "")))
        async for piece in request.stream():
            for found in reader.feed(piece):
                yield found
        reader.close()
    except BadForm as error:
        raise BadRequest(str(error)) from None
