"""`agon agents`, the part that helps to decide: what an agent may be made of, and better prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.agent_spec import (
    Prompt,
    PromptFile,
    SpecOptions,
)
from server.commands.asking import AsJson, Url, ask

if TYPE_CHECKING:
    pass


def join(app: typer.Typer) -> None:
    """Hang these commands into `agon agents`."""
    app.command(
        epilog='Example: agon agents improve rap-battle --prompt-file ember.txt --wish "more jokes"'
    )(improve)
    app.command(epilog="Example: agon agents shelf")(shelf)


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


def shelf(url: Url = None, as_json: AsJson = False) -> None:
    """Print the brains and models that hosted agents may have."""
    from server.commands import agents_told, telling

    answer = ask(url, lambda api: api.get("/v1/shelf"), nobody=True)
    if as_json:
        telling.as_json(answer)
    else:
        agents_told.lines(agents_told.shelf(answer))
