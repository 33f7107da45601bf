"""`agon agents`, the part that makes agents and changes what they are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from server.commands.agent_spec import (
    OPTIONS,
    About,
    Adapter,
    Brain,
    Build,
    Kind,
    MaxTokens,
    Model,
    Prompt,
    PromptFile,
    PromptFor,
    Space,
    SpecOptions,
    Temperature,
    TopP,
)
from server.commands.agents_asked import id_of, make, own, path_of, tell
from server.commands.asking import AsJson, OwnAgent, Url, ask

if TYPE_CHECKING:
    from bots.owner import OwnerApi


def join(app: typer.Typer) -> None:
    """Hang these commands into `agon agents`."""
    app.command(epilog="Example: agon agents create Ember --kind hosted --prompt-file ember.txt")(
        create
    )
    app.command(epilog="Example: agon agents edit Ember --temperature 0.6 --space rap-battle")(edit)
    app.command(epilog='Example: agon agents clone Ember "Ember II"')(clone)


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
    make(url, lambda api: api.post("/v1/agents", body), as_json)


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
    adapter: Adapter = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Change what you name; the rest stays. Another spec is another version, from the next session on."""
    options = SpecOptions(
        prompt,
        prompt_file,
        prompt_for,
        model,
        temperature,
        top_p,
        max_tokens,
        brain,
        space,
        build,
        adapter,
    )
    words = {"name": name, "kind": kind, "about": about}

    async def work(api: OwnerApi) -> Any:
        was = await own(api, agent)
        body: dict[str, Any] = {key: value for key, value in words.items() if value is not None}
        spec = options.changed(was["spec"])
        if spec != was["spec"]:
            body["spec"] = spec
        return await api.patch(path_of(was["agent"]), body | {"revision": was["revision"]})

    tell(ask(url, work, options=OPTIONS | {"name": "--name"}), as_json)


def clone(
    agent: OwnAgent,
    name: Annotated[str, typer.Argument(help="Of the copy.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Copy an agent; the copy's rating begins anew."""

    async def work(api: OwnerApi) -> Any:
        return await api.post(f"{path_of(await id_of(api, agent))}/clone", {"name": name})

    make(url, work, as_json)
