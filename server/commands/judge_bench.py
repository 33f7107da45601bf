"""`agon judge bench`: how good judges are, measured on works of which it is known which one is better."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from server.commands.asking import AsJson
from server.commands.running import CommandError, DataDir, load, run_async

if TYPE_CHECKING:
    from judges.bench.figures import Report
    from judges.bench.run import Journal, Progress
    from judges.bench.trials import Trial
    from judges.judge import Judge

PANEL = ("model:leaning", "sound", "words", "topic", "blend")
"""The five judges of `make demo`."""
_MODEL = re.compile(r"(https?://[^/\s]+(?:/[^:\s]*)?)(?::(\S+))?")
KEY_CHARS = 4_096
HTTP_S = 10.0
EXAMPLE = (
    "agon judge bench --model http://127.0.0.1:8000/v1:qwen3-8b --family model:scores --out bench"
)


def bench(
    model: Annotated[
        str,
        typer.Option(
            help="The API of an OpenAI-compatible server, …/v1, and behind a colon the model's name. Default: the embedded model."
        ),
    ] = "",
    api_key_file: Annotated[
        Path | None, typer.Option(help="A file that holds the API key of that server.")
    ] = None,
    family: Annotated[
        list[str] | None,
        typer.Option(help=f"A judge to measure; may be given again. Default: {', '.join(PANEL)}."),
    ] = None,
    out: Annotated[
        Path, typer.Option(help="A folder for the journal and the report; a bench goes on there.")
    ] = Path("judge-bench"),
    material: Annotated[
        Path | None,
        typer.Option(help="A folder with works of your own, in the form of judges/bench/material."),
    ] = None,
    half: Annotated[
        str,
        typer.Option(help="`reported`, or `tuning`: that with which the instruments were set."),
    ] = "reported",
    limit: Annotated[
        int, typer.Option(min=0, help="Trials that are asked, a fair sample; 0: all.")
    ] = 0,
    at_once: Annotated[int, typer.Option(min=1, max=64, help="Trials asked at a time.")] = 2,
    report_only: Annotated[
        bool, typer.Option("--report-only", help="Ask nothing more; report on what the folder has.")
    ] = False,
    as_json: AsJson = False,
    data_dir: DataDir = None,
) -> None:
    """Measure how good judges are.

    Planted faults, liking for a place, for length and for own work, attacks, agreement and calibration; of each judge and of
    their median. Ends in report.html, report.png, report.md and report.json. A bench that was stopped goes on with the same command.
    """
    from judges.bench.material import BadMaterial
    from judges.bench.run import BadJournal
    from judges.families import UnknownFamily
    from judges.instruments.embedding import NoVectors

    if half not in ("reported", "tuning"):
        raise CommandError(f"--half is reported or tuning, got {half!r}")
    families = tuple(dict.fromkeys(family or PANEL))
    setting = _Setting(
        families, model, _key(api_key_file), out, material, half, limit, at_once, report_only
    )
    try:
        report = run_async(lambda: _run(setting, data_dir))
    except (BadMaterial, BadJournal, UnknownFamily, NoVectors) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{out}: {error.strerror or error}") from None
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from {out}", file=sys.stderr)
        raise typer.Exit(130) from None
    _write(report, out)
    _tell(report, out, as_json=as_json)


def add(app: typer.Typer) -> None:
    """Add `bench` to the group `agon judge`."""
    app.command(epilog=f"Example: {EXAMPLE}")(bench)


class _Setting:
    """What the command was told."""

    def __init__(
        self,
        families: tuple[str, ...],
        model: str,
        api_key: str,
        out: Path,
        material: Path | None,
        half: str,
        limit: int,
        at_once: int,
        report_only: bool,
    ) -> None:
        self.families = families
        self.api_key = api_key
        self.out = out
        self.material = material
        self.half = half
        self.limit = limit
        self.at_once = at_once
        self.report_only = report_only
        self.url, self.name = read_model(model) if model else ("", "")

    @property
    def asks(self) -> bool:
        return any(each.startswith("model:") for each in self.families)


def read_model(text: str) -> tuple[str, str]:
    """URL and name (empty where none is given). Raises CommandError."""
    found = _MODEL.fullmatch(text.strip())
    if found is None:
        raise CommandError(
            f"--model is a URL and a name, e.g. http://127.0.0.1:8000/v1:qwen3-8b, got {text!r}"
        )
    return found[1].rstrip("/"), found[2] or ""


def _key(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        key = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"--api-key-file {file} cannot be read: {error}") from None
    if not key or len(key) > KEY_CHARS or len(key.split()) != 1:
        raise CommandError(f"--api-key-file {file} holds no key: one word is expected")
    return key


async def _run(setting: _Setting, data_dir: str | None) -> Report:
    import hashlib

    from judges.bench import material
    from judges.bench.figures import Report, agreement, figures, tabled
    from judges.bench.run import Journal, ask_all
    from judges.bench.trials import all_trials
    from judges.families import judge_of

    half = material.TUNING if setting.half == "tuning" else material.REPORTED
    async with _model(setting, data_dir) as (url, name):
        bare = all_trials(half, {}, setting.material)
        asked = [name, *sorted(each.key + repr(each.case) for each in bare)]
        stamp = hashlib.sha256("\n".join(asked).encode()).hexdigest()[:16]
        journal = Journal(setting.out / "journal.jsonl", f"{half} {name or 'no model'} {stamp}")
        judges: dict[str, Judge] = {}
        try:
            own = await _own(setting, url, name, half) if setting.asks else {}
            trials = all_trials(half, own, setting.material)
            chosen = trials[: setting.limit] if setting.limit else trials
            for each in () if setting.report_only else setting.families:
                judges[each] = judge_of(each, url=url, model=name, api_key=setting.api_key)
            with _progress(setting, chosen, judges, journal) as told:
                await ask_all(judges, chosen, journal, told, setting.at_once)
        finally:
            journal.close()
            for judge in judges.values():
                await judge.aclose()
    keys = {each.key for each in chosen}
    said = [
        each
        for each in (*journal.said.values(), *journal.failed)
        if each.family in setting.families and each.trial in keys
    ]
    said.sort(key=lambda each: setting.families.index(each.family))
    table = tabled(chosen, said)
    alpha, taus = agreement(table)
    return Report(
        half=half,
        date=datetime.now(UTC).strftime("%Y-%m-%d"),
        machine=_machine(),
        model=name or "no model",
        seconds=sum(each.ms for each in said) // 1_000,
        figures=figures(chosen, said, table),
        alpha=alpha,
        taus=taus,
        asked=len(trials),
    )


@contextlib.asynccontextmanager
async def _model(setting: _Setting, data_dir: str | None) -> AsyncIterator[tuple[str, str]]:
    """URL and name of the model that is asked; both empty where none is."""
    from server.embedded import llm
    from server.embedded.data_dir import DataDir as Folder

    if not setting.asks:
        yield "", ""
    elif setting.url:
        yield setting.url, setting.name or await _first_model(setting.url, setting.api_key)
    else:
        with Folder(load(None, data_dir).data_dir) as folder:
            yield await llm.start(folder), llm.MODEL_NAME


async def _first_model(url: str, api_key: str) -> str:
    """The name of the first model that the server lists. Raises CommandError."""
    import httpx

    headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
    try:
        async with httpx.AsyncClient(timeout=HTTP_S, trust_env=False, headers=headers) as client:
            answer = await client.get(f"{url}/models")
            return str(answer.raise_for_status().json()["data"][0]["id"])
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, LookupError, TypeError):
        raise CommandError(
            f"{url} names no model; is it an OpenAI-compatible API? Name the model behind a colon: {url}:NAME"
        ) from None


async def _own(setting: _Setting, url: str, name: str, half: str) -> dict[str, str]:
    """What the model writes on the same briefs, written once and kept in the folder."""
    import msgspec

    from judges.bench import material
    from judges.bench.own import write_own
    from judges.chat import Chat

    kept = setting.out / "own.json"
    if kept.exists():
        try:
            return msgspec.json.decode(kept.read_bytes(), type=dict[str, str])
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise CommandError(f"{kept} is damaged; remove it, the model writes again") from None
    print("the model writes its own works", file=sys.stderr)
    chosen = material.TUNING if half == "tuning" else material.REPORTED
    chat = Chat(url=url, model=name, api_key=setting.api_key)
    try:
        found = await write_own(
            chat,
            material.battles(chosen, setting.material),
            material.texts(chosen, setting.material),
        )
    finally:
        await chat.aclose()
    kept.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1))
    return found


@contextlib.contextmanager
def _progress(
    setting: _Setting, trials: tuple[Trial, ...], judges: Mapping[str, Judge], journal: Journal
) -> Iterator[Callable[[Progress], None]]:
    """A bar with the time that is left, on standard error; nothing where that is no terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    console = Console(stderr=True)
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        keys = {each.key for each in trials}
        done = sum(family in judges and trial in keys for family, trial in journal.said)
        task = bar.add_task("", total=len(trials) * len(judges), completed=done)

        def told(progress: Progress) -> None:
            said = f"{progress.family}: {progress.trial}"
            bar.update(task, completed=progress.done, description=said[:60])

        yield told


def _machine() -> str:
    import os
    import platform

    name = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n")
        names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
        name = names[0] if names else name
    return f"{os.cpu_count()} cores of {name}"


def _write(report: Report, out: Path) -> None:
    import msgspec

    from judges.bench import page, picture
    from judges.bench.words import chart

    title, rows = chart(report)
    (out / "report.html").write_text(page.html(report), encoding="utf-8")
    (out / "report.md").write_text(page.markdown(report), encoding="utf-8")
    (out / "report.png").write_bytes(picture.png(title, rows))
    (out / "report.json").write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=1))


def _tell(report: Report, out: Path, *, as_json: bool) -> None:
    import msgspec

    if as_json:
        print(msgspec.json.format(msgspec.json.encode(report), indent=1).decode())
        return
    from rich.console import Console
    from rich.table import Table

    from judges.bench.page import about
    from judges.bench.words import sheets

    console = Console(highlight=False)
    console.print(about(report), markup=False)
    for sheet in sheets(report):
        table = Table(
            *sheet.head,
            title=sheet.title,
            caption=sheet.note,
            title_justify="left",
            caption_justify="left",
            box=None,
        )
        for row in sheet.rows:
            table.add_row(*row)
        console.print()
        console.print(table, markup=False)
    console.print(f"\nthe whole report: {out / 'report.html'}", markup=False)
