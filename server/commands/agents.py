"""`agon agents`: one's agents from the shell. Speaks to the public API alone, with the owner's login."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.agent_spec import SpecOptions
from server.commands.asking import AsJson, OwnAgent, Url, ask
from server.commands.running import CommandError

if TYPE_CHECKING:
    from bots.owner import OwnerApi

app = typer.Typer(
    name="agents",
    help="Make your agents, change them, copy them, carry them.",
    epilog="Example: agon agents create Ember --kind hosted --prompt-file ember.txt --space rap-battle",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Kind = Annotated[
    str | None,
    typer.Option(
        help="Who plays it: `hosted`, the arena by its prompt and model; `remote`, your bot. A new one is `remote`."
    ),
]
About = Annotated[str | None, typer.Option(help="One line for its public page.")]
Prompt = Annotated[str | None, typer.Option(help="The system prompt; `-` reads standard input.")]
PromptFile = Annotated[Path | None, typer.Option(help="A file that holds the system prompt.")]
PromptFor = Annotated[
    list[str] | None,
    typer.Option(
        metavar="SPACE=FILE",
        help="A prompt of its own in a Space; repeated for several, `SPACE=` takes it away.",
    ),
]
Model = Annotated[
    str | None, typer.Option(help="One that `agon agents shelf` lists; `none`: the arena's own.")
]
Temperature = Annotated[
    float | None, typer.Option(min=0, max=2, help="The model's: higher is wilder.")
]
TopP = Annotated[
    float | None, typer.Option(min=0.01, max=1, help="Nucleus sampling: 1 leaves nothing out.")
]
MaxTokens = Annotated[int | None, typer.Option(min=16, max=2_048, help="The longest answer.")]
Brain = Annotated[
    str | None,
    typer.Option(help="One that `agon agents shelf` lists; default: `llm`, which asks the model."),
]
Space = Annotated[
    list[str] | None,
    typer.Option(
        help="A Space that it plays; repeat it for several, `all`: whatever its brain can."
    ),
]
Build = Annotated[str | None, typer.Option(help="What your bot calls itself, e.g. a commit.")]


OPTIONS = {
    "about": "--about",
    "kind": "--kind",
    "spec.prompt": "--prompt",
    "spec.prompts": "--prompt-for",
    "spec.model": "--model",
    "spec.temperature": "--temperature",
    "spec.top_p": "--top-p",
    "spec.max_tokens": "--max-tokens",
    "spec.brain": "--brain",
    "spec.spaces": "--space",
    "spec.build": "--build",
}
"""Field of a request -> the option that sets it; a file that is imported has its own names."""


@app.command("list", epilog="Example: agon agents list --all")
def list_agents(
    all_: Annotated[bool, typer.Option("--all", help="The archived ones, too.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List your agents."""
    from server.commands import agents_told, telling

    found = ask(url, lambda api: api.get("/v1/me/agents"))["agents"]
    shown = [each for each in found if all_ or each["archived_ms"] is None]
    if as_json:
        telling.as_json(shown)
    else:
        rows = [agents_told.row(each) for each in shown]
        telling.table(agents_told.HEADINGS, rows, nothing="no agents yet: agon agents create NAME")


@app.command(epilog="Example: agon agents show Ember")
def show(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Print all that an agent is made of."""
    _tell(ask(url, lambda api: _own(api, agent)), as_json)


@app.command(epilog="Example: agon agents versions Ember")
def versions(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """List an agent's versions with their specs, newest first."""
    from server.commands import agents_told, telling

    async def work(api: OwnerApi) -> Any:
        path = f"/v1/me/agents/{await _id(api, agent)}/versions"
        page = await api.get(path, limit=100)
        found = page["versions"]
        while page["next"] is not None:
            page = await api.get(path, limit=100, before=page["next"])
            found += page["versions"]
        return found

    found = ask(url, work)
    if as_json:
        telling.as_json(found)
    else:
        rows = [agents_told.version_row(each) for each in found]
        telling.table(agents_told.VERSION_HEADINGS, rows, nothing="no versions")


@app.command(epilog="Example: agon agents create Ember --kind hosted --prompt-file ember.txt")
def create(
    name: Annotated[str, typer.Argument(help="What everybody will call it.")],
    kind: Kind = None,
    about: About = None,
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    prompt_for: PromptFor = None,
    model: Model = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    brain: Brain = None,
    space: Space = None,
    build: Build = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Make an agent. Its key is kept for your bots (`agon bot --name NAME`)."""
    options = SpecOptions(
        prompt, prompt_file, prompt_for, model, temperature, top_p, max_tokens, brain, space, build
    )
    body = {"name": name, "spec": options.changed({})}
    body |= {key: value for key, value in (("kind", kind), ("about", about)) if value is not None}
    _made(url, lambda api: api.post("/v1/agents", body), as_json)


@app.command(epilog="Example: agon agents edit Ember --temperature 0.6 --space rap-battle")
def edit(
    agent: OwnAgent,
    name: Annotated[str | None, typer.Option(help="Call it so from now on.")] = None,
    kind: Kind = None,
    about: About = None,
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    prompt_for: PromptFor = None,
    model: Model = None,
    temperature: Temperature = None,
    top_p: TopP = None,
    max_tokens: MaxTokens = None,
    brain: Brain = None,
    space: Space = None,
    build: Build = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change what you name; the rest stays. Another spec is another version, from the next session on."""
    options = SpecOptions(
        prompt, prompt_file, prompt_for, model, temperature, top_p, max_tokens, brain, space, build
    )
    words = {"name": name, "kind": kind, "about": about}

    async def work(api: OwnerApi) -> Any:
        was = await _own(api, agent)
        body: dict[str, Any] = {key: value for key, value in words.items() if value is not None}
        spec = options.changed(was["spec"])
        if spec != was["spec"]:
            body["spec"] = spec
        return await api.patch(_path(was["agent"]), body | {"revision": was["revision"]})

    _tell(ask(url, work, options=OPTIONS | {"name": "--name"}), as_json)


@app.command(epilog='Example: agon agents clone Ember "Ember II"')
def clone(
    agent: OwnAgent,
    name: Annotated[str, typer.Argument(help="Of the copy.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Copy an agent; the copy's rating begins anew."""

    async def work(api: OwnerApi) -> Any:
        return await api.post(f"{_path(await _id(api, agent))}/clone", {"name": name})

    _made(url, work, as_json)


@app.command(epilog="Example: agon agents archive Ember")
def archive(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Let it play no more; its record stays."""
    _tell(ask(url, lambda api: _post(api, agent, "archive")), as_json)


@app.command(epilog="Example: agon agents restore Ember")
def restore(agent: OwnAgent, url: Url = None, as_json: AsJson = False) -> None:
    """Let an archived agent play again."""
    _tell(ask(url, lambda api: _post(api, agent, "restore")), as_json)


@app.command(epilog="Example: agon agents export Ember > ember.agent.json")
def export(
    agent: OwnAgent,
    out: Annotated[Path | None, typer.Option(help="This file; default: standard output.")] = None,
    url: Url = None,
) -> None:
    """Write all that an agent is made of as one file. Its prompts are in it: keep it secret."""
    import msgspec

    from bots.private_file import PrivateFile

    async def work(api: OwnerApi) -> Any:
        return await api.get(f"{_path(await _id(api, agent))}/export")

    text = msgspec.json.format(msgspec.json.encode(ask(url, work))).decode() + "\n"
    if out is None:
        sys.stdout.write(text)
    else:
        PrivateFile(out).write(text)


@app.command("import", epilog="Example: agon agents import ember.agent.json --name Cinder")
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
    _made(url, lambda api: api.post(f"/v1/agents/import{query}", body), as_json)


@app.command(epilog="Example: agon agents avatar Ember ember.png")
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
        path = f"{_path(await _id(api, agent))}/avatar"
        if data is not None:
            return await api.put(path, data)
        return await (api.delete(path) if drop else api.get(path))

    answer = ask(url, work)
    if out is not None:
        try:
            out.write_bytes(answer)
        except OSError as error:
            raise CommandError(f"cannot write {out}: {error.strerror}") from None


@app.command(
    epilog='Example: agon agents improve rap-battle --prompt-file ember.txt --wish "more jokes"'
)
def improve(
    space: Annotated[str, typer.Argument(help="The Space that the prompt is for.")],
    prompt: Prompt = None,
    prompt_file: PromptFile = None,
    wish: Annotated[str, typer.Option(help="What should be different.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Have the arena's model write or improve a prompt. Nothing is changed by it."""
    from server.commands import agents_told, telling

    text = SpecOptions(prompt, prompt_file).prompt_text() or ""
    body = {"space": space, "prompt": text, "wish": wish}
    options = {"space": "SPACE", "prompt": "--prompt", "wish": "--wish"}
    answer = ask(url, lambda api: api.post("/v1/prompts/improve", body), options=options)
    if as_json:
        telling.as_json(answer)
    else:
        agents_told.improved(answer)


@app.command(epilog="Example: agon agents shelf")
def shelf(url: Url = None, as_json: AsJson = False) -> None:
    """Print the brains and models that hosted agents may have."""
    from server.commands import agents_told, telling

    answer = ask(url, lambda api: api.get("/v1/shelf"), nobody=True)
    if as_json:
        telling.as_json(answer)
    else:
        agents_told.lines(agents_told.shelf(answer))


# ---------------------------------------------------------------------- inside


def _made(url: str | None, work: Callable[[OwnerApi], Awaitable[Any]], as_json: bool) -> None:
    """Make an agent and keep its key where `agon bot` looks for it."""
    from bots.api import Credentials, arena_url
    from bots.keys import Keys
    from server.commands import agents_told, telling

    made = ask(url, work, options=OPTIONS | {"name": "NAME"})
    keys = Keys()
    keys.keep(arena_url(url), made["name"], Credentials(made["agent"], made["key"]))
    if as_json:
        telling.as_json(made)
    else:
        agents_told.lines([f"made {made['name']} ({made['agent']}); its key is in {keys.path}"])


def _tell(agent: Any, as_json: bool) -> None:
    from server.commands import agents_told, telling

    if as_json:
        telling.as_json(agent)
    else:
        agents_told.lines(agents_told.described(agent))


async def _own(api: OwnerApi, named: str) -> Any:
    return await api.get(f"/v1/me/agents/{await _id(api, named)}")


async def _post(api: OwnerApi, named: str, act: str) -> Any:
    return await api.post(f"{_path(await _id(api, named))}/{act}", {})


async def _id(api: OwnerApi, named: str) -> str:
    from bots.owner import own_agent

    return await own_agent(api, named)


def _path(agent: str) -> str:
    return f"/v1/agents/{agent}"


def _read(file: Path) -> bytes:
    if str(file) == "-":
        return sys.stdin.buffer.read()
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from None
