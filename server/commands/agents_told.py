"""What `agon agents` prints for people. Names and words are anybody's, so every line is made plain."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bots.journal import plain
from server.commands import telling

LINE_CHARS = 4_000
SPEC_CHARS = 300
HEADINGS = ("NAME", "KIND", "VERSION", "PLAYS", "STATE", "AGENT")
VERSION_HEADINGS = ("VERSION", "MADE", "SPEC")


def lines(told: Iterable[str]) -> None:
    """Print them, each made plain behind its indentation."""
    for line in told:
        words = line.lstrip(" ")
        print(" " * (len(line) - len(words)) + plain(words, LINE_CHARS))


def row(agent: Any) -> tuple[str, ...]:
    """One agent in the list."""
    return (
        plain(agent["name"]),
        agent["kind"],
        f"v{agent['number']}",
        ", ".join(agent["spaces"]) or "nothing",
        _state(agent),
        agent["agent"],
    )


def version_row(version: Any) -> tuple[str, ...]:
    made = telling.ago(version["created_ms"])
    return f"v{version['number']}", made, plain(in_words(version["spec"]), SPEC_CHARS)


def described(agent: Any) -> list[str]:
    """All that an agent is made of."""
    spec = agent["spec"]
    told = [
        f"{agent['name']}  {agent['agent']}",
        f"about        {agent['about'] or 'nothing'}",
        f"kind         {agent['kind']}, {_state(agent)}",
        f"version      v{agent['number']}, revision {agent['revision']}",
        f"plays        {', '.join(agent['spaces']) or 'nothing'}",
        f"brain        {spec.get('brain', 'llm')}; {_settings(spec) or 'settings of the arena'}",
    ]
    if spec.get("build"):
        told.append(f"build        {spec['build']}")
    told += _prompt("prompt", spec.get("prompt", ""))
    for space, text in spec.get("prompts", {}).items():
        told += _prompt(f"prompt for {space}", text)
    return told


def in_words(spec: Any) -> str:
    """A spec in one line."""
    parts = [spec.get("brain", "llm"), _settings(spec), spec.get("build", "")]
    if spec.get("adapter"):
        parts.append(f"adapter {spec['adapter']}")
    if spec.get("spaces"):
        parts.append(", ".join(spec["spaces"]))
    if spec.get("prompt"):
        parts.append(f'"{spec["prompt"][:80]}"')
    return "; ".join(part for part in parts if part)


def improved(answer: Any) -> None:
    """The prompt on standard output as it is to be used, then what was changed."""
    lines([*answer["prompt"].splitlines(), "", *(f"- {note}" for note in answer["notes"])])


def shelf(answer: Any) -> list[str]:
    told = [f"{each['brain']:<8} plays {', '.join(each['spaces'])}" for each in answer["brains"]]
    models = answer["models"]
    told.append(f"models   {models[0]} (the arena's own)" if models else "models   none")
    told += [f"         {model}" for model in models[1:]]
    told.append(
        f"limits   {answer['agents_per_account']} agents an account,"
        f" {answer['versions_per_day']} versions a day"
    )
    return told


def _settings(spec: Any) -> str:
    names = ("model", "temperature", "top_p", "max_tokens")
    return ", ".join(f"{name} {spec[name]}" for name in names if spec.get(name) is not None)


def _prompt(what: str, text: str) -> list[str]:
    if not text:
        return []
    return [f"{what} ({len(text):,} characters):", *(f"  {line}" for line in text.splitlines())]


def _state(agent: Any) -> str:
    if agent["frozen_ms"] is not None:
        return f"frozen: {agent['frozen_reason'] or 'no reason is given'}"
    return "active" if agent["archived_ms"] is None else "archived"
