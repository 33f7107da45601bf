"""Kubo's RPC over the store: the endpoints that `aioipfs` and `chain.content.ipfs` use, with Kubo's shapes and words.

https://docs.ipfs.tech/reference/kubo/rpc/. All are POST. A failure is a 500 of `{"Message", "Code", "Type"}`, as Kubo's are.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from chain.blockstore import asked
from chain.blockstore.access import OnlyOurs
from chain.blockstore.asked import BadRequest
from chain.blockstore.desk import Desk
from chain.blockstore.store import BlockStore, NotFound, Pin, StoreError
from chain.blockstore.taking import Taking, take_archives, take_blocks, take_files
from chain.content import car, cid
from chain.content.cid import Cid, Codec
from chain.content.unixfs import Block

VERSION = "0.1.0"
"""Of this store; it is no Kubo and does not say that it is one."""
_PAGE = 64
"""Blocks that are read at one go for an export."""

Answer = Callable[[Desk, Request], Awaitable[Response]]


def create_app(store: BlockStore, folder: Path, token: str) -> Starlette:
    """The application; closing it (lifespan) closes the store."""
    desk = Desk(store)
    peer = str(cid.of(b"agon-blockstore/1" + token.encode(), Codec.DAG_PB, 0))

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await desk.close()

    async def id_(_: Desk, __: Request) -> Response:
        told = {"ID": peer, "PublicKey": "", "Addresses": [], "Protocols": []}
        return _json(told | {"AgentVersion": f"agon-blockstore/{VERSION}/"})

    async def repo_stat(desk: Desk, _: Request) -> Response:
        found = await desk.do(BlockStore.stat)
        sizes = {"RepoSize": found.bytes, "StorageMax": found.max_bytes, "NumObjects": found.blocks}
        return _json(sizes | {"RepoPath": str(folder), "Version": "agon-blockstore@1"})

    answers: dict[str, Answer] = {
        "add": _add,
        "cat": _cat,
        "block/put": _block_put,
        "block/get": _block_get,
        "block/stat": _block_stat,
        "block/rm": _block_rm,
        "pin/add": _pin_add,
        "pin/rm": _pin_rm,
        "pin/ls": _pin_ls,
        "dag/import": _dag_import,
        "dag/export": _dag_export,
        "repo/gc": _repo_gc,
        "repo/stat": repo_stat,
        "version": _version,
        "id": id_,
    }
    routes = [
        Route(f"/api/v0/{name}", _guarded(desk, answer), methods=["POST"])
        for name, answer in answers.items()
    ]
    return Starlette(
        routes=routes, middleware=[Middleware(OnlyOurs, token=token)], lifespan=lifespan
    )


def _guarded(desk: Desk, answer: Answer) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await answer(desk, request)
        except StoreError as error:
            # Answered before it is read, a client may see a broken connection and not the answer.
            with contextlib.suppress(ClientDisconnect, RuntimeError):
                async for _ in request.stream():
                    pass
            return _failure(str(error), 400 if isinstance(error, BadRequest) else 500)
        except ClientDisconnect:
            return Response(status_code=499)  # nobody reads it
        except sqlite3.Error as error:
            return _failure(f"the content store cannot use its disk: {error}", 500)

    return guarded


async def _add(desk: Desk, request: Request) -> Response:
    profile, pin = asked.profile(request), asked.flag(request, "pin", True)
    taking = Taking(desk, dry=asked.flag(request, "only-hash", False))
    added = await take_files(taking, asked.form(request), profile, pin=pin)
    return _lines(
        {"Name": a.name or str(a.cid), "Hash": str(a.cid), "Size": str(a.size)} for a in added
    )


async def _cat(desk: Desk, request: Request) -> Response:
    most = 2**62
    offset = asked.number(request, "offset", 0, 0, most)
    length = asked.number(request, "length", most, 0, most)
    return await _stream(desk.file(asked.one_cid(request), offset, length), "text/plain")


async def _block_put(desk: Desk, request: Request) -> Response:
    codec = {"raw": Codec.RAW, "dag-pb": Codec.DAG_PB, "protobuf": Codec.DAG_PB}.get(
        request.query_params.get("cid-codec", "raw")
    )
    if codec is None or request.query_params.get("mhtype", "sha2-256") != "sha2-256":
        raise BadRequest("this store keeps raw and dag-pb blocks, by their SHA-256")
    big = asked.flag(request, "allow-big-block", False)
    pin = asked.flag(request, "pin", False)
    kept = await take_blocks(Taking(desk), asked.form(request), codec, big=big, pin=pin)
    return _lines({"Key": str(block.cid), "Size": len(block.data)} for block in kept)


async def _block_get(desk: Desk, request: Request) -> Response:
    id_ = asked.one_cid(request)
    block = await desk.do(lambda store: store.get(id_))
    return Response(block, media_type="application/vnd.ipld.raw")


async def _block_stat(desk: Desk, request: Request) -> Response:
    id_ = asked.one_cid(request)
    return _json({"Key": str(id_), "Size": await desk.do(lambda store: store.size(id_))})


async def _block_rm(desk: Desk, request: Request) -> Response:
    force = asked.flag(request, "force", False)
    told = []
    for id_ in asked.cids(request):
        refused = await desk.do(partial(_removed, id_, force))
        told.append({"Hash": str(id_)} | ({"Error": refused} if refused else {}))
    return _lines(told)


def _removed(id_: Cid, force: bool, store: BlockStore) -> str:
    """Why not; empty where it is gone."""
    try:
        store.remove(id_)
    except NotFound as error:
        return "" if force else str(error)
    except StoreError as error:
        return str(error)
    return ""


async def _pin_add(desk: Desk, request: Request) -> Response:
    recursive = asked.flag(request, "recursive", True)
    name = request.query_params.get("name", "")
    if len(name) > asked.MAX_NAME:
        raise BadRequest(f"a pin's name has at most {asked.MAX_NAME} characters")
    pins = [Pin(id_, recursive, name) for id_ in asked.cids(request)]
    await desk.do(lambda store: store.put((), pins))
    return _json({"Pins": [str(pin.cid) for pin in pins]})


async def _pin_rm(desk: Desk, request: Request) -> Response:
    recursive = asked.flag(request, "recursive", True)
    gone = asked.cids(request)
    for id_ in gone:
        await desk.do(partial(_unpinned, id_, recursive))
    return _json({"Pins": [str(id_) for id_ in gone]})


def _unpinned(id_: Cid, recursive: bool, store: BlockStore) -> None:
    store.unpin(id_, recursive=recursive)


async def _pin_ls(desk: Desk, request: Request) -> Response:
    kind = request.query_params.get("type", "all")
    if kind not in ("direct", "indirect", "recursive", "all"):
        raise BadRequest(
            f"invalid type '{kind[:32]}', must be one of {{direct, indirect, recursive, all}}"
        )
    if "arg" in request.query_params:
        found = await desk.do(lambda store: list(_pins_of(store, asked.cids(request), kind)))
        return _json({"Keys": dict(found)})
    if asked.flag(request, "stream", False):
        return await _stream(_listed(desk, kind), "application/json")
    keys: dict[str, Any] = {}
    async for line in _listed(desk, kind):
        for told in map(msgspec.json.decode, line.splitlines()):
            keys[told["Cid"]] = {"Type": told["Type"], "Name": told["Name"]}
    return _json({"Keys": keys} if keys else {})


def _pins_of(store: BlockStore, ids: list[Cid], kind: str) -> Iterator[tuple[str, dict[str, str]]]:
    for id_ in ids:
        found = store.pinned(id_)
        if found is None or not (kind == "all" or found.startswith(kind)):
            raise StoreError(f"path '{id_}' is not pinned")
        yield str(id_), {"Type": found}


async def _listed(desk: Desk, kind: str) -> AsyncIterator[bytes]:
    """A line for each pin, some of them at a time."""
    after = b""
    while page := await desk.do(partial(_page, after)):
        after = page[-1].cid.binary
        lines = [
            {"Cid": str(pin.cid), "Type": type_, "Name": pin.name}
            for pin in page
            for type_ in ["recursive" if pin.recursive else "direct"]
            if kind in ("all", type_)
        ]
        if kind in ("all", "indirect"):
            roots = [p.cid for p in page if p.recursive and p.cid.codec is Codec.DAG_PB]
            below = await desk.do(partial(_below, roots))
            lines += [{"Cid": str(id_), "Type": "indirect", "Name": ""} for id_ in below]
        if lines:
            yield b"".join(msgspec.json.encode(line) + b"\n" for line in lines)


def _page(after: bytes, store: BlockStore) -> list[Pin]:
    return store.page(after)


def _below(roots: list[Cid], store: BlockStore) -> set[Cid]:
    below = {id_ for root in roots for id_ in itertools.islice(store.below(root), 1, None)}
    return {id_ for id_ in below if store.pinned_itself(id_) is None}


async def _dag_import(desk: Desk, request: Request) -> Response:
    pin, silent = asked.flag(request, "pin-roots", True), asked.flag(request, "silent", False)
    taken = await take_archives(Taking(desk), asked.form(request), pin=pin)
    told: list[dict[str, Any]] = []
    if pin and not silent:
        told += [
            {"Root": {"Cid": {"/": str(root)}, "PinErrorMsg": refused}}
            for root, refused in taken.roots
        ]
    if asked.flag(request, "stats", False):
        told.append({"Stats": {"BlockCount": taken.blocks, "BlockBytesCount": taken.bytes}})
    return _lines(told)


async def _dag_export(desk: Desk, request: Request) -> Response:
    root = asked.one_cid(request)
    return await _stream(_exported(desk, root), "application/vnd.ipld.car; version=1")


async def _exported(desk: Desk, root: Cid) -> AsyncIterator[bytes]:
    walk = await desk.do(lambda store: store.below(root))

    def more(store: BlockStore) -> bytes:
        page = (Block(id_, store.get(id_)) for id_ in itertools.islice(walk, _PAGE))
        return b"".join(car.section(block) for block in page)

    first = await desk.do(more)
    yield car.header([root]) + first
    while piece := await desk.do(more):
        yield piece


async def _repo_gc(desk: Desk, _: Request) -> Response:
    gone = await desk.do(BlockStore.collect)
    return _lines({"Key": {"/": str(id_)}} for id_ in gone)


async def _version(_: Desk, __: Request) -> Response:
    return _json(
        {"Version": VERSION, "Commit": "", "Repo": "1", "System": "agon-blockstore", "Golang": ""}
    )


async def _stream(pieces: AsyncIterator[bytes], media_type: str) -> Response:
    """What fails before the first piece is an answer; later only a broken connection can say it."""
    first = await anext(pieces, b"")

    async def all_of_it() -> AsyncIterator[bytes]:
        yield first
        async for piece in pieces:
            yield piece

    return StreamingResponse(all_of_it(), media_type=media_type)


def _json(told: object) -> Response:
    return Response(msgspec.json.encode(told) + b"\n", media_type="application/json")


def _lines(told: Any) -> Response:
    body = b"".join(msgspec.json.encode(each) + b"\n" for each in told)
    return Response(body, media_type="application/json")


def _failure(message: str, status: int) -> Response:
    told = msgspec.json.encode({"Message": message, "Code": 0, "Type": "error"})
    return Response(told, status, media_type="application/json")
