"""`agon training demo`: from an agent that knows nothing to one that has learned, in an arena of its own.

Everything is what an owner would do over HTTP: an agent that plays, consent, a training, its gate, its promotion. At the end
the adapter plays its base on seeds that nothing was trained on, and the proof of its training is checked.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bots.errors import BotError
from bots.owner import OwnerApi
from chain.content import cid
from chain.content.ipfs import Ipfs
from chain.ethereum import Account, encode_defunct
from server.commands import signing_in
from server.config import Config
from server.own_arena import ArenaFailed, OwnArena, own_arena
from server.training.measure import Measured
from server.training.states import OVER
from training.documents.adapter import Base
from training.play.interval import Rate

SPACE = "bid-tac-toe"
RIVALS = (("Greedy", "bidder"), ("Nash", "solver"), ("Dice", "random"))
SESSIONS = 60
"""That the agent plays before it is trained."""
PARALLEL = 16
"""Of Rookie's: who always loses soon has a rating that nobody is near, and waits."""
RIVAL_PARALLEL = 4
PLAY_MONEY = 1_000_000_000
"""Micros of it that an agent may lose: more than it can."""
POLL_S = 1.0
PACE_MS = 400
"""Rivals who need no time play each other besides; they shall not take the machine from who thinks."""
EVERY_S = 20.0
"""Between two lines of progress where there is no terminal to draw on."""
PATIENCE_S = 1_500.0
"""For any one part."""

_WORDS = {
    "queued": "waits for a trainer",
    "collecting": "fetches its transcripts by their content ids",
    "training": "learns (QLoRA: 4-bit base, low-rank update)",
    "packaging": "is packed, pinned, served and probed",
    "gating": "meets the version that plays now",
}


class DemoFailed(RuntimeError):
    """The demo could not go on; the message says why and where the log is."""


def run(config: Config, *, sessions: int, pairs: int, free_pairs: int, out: Path | None) -> None:
    """Blocks for many minutes. Raises DemoFailed."""
    console = Console()
    began = time.monotonic()
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="agon-train-") as folder,
        own_arena(_with_trainer(config), Path(folder), house="none") as arena,
    ):
        try:
            asyncio.run(
                _Demo(console, arena, sessions, pairs, free_pairs, out or Path(folder)).go()
            )
        except (BotError, OSError, ArenaFailed, _NotThere) as error:
            kept = arena.keep_log("train-demo")
            raise DemoFailed(f"{error or 'it took too long'}; the arena's log is {kept}") from None
    console.print(f"[dim]all of it took {(time.monotonic() - began) / 60:.1f} minutes[/]")


def _with_trainer(config: Config) -> Config:
    return msgspec.structs.replace(config, training_cpu_slots=1, hosted_pace_ms=PACE_MS)


class _NotThere(Exception):
    """Something did not come about; the message says what."""


class _Demo:
    def __init__(
        self,
        console: Console,
        arena: OwnArena,
        sessions: int,
        pairs: int,
        free_pairs: int,
        out: Path,
    ) -> None:
        self._console, self._arena, self._out = console, arena, out
        self._sessions, self._pairs, self._free_pairs = sessions, pairs, free_pairs
        self._progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(bar_width=28),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=console,
        )

    async def go(self) -> None:
        self._say("1", "an agent that has never played, and three rivals")
        ann, ben = await self._owner(), await self._owner()
        rookie = await self._agent(ann, "Rookie", "llm", self._sessions)
        rivals = [await self._agent(ben, name, brain, self._sessions) for name, brain in RIVALS]
        self._say("2", f"it plays {self._sessions} sessions of {SPACE}, live, and loses most")
        await self._collected(ann, rookie)
        await ann.post(f"/v1/agents/{rookie}/automation/off")
        for each in rivals:
            await ben.post(f"/v1/agents/{each}/automation/off")
        self._say("3", "its owner asks for a training")
        job = await self._trained(ann, rookie)
        await ben.post(f"/v1/agents/{rivals[0]}/automation/on")
        await self._played_on(ann, rookie, job)
        found = await self._measured(job)
        self._told(found)
        await self._proved(job)
        self._keep(job, found)

    # ------------------------------------------------------------------ the parts

    async def _owner(self) -> OwnerApi:
        account = Account.create()
        nobody = OwnerApi(self._arena.api)
        message = await signing_in.propose(nobody, account.address)
        signature = account.sign_message(encode_defunct(text=message)).signature.to_0x_hex()
        login = await signing_in.hand_in(nobody, message, signature)
        return OwnerApi(self._arena.api, login.token)

    async def _agent(self, owner: OwnerApi, name: str, brain: str, sessions: int) -> str:
        made = await owner.post(
            "/v1/agents",
            {"name": name, "kind": "hosted", "spec": {"brain": brain, "spaces": [SPACE]}},
        )
        # More than are asked for: some come to nothing on a busy machine, and rivals meet each other, too.
        parallel = PARALLEL if brain == "llm" else RIVAL_PARALLEL
        await self._automate(owner, made["agent"], 10 * sessions, parallel)
        return str(made["agent"])

    async def _automate(self, owner: OwnerApi, agent: str, sessions: int, parallel: int) -> None:
        path = f"/v1/agents/{agent}/automation"
        await owner.put(
            path,
            {
                "tier_micros": 0,
                "spaces": [SPACE],
                "max_sessions": sessions,
                "max_parallel": parallel,
                "stop_loss_micros": PLAY_MONEY,
            },
        )
        await owner.post(f"{path}/on")

    async def _collected(self, owner: OwnerApi, agent: str) -> None:
        async with self._bar("sessions scored", self._sessions) as moved:

            async def enough() -> bool:
                scored = (await self._space(owner, agent))["eligibility"]["scored"]
                moved(min(scored, self._sessions))
                return bool(scored >= self._sessions)

            await self._until(enough, "the sessions to be played")
        record = (await owner.get(f"/v1/agents/{agent}/stats"))["record"]
        self._console.print(
            f"  Rookie: {record['wins']} won, {record['draws']} drawn, {record['losses']} lost"
        )

    async def _space(self, owner: OwnerApi, agent: str) -> dict[str, Any]:
        detail = await owner.get(f"/v1/agents/{agent}/training")
        return next(each for each in detail["spaces"] if each["space"] == SPACE)

    async def _trained(self, owner: OwnerApi, agent: str) -> dict[str, Any]:
        path = f"/v1/agents/{agent}/training"
        await owner.put(path, {"space": SPACE, "on": True, "budget_s": 7_200})
        if (await self._space(owner, agent))["job"] is None:  # consent alone may have begun it
            await owner.post(f"{path}/start", {"space": SPACE})
        job = await self._job(owner, agent)
        seen = ""
        while job["state"] not in OVER:
            if job["state"] != seen:
                seen = job["state"]
                self._console.print(f"  [bold]{seen}[/]: Rookie {_WORDS.get(seen, '')}")
            if seen == "training":
                job = await self._learning(owner, job["job"])
            elif seen == "gating" and job["gate"]:
                job = await self._gated(owner, job["job"], job["gate"])
            else:
                await asyncio.sleep(POLL_S)
                job = await owner.get(f"/v1/training/jobs/{job['job']}")
        if job["state"] != "promoted":
            raise _NotThere(f"the training ended as {job['state']}: {job['reason']}")
        self._console.print(
            f"  [bold green]promoted[/]: {job['promoted']} plays from now on. {job['reason'] or ''}"
        )
        return job

    async def _job(self, owner: OwnerApi, agent: str) -> dict[str, Any]:
        found: dict[str, Any] = {}

        async def there() -> bool:
            nonlocal found
            found = (await self._space(owner, agent))["job"] or {}
            return bool(found)

        await self._until(there, "the training to be entered")
        return found

    async def _learning(self, owner: OwnerApi, id_: str) -> dict[str, Any]:
        async with self._bar("updates of the weights", 1) as moved:
            while True:
                job: dict[str, Any] = await owner.get(f"/v1/training/jobs/{id_}")
                loss = "" if job["loss_micro"] is None else f", loss {job['loss_micro'] / 1e6:.3f}"
                moved(job["step"], job["steps"] or None, f"updates of the weights{loss}")
                if job["state"] != "training":
                    return job
                await asyncio.sleep(POLL_S)

    async def _gated(self, owner: OwnerApi, id_: str, gate: str) -> dict[str, Any]:
        self._console.print(
            f"  watch it: agon watch --url {self._arena.api}   (its sessions are like any other)"
        )
        async with self._bar("pairs of matches", 1) as moved:
            while True:
                card = (await owner.get(f"/v1/gates/{gate}"))["card"]
                words = (
                    f"pairs of matches: score {card['score_milli'] / 10:.1f} %,"
                    f" LLR {card['llr_milli'] / 1_000:+.2f} of {card['upper_milli'] / 1_000:+.2f}"
                )
                moved(card["pairs"], card["most"], words)
                job: dict[str, Any] = await owner.get(f"/v1/training/jobs/{id_}")
                if job["state"] != "gating":
                    break
                await asyncio.sleep(POLL_S)
        for reason in card.get("reasons", []):
            self._console.print(f"  {reason}")
        return job

    async def _played_on(self, owner: OwnerApi, agent: str, job: dict[str, Any]) -> None:
        self._say("4", f"{job['promoted']} plays live")
        await self._automate(owner, agent, 2, 2)
        began = time.monotonic()
        told: set[str] = set()

        async def two() -> bool:
            history = await owner.get(f"/v1/agents/{agent}/history")
            for each in history["sessions"]:
                over = each["outcome"] is not None
                if over and each["version"] == job["promoted"] and each["session"] not in told:
                    told.add(each["session"])
                    self._console.print(f"  {_line(each)}")
            return len(told) >= 2

        await self._until(two, "the new version to play")
        self._console.print(f"  [dim]{time.monotonic() - began:.0f} s[/]")

    async def _measured(self, job: dict[str, Any]) -> Measured:
        total = 2 * (self._pairs + self._free_pairs)
        self._say(
            "5",
            f"{total} held-out matches: what was trained against its base, seats changed, seeds that nothing was trained on",
        )
        file = self._out / "measured.json"
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.training.measure"),
            *("--space", SPACE, "--adapter", str(await self._adapter(job))),
            *("--pairs", str(self._pairs), "--free-pairs", str(self._free_pairs)),
            *("--out", str(file)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert child.stdout is not None
        async with self._bar("matches", total) as moved:
            before, series = 0, ""
            async for line in child.stdout:
                told = json.loads(line)
                if series and told["series"] != series:
                    before = 2 * self._pairs
                series = told["series"]
                moved(before + told["done"], None, f"matches, {series}")
        if await child.wait():
            raise _NotThere("the held-out matches could not be played")
        return msgspec.json.decode(file.read_bytes(), type=Measured)

    async def _adapter(self, job: dict[str, Any]) -> Path:
        """The adapter's folder, of the content store's bytes: what is measured is what was pinned."""
        from training.adapters import package, shapes
        from training.model import base as bases

        base = bases.find()
        async with Ipfs(self._ipfs) as content:
            card = package.read_card(await content.cat(cid.parse(job["adapter"]), package.MAX_CARD))
            weights = await content.cat(cid.parse(card.weights), package.MAX_WEIGHTS)
        folder = self._out / "adapter"
        dimensions = shapes.of_checkpoint(base.folder)
        package.unpack(
            card,
            {card.weights: weights},
            folder,
            Base(name=base.name, sha256=base.sha256),
            dimensions,
        )
        return folder

    @property
    def _ipfs(self) -> str:
        config = self._arena.config
        return config.ipfs_url or (self._arena.data / "ipfs.url").read_text(encoding="utf-8")

    def _told(self, found: Measured) -> None:
        arena, free = found.arena, found.free
        self._console.print()
        self._console.print(f"  {'':34}{'base':>18}{'trained':>22}")
        self._console.print(
            f"  {'wins, as the arena plays them':34}{_complement(arena.win_rate):>18}{_rate(arena.win_rate):>22}"
            f"   of {arena.matches} matches"
        )
        self._console.print(
            f"  {'wins, free answers':34}{_complement(free.win_rate):>18}{_rate(free.win_rate):>22}"
            f"   of {free.matches} matches"
        )
        self._console.print(
            f"  {'valid first answers, free':34}{_rate(free.b.first_answers):>18}{_rate(free.a.first_answers):>22}"
            f"   of {free.b.first_answers.count} and {free.a.first_answers.count}"
        )
        self._console.print(
            "  [dim]a draw counts half; 95 % intervals, of wins by pairs of matches[/]"
        )

    async def _proved(self, job: dict[str, Any]) -> None:
        """Do some steps of the training again, as a stranger would. Raises _NotThere for a lie."""
        words = ["agon", "verify", "--training", job["adapter"], "--ipfs", self._ipfs]
        self._say("6", " ".join(words))
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "server.cli"), *words[1:]
        )
        if await child.wait():
            raise _NotThere("the proof of the training does not hold")

    def _keep(self, job: dict[str, Any], found: Measured) -> None:
        (self._out / "job.json").write_bytes(msgspec.json.format(msgspec.json.encode(job)))

    # ------------------------------------------------------------------ saying it

    def _say(self, number: str, words: str) -> None:
        self._console.print(f"[bold]{number}[/] {words}")

    @asynccontextmanager
    async def _bar(self, words: str, total: int) -> AsyncIterator[Callable[..., None]]:
        if self._console.is_terminal:
            with self._progress:
                task = self._progress.add_task(words, total=total)

                def drawn(done: int, of: int | None = None, words: str | None = None) -> None:
                    self._progress.update(task, completed=done, total=of, description=words)

                yield drawn
                self._progress.refresh()
            return
        last_s, whole = time.monotonic(), total

        def said(done: int, of: int | None = None, words_now: str | None = None) -> None:
            """In a log a line now and then says enough."""
            nonlocal last_s, whole
            whole = of or whole
            if time.monotonic() - last_s >= EVERY_S:
                last_s = time.monotonic()
                self._console.print(f"  {words_now or words}: {done} of {whole}")

        yield said

    async def _until(self, done: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not await done():
            if time.monotonic() > deadline:
                raise _NotThere(f"waited {PATIENCE_S / 60:.0f} minutes for {what}")
            await asyncio.sleep(POLL_S)


def _rate(rate: Rate) -> str:
    return f"{rate.value:.1%} [{rate.low:.1%}, {rate.high:.1%}]"


def _complement(rate: Rate) -> str:
    return f"{1 - rate.value:.1%}"


def _line(row: dict[str, Any]) -> str:
    """Of an agent's history."""
    return f"session {row['session']}: {row['outcome'] or row['status']} by {row['version']}"
