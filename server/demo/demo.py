"""`agon demo`: a whole arena of its own, started, watched and put away again.

The arena is a child process (`own_arena`) that settles on a chain of its own. Contests of two seats are played for test USDC by
the agents of two owners (`owners`), the others by the house's for play money. What rules cannot decide, seven judges do (`judges`), each
with a key, a stake and a process of its own. On a terminal the spectator's screen
follows the battles; without one, each session is told in plain text as it ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import msgspec

from bots.errors import BotError
from bots.house import PACE_S
from chain.client import deployment
from chain.client.deployment import Manifest
from chain.client.node import Reverted, SendRefused
from judges.rubric import RUBRICS
from server.commands.chain_at import ChainAt
from server.config import Config
from server.demo import judges, owners
from server.demo.narrator import Narrator, Silence
from server.embedded import chain as embedded_chain
from server.embedded import deployment as embedded_deployment
from server.embedded.prompt import PromptRpc
from server.own_arena import OwnArena, own_arena
from spaces import registry

TOUR = (
    *("rap-battle", "bid-tac-toe", "bid-tac-toe"),
    *("trade-wars", "logic", "prediction", "writing"),
)
"""Short demos show the two-seat Spaces, which begin and end soonest; longer ones all of them."""

DEVELOPMENT_CHAIN = 31_337
CONFIRMATIONS = 1
EPOCH_EVERY_S = 3
COMMIT_S = 20
"""A small model is asked twice about a battle; about five texts, twenty times."""
WRITING_COMMIT_S = 45
REVEAL_S = 4
FREE_FEE_MICROS = 2_500
"""For a panel of five, where nobody pays."""


class DemoFailed(RuntimeError):
    """The demo could not go on; the message says why and where the log is."""


def run(
    config: Config, *, sessions: int, on_screen: bool, out: Path | None, space: str | None
) -> None:
    """Run the demo until it is quit or `sessions` have ended (0: no end). Raises DemoFailed."""
    quotas = share_out(sessions, space)
    if out is not None:
        _make_folder(out)
    with (
        tempfile.TemporaryDirectory(prefix="agon-demo-") as folder,
        own_arena(_for_people(config, quotas), Path(folder), house=_house(quotas)) as arena,
        contextlib.ExitStack() as stack,
    ):
        chain = _chain(arena)
        stack.enter_context(_court(arena, Path(folder), quotas))
        _bring_owners(arena, quotas)
        narrator = Narrator(arena.api, out, chain)
        if on_screen:
            _show(narrator, arena.api, out, chain)
            return
        try:
            narrator.tell(sessions)
        except Silence as error:
            kept = arena.keep_log("demo")
            raise DemoFailed(f"{error}; the arena's log is {kept}") from None


def _for_people(config: Config, quotas: Mapping[str, int]) -> Config:
    """Slow enough to be followed, and soon settled."""
    return msgspec.structs.replace(
        config,
        settlement="chain",
        rpc_url="",
        chain_manifest="",
        settler_key_file="",
        house_wallet="",
        chain_id=DEVELOPMENT_CHAIN,
        chain_confirmations=CONFIRMATIONS,
        epoch_every_s=EPOCH_EVERY_S,
        court_commit_s=COMMIT_S if "writing" not in quotas else WRITING_COMMIT_S,
        court_reveal_s=REVEAL_S,
        court_free_fee_micros=FREE_FEE_MICROS,
        hosted_pace_ms=int(PACE_S * 1_000),
    )


def _house(quotas: Mapping[str, int]) -> str:
    """What is left to the house's agents."""
    left = {space: count for space, count in quotas.items() if space not in owners.SPACES}
    return ",".join(f"{space}={count}" for space, count in left.items()) or "none"


def _bring_owners(arena: OwnArena, quotas: Mapping[str, int]) -> None:
    """Raises DemoFailed."""
    if not quotas.keys() & set(owners.SPACES):
        return
    print("two owners deposit test USDC, set their limits and sign in …", file=sys.stderr)
    try:
        asyncio.run(_arrive(arena, quotas))
    except (BotError, Reverted, SendRefused, OSError) as error:  # a time-out is an OSError
        kept = arena.keep_log("demo")
        why = str(error) or "it took too long"
        raise DemoFailed(f"the owners could not begin: {why}; the arena's log is {kept}") from None


async def _arrive(arena: OwnArena, quotas: Mapping[str, int]) -> None:
    manifest = _manifest(arena)
    node = PromptRpc(embedded_chain.url(arena.data), manifest.chain_id)
    try:
        await owners.arrive(arena.api, node, manifest, quotas, _tell)
    finally:
        await node.close()


@contextlib.contextmanager
def _court(arena: OwnArena, home: Path, quotas: Mapping[str, int]) -> Iterator[None]:
    """Judges, while there is something to judge. Raises DemoFailed."""
    if not quotas.keys() & RUBRICS.keys():
        yield
        return
    print("judges stake FRAC and begin …", file=sys.stderr)
    seated = judges.prepare(home / "judges")
    try:
        asyncio.run(_stake(arena, seated))
    except (Reverted, SendRefused, OSError) as error:
        kept = arena.keep_log("demo")
        why = str(error) or "it took too long"
        raise DemoFailed(f"the judges could not begin: {why}; the arena's log is {kept}") from None
    _tell(f"the judges' logs: {home / 'judges'}/judge-*/judge.log")
    with judges.running(
        seated,
        arena=arena.api,
        model=arena.model,
        rpc=embedded_chain.url(arena.data),
        manifest=arena.data / embedded_deployment.MANIFEST,
    ):
        yield


async def _stake(arena: OwnArena, seated: Sequence[judges.Seated]) -> None:
    manifest = _manifest(arena)
    node = PromptRpc(embedded_chain.url(arena.data), manifest.chain_id)
    try:
        await judges.stake(node, manifest, seated, _tell)
    finally:
        await node.close()


def _manifest(arena: OwnArena) -> Manifest:
    found = deployment.read(arena.data / embedded_deployment.MANIFEST)
    assert found is not None, "the arena settles by it"
    return found


def _chain(arena: OwnArena) -> ChainAt:
    manifest = _manifest(arena)
    rpc = embedded_chain.url(arena.data)
    return ChainAt(
        rpc,
        manifest.chain_id,
        manifest.address("escrow"),
        named=True,
        court=manifest.address("court"),
    )


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _show(narrator: Narrator, api: str, out: Path | None, chain: ChainAt) -> None:
    from server.commands.proving import ArenaProver
    from tui_client.app import WatchError, run_watch

    prover = ArenaProver(
        url=api, rpc=chain.rpc, chain=chain.chain_id, escrow=chain.escrow, court=chain.court
    )
    try:
        run_watch(api, follow=True, prover=prover)
    except WatchError as error:
        raise DemoFailed(str(error)) from None
    if out is not None:
        narrator.save_finished()


def _make_folder(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoFailed(f"cannot make the folder {out}: {error.strerror}") from None


def share_out(sessions: int, space: str | None) -> dict[str, int]:
    """How many sessions each Space plays: `sessions` of `space`, or by turns as `TOUR` goes.

    Zero means without end. `space` may be any spelling of a bridged game's id. Raises DemoFailed for a
    Space that there is not.
    """
    if space is not None:
        try:
            return {registry.get(space).id: sessions}
        except registry.UnknownSpace as error:
            raise DemoFailed(str(error)) from None
    if sessions == 0:
        return {each.id: 0 for each in registry.offered()}
    return dict(Counter(itertools.islice(itertools.cycle(TOUR), sessions)))
