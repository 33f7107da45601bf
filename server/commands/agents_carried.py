"""`agon agents`, the part that reads and writes files: an agent as one file, and its picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.agents_asked import id_of, make, path_of
from server.commands.asking import AsJson, OwnAgent, Url, ask
from server.commands.running import CommandError

if TYPE_CHECKING:
    from bots.owner import OwnerApi


def join(app: typer.Typer) -> None:
    """Hang these commands into `agon agents`."""
    app.command(epilog="Example: agon agents export Ember > ember.agent.json")(export)
    app.command("import", epilog="Example: agon agents import ember.agent.json --name Cinder")(
        import_
    )
    app.command(epilog="Example: agon agents avatar Ember ember.png")(avatar)


def export(
    agent: OwnAgent,
    out: Annotated[Path | None, typer.Option(help="This file; default: standard output.")] = None,
    url: Url = None,
) -> None:
    """Write all that an agent is made of as one file. Its prompts are in it: keep it secret."""
    import msgspec

    from bots.private_file import PrivateFile

    async def work(api: OwnerApi) -> Any:
        return await api.get(f"{path_of(await id_of(api, agent))}/export")

    text = msgspec.json.format(msgspec.json.encode(ask(url, work))).decode() + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        PrivateFile(out).write(text)


def import_(
    file: Annotated[
        Path, typer.Argument(help="As `agon agents export` wrote it; `-`: standard input.")
    ],
    name: Annotated[str | None, typer.Option(help="Call it so.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make an agent from a file that `export` wrote."""
    from urllib.parse import urlencode

    import msgspec

    data = _read(file)
    try:
        body = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise CommandError(f"{file} is no exported agent: {error}") from None
    query = "" if name is None else f"?{urlencode({'name': name})}"
    make(url, lambda api: api.post(f"/v1/agents/import{query}", body), as_json)


def avatar(
    agent: OwnAgent,
    file: Annotated[
        Path | None, typer.Argument(help="A PNG or JPEG of at most 1 MiB; `-`: standard input.")
    ] = None,
    drop: Annotated[bool, typer.Option(help="Back to the face made from its id.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the picture here, as PNG.")] = None,
    url: Url = None,
) -> None:
    """Give an agent a picture, take it away, or save it."""
    if sum((file is not None, drop, out is not None)) != 1:
        raise typer.BadParameter("name a picture, or --drop, or --out FILE")
    data = None if file is None else _read(file)

    async def work(api: OwnerApi) -> Any:
        path = f"{path_of(await id_of(api, agent))}/avatar"
        if data is not None:
            return await api.put(path, data)
        return await (api.delete(path) if drop else api.get(path))

    answer = ask(url, work)
    if out is not None:
        try:
            out.write_bytes(answer)
        except OSError as error:
            raise CommandError(f"cannot write {out}: {error.strerror}") from None


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from None
