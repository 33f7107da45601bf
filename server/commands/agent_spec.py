"""The options of `agon agents` that say what an agent is, and the spec that they make."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from server.commands.running import CommandError

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
Adapter = Annotated[
    str | None,
    typer.Option(
        help="One that was promoted for this agent (`agon training lineage`); `none`: play without."
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
    "spec.adapter": "--adapter",
}
"""Field of a request -> the option that sets it; a file that is imported has its own names."""


@dataclass(frozen=True)
class SpecOptions:
    """As they were given; None: not named."""

    prompt: str | None = None
    prompt_file: Path | None = None
    prompt_for: list[str] | None = None
    model: str | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: int | None = None
    brain: str | None = None
    space: list[str] | None = None
    build: str | None = None
    adapter: str | None = None

    def changed(self, spec: dict[str, Any]) -> dict[str, Any]:
        """The spec with what was named put in. Raises CommandError, typer.BadParameter."""
        named = {
            "prompt": self.prompt_text(),
            "model": self.model,
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "brain": self.brain,
            "build": self.build,
            "adapter": self.adapter,
        }
        new = spec | {name: value for name, value in named.items() if value is not None}
        if self.model == "none":
            del new["model"]
        if self.adapter == "none":
            del new["adapter"]
        if self.space is not None:
            new["spaces"] = [] if self.space == ["all"] else self.space
        if self.prompt_for is not None:
            new["prompts"] = dict(spec.get("prompts", {})) | self._prompts_for()
        return new

    def prompt_text(self) -> str | None:
        """The default prompt that was named. Raises CommandError, typer.BadParameter."""
        if self.prompt is not None and self.prompt_file is not None:
            raise typer.BadParameter("name either --prompt or --prompt-file")
        if self.prompt_file is not None:
            return _text(self.prompt_file)
        return sys.stdin.read() if self.prompt == "-" else self.prompt

    def _prompts_for(self) -> dict[str, str]:
        found = {}
        for each in self.prompt_for or ():
            space, equals, file = each.partition("=")
            if not equals:
                raise typer.BadParameter(f"--prompt-for {each!r} is no SPACE=FILE")
            found[space] = _text(Path(file)) if file else ""
        return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except OSError as error:
        raise CommandError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is no UTF-8 text") from None
