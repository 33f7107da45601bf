"""Where a verifier's documents come from: files first, then the arena."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from chain.verify.finding import Finding
from chain.verify.session import Documents
from server.commands.running import CommandError

if TYPE_CHECKING:  # it brings web3 with it
    from chain.verify.onchain import Claimed

MAX_BYTES = 8 << 20
TIMEOUT_S = 20.0
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
NO_EPOCH = "no epochs yet: settlement here is simulated, no chain holds a root"


def named(
    what: str | None, files: Mapping[str, Path | None]
) -> tuple[str | None, Mapping[str, Path | None]]:
    """A session's id; or none, and the files with those that `what` is and that lies beside it."""
    if what is None or not (file := Path(what)).is_file():
        return what, files
    beside = file.with_name(file.name.replace(".transcript.json", ".result.json"))
    result = beside if beside != file and beside.is_file() else None
    return None, {
        **files,
        "transcript": files["transcript"] or file,
        "result": files["result"] or result,
    }


def documents(
    session: str | None,
    url: str | None,
    files: Mapping[str, Path | None],
    ipfs: str | None = None,
    cid: str | None = None,
) -> Documents:
    """What can be had of a transcript, a result and an epoch. With `ipfs` the transcript comes from there, by `cid` or else by
    the result's word. Raises CommandError for a file that cannot be read and an arena that does not answer."""
    given = {name: _read(name, file) for name, file in files.items() if file is not None}
    missing = {"epoch": NO_EPOCH}
    wanted = [] if session is None else ["result"] if ipfs else ["transcript", "result"]
    for name in wanted:
        if name not in given:
            assert session is not None, "nothing is wanted of no session"
            _keep(given, missing, name, _fetch(session, url, name))
    if ipfs is not None and "transcript" not in given:
        _keep(given, missing, "transcript", _from_ipfs(ipfs, cid or _named(given.get("result"))))
    return Documents(missing=missing, **given)


def of_chain(
    documents: Documents, rpc: str | None, chain: int | None, escrow: str | None
) -> list[Finding]:
    """What the chain says of them. Raises CommandError."""
    import asyncio

    from chain.client.contract import NoContract
    from chain.client.node import Reverted
    from chain.verify import onchain

    if rpc is None or chain is None or escrow is None:
        raise CommandError(
            "--rpc, --chain and --escrow go together: whom to ask, of which chain and contract"
        )
    if not _ADDRESS.fullmatch(escrow):
        raise CommandError(f"--escrow: expected 0x and 40 hex digits, got {escrow[:60]!r}")
    claimed = onchain.Claimed(chain_id=chain, escrow=escrow)
    try:
        return asyncio.run(_asked(documents, rpc, claimed))
    except (OSError, NoContract, Reverted) as error:
        raise CommandError(f"--rpc: {error}") from None


async def _asked(documents: Documents, rpc: str, claimed: Claimed) -> list[Finding]:
    from chain.client.rpc import Rpc
    from chain.verify import onchain

    node = Rpc(rpc, claimed.chain_id)
    try:
        await node.check()
        return await onchain.check(documents, claimed, node)
    finally:
        await node.close()


def _keep(given: dict[str, bytes], missing: dict[str, str], name: str, found: bytes | str) -> None:
    """A document, or why there is none."""
    if isinstance(found, bytes):
        given[name] = found
    else:
        missing[name] = found


def _named(result: bytes | None) -> str | None:
    """The content id that a result names, whatever it is worth."""
    from chain.documents import result as results
    from chain.documents.form import DocumentError

    try:
        return None if result is None else results.read(result).transcript
    except DocumentError:
        return None


def _from_ipfs(url: str, id_: str | None) -> bytes | str:
    import asyncio

    from chain.content import cid as cids
    from chain.content.errors import IpfsError
    from chain.content.ipfs import Ipfs

    async def block() -> bytes:
        async with Ipfs(url) as ipfs:
            return await ipfs.cat(cids.parse(id_ or ""), MAX_BYTES)

    if id_ is None:
        return "nobody has said its content id: give --cid, or a result"
    try:
        return asyncio.run(block())
    except cids.NotACid as error:
        raise CommandError(f"--cid: {error}") from None
    except IpfsError as error:
        return str(error)


def _read(name: str, file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_BYTES + 1).removesuffix(b"\n")  # editors add one
    except OSError as error:
        raise CommandError(f"--{name} {file}: cannot be read: {error.strerror}") from None


def _fetch(session: str, url: str | None, name: str) -> bytes | str:
    """The document, or why the arena does not give it."""
    import httpx

    from bots.api import arena_url, no_answer

    arena = arena_url(url)
    path = f"{arena}/v1/sessions/{quote(session, safe='')}/{name}"
    try:
        answer = httpx.get(path, timeout=TIMEOUT_S, trust_env=False)
    except httpx.HTTPError as error:
        raise CommandError(no_answer(arena, error)) from None
    if answer.is_success:
        return answer.content
    return problem_of(answer)


def problem_of(answer: Any) -> str:
    """An arena's refusal, in its words."""
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"the arena answered {answer.status_code}"
