"""The arena's side of the court on the chain, put together: what the leader of the settlement does beside settling.

Each is a round of its own, so that one that cannot go on holds up no other. The key is the settler's, whose writer somebody else
runs; without the role `clerk` nothing is filed and nothing anchored, and an alarm says so.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import structlog

from chain.client.court import CourtContract, Terms
from chain.client.deployment import Manifest
from chain.client.hearings import Hearings
from chain.client.index import Indexer
from chain.client.judge_registry import JudgeRegistry
from chain.client.rpc import Rpc
from server.config import Config
from server.court.known import Known
from server.court.onchain.consequences import Consequences
from server.court.onchain.epochs import CourtEpochs
from server.court.onchain.filer import Filer
from server.court.onchain.following import READER, CourtFollower
from server.court.onchain.forcing import Forcing
from server.court.onchain.health import look
from server.court.onchain.proofs import Proofs
from server.court.onchain.reseeded import WHY, reseeded
from server.court.onchain.side import CourtSide
from server.court.onchain.times import Times
from server.metrics import Metrics
from server.operators.acting import Acts, Writer
from server.operators.reward_epochs import Adding
from server.operators.rounds import Paced, Role
from server.settlement.alarms import ChainAlarms
from server.store import Store
from server.store.chain_logs import ChainLogs

READ_S = 1.0
FILE_S = 1.0
REDRAW_S = 5.0
FORCE_S = 5.0
EPOCH_S = 15.0
WATCH_S = 60.0
ASKED_MS = 600_000
"""Whoever has asked for a snapshot less than this ago still wants one."""

_logger = structlog.get_logger()


CONTRACTS = ("court", "judge_registry", "hearings")
"""As the manifest calls them."""


def has_court(manifest: Manifest) -> bool:
    """Whether a deployment has one; those of before have none."""
    return manifest.contracts.keys() >= set(CONTRACTS)


class CourtRounds:
    """One per worker process; `rounds` are for its `server.settlement.chain.Chain`, `side` for the clerk."""

    def __init__(
        self,
        *,
        node: Rpc,
        manifest: Manifest,
        writer: Writer,
        store: Store,
        content: Adding,
        config: Config,
        metrics: Metrics,
        clock: Callable[[], int],
    ) -> None:
        """`writer` is of the key that has the role `clerk`, and run by somebody else; `content` is closed by the caller."""
        self._node = node
        self._store = store
        self._content = content
        self._config = config
        self._metrics = metrics
        self._clock = clock
        self._chain_id = manifest.chain_id
        self.court = CourtContract(node, manifest.address("court"))
        self.registry = JudgeRegistry(node, manifest.address("judge_registry"))
        self._alarms = ChainAlarms(metrics)
        self.hearings = Hearings(node, manifest.address("hearings"))
        follower = CourtFollower(court=self.court, registry=self.registry, hearings=self.hearings)
        self._logs = ChainLogs(store.database, follower)
        self._indexer = Indexer(
            node=node,
            store=self._logs,
            reader=READER,
            addresses=follower.addresses,
            start=min(manifest.contracts[each].block or 0 for each in CONTRACTS),
            confirmations=config.chain_confirmations,
            alarm=self._alarms.reader,
        )
        self._acts = Acts(writer, self._refused)
        self._times = Times(node)
        self._proofs = Proofs(store.court_logs, store.court_filings)
        self.side = CourtSide(
            logs=store.court_logs,
            filings=store.court_filings,
            cases=store.court,
            hearings=self.hearings,
            proofs=self._proofs,
            times=self._times,
            node=node,
            terms=self._court_terms,
            clock=clock,
            idles=not config.rpc_url,
        )
        self._known = Known(store.court)
        self._clerk = Role(self.court, "clerk", writer.address)
        self._terms: Terms | None = None
        self._gap_s = 0
        self._filer: Filer | None = None
        self._epochs: CourtEpochs | None = None
        self._consequences = Consequences(
            court=self.court,
            logs=store.court_logs,
            epochs=store.court_epochs,
            proofs=self._proofs,
            acts=self._acts,
            terms=self._court_terms,
            least_micros=config.court_claim_micros,
        )
        self._forcing = Forcing(
            hearings=self.hearings,
            logs=store.court_logs,
            cases=store.court,
            chain=self.side,
            acts=self._acts,
            prefix=f"court:{self.court.address[2:10]}",
        )
        self.rounds = [
            Paced("court", READ_S, self._read),
            Paced("court filings", FILE_S, self._file),
            Paced("court panels", REDRAW_S, self._redraw),
            Paced("court hearings", FORCE_S, self._force),
            Paced("court epochs", EPOCH_S, self._anchor),
            Paced("court consequences", EPOCH_S, self._bring),
            Paced("court watch", WATCH_S, self._watch),
        ]

    async def _court_terms(self) -> Terms:
        if self._terms is None:
            self._terms = await self.court.terms()
        return self._terms

    async def _read(self, elapsed_s: float) -> None:
        while await self._indexer.round():
            pass

    async def _read_upto(self) -> int:
        newest = next(iter(await self._logs.positions(READER)), None)
        return -1 if newest is None else newest.number

    async def _file(self, elapsed_s: float) -> None:
        if not await self._clerk.held():
            return
        if self._filer is None:
            self._filer = Filer(
                court=self.court,
                registry=self.registry,
                terms=await self._court_terms(),
                gap_s=(await self.registry.terms()).snapshot_gap_s,
                logs=self._store.court_logs,
                filings=self._store.court_filings,
                acts=self._acts,
                time_s=self._times.of,
                read_upto=self._read_upto,
                wanted=self._wanted,
                clock=self._clock,
                alarm=self._alarms.reader,
            )
        await self._filer.round(await self._node.head())

    def _wanted(self) -> bool:
        asked_ms = self.side.asked_ms
        return asked_ms is not None and self._clock() - asked_ms < ASKED_MS

    async def _redraw(self, elapsed_s: float) -> None:
        """Panels that were drawn by a seed that a reorganisation has taken away."""
        for case in await self._known.of(await self._store.court.open_revisions()):
            held = case.last
            if held.state not in ("committing", "revealing"):
                continue
            filed = await self.side.filed(case.id, held.hearing)
            seed = None if filed is None or filed.seed is None else filed.seed.hex()
            if seed is not None and seed != held.seed:
                self._alarms.reader("court-reseeded", f"{case.session}: {WHY}")
                change = functools.partial(reseeded, seed=seed, now_ms=self._clock())
                await self._store.court.change(case.session, change)

    async def _force(self, elapsed_s: float) -> None:
        await self._forcing.round(await self._node.head())

    async def _anchor(self, elapsed_s: float) -> None:
        if not await self._clerk.held():
            return
        if self._epochs is None:
            self._epochs = CourtEpochs(
                court=self.court,
                logs=self._store.court_logs,
                rows=self._store.court_epochs,
                cases=self._store.court,
                chain_id=self._chain_id,
                every_s=self._config.court_epoch_every_s,
                acts=self._acts,
                content=self._content,
                clock=self._clock,
                alarm=self._alarms.reader,
            )
        await self._epochs.round(await self._node.head())

    async def _bring(self, elapsed_s: float) -> None:
        await self._consequences.round(await self._node.head())

    async def _watch(self, elapsed_s: float) -> None:
        """What a person has to see to, before it holds anything up."""
        found, head = await look(self.court, self.registry), await self._node.head()
        for kind, words in found.ills(self._acts.address).items():
            self._alarms.reader(kind, words)
        min_stake = await self.registry.min_stake()
        standings = (await self._store.court_logs.standings()).values()
        can = [each for each in standings if each.can_be_drawn(min_stake, head.timestamp)]
        self._metrics.court_judges.set(len(can))
        self._metrics.court_waiting.set(await self._store.court_filings.wait_count())
        self._metrics.court_funds_micros.set(found.free_micros)

    def _refused(self, name: str, why: str) -> None:
        """Often because somebody else was faster; it is tried again. What only the clerk does is for a person to look at."""
        if name.split(":")[2] in ("file", "anchor"):
            self._alarms.reader("court-refused", f"{name}: {why}")
        else:
            _logger.info("the chain does not take it now", action=name, why=why)
