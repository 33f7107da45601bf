"""What lasts: accounts, agents, sessions, transcripts, verdicts, ratings, tournaments and the work that follows a session.

`open_store` is the only way in. The groups share one pool; each of their methods is one transaction.
"""

from __future__ import annotations

from server.clock import Clock, unix_ms
from server.store import chain as chain
from server.store import court_chain as court_chain
from server.store import courtroom as courtroom
from server.store import escrow as escrow
from server.store import gating as gating
from server.store import keeping as keeping
from server.store import learning as learning
from server.store import merit as merit
from server.store import money as money
from server.store.accounts import Accounts
from server.store.adapters import Adapters
from server.store.agents import Agents
from server.store.audit import AuditLog
from server.store.automations import Automations
from server.store.avatars import Avatars
from server.store.backlog import Backlog
from server.store.boards import OfficialBoards
from server.store.careers import Careers
from server.store.chain_txs import ChainTxs
from server.store.consents import Consents
from server.store.court import Court
from server.store.court_epochs import CourtEpochs
from server.store.court_filings import CourtFilings
from server.store.court_logs import CourtLogs
from server.store.crossings import Crossings
from server.store.dashboards import Dashboards
from server.store.document_pins import DocumentPins
from server.store.due_automations import DueAutomations
from server.store.engine import Database, StoreError, open_database
from server.store.entries import Entries
from server.store.epochs import Epochs
from server.store.escrow_account import EscrowAccounts
from server.store.gates import Gates
from server.store.gauges import Gauges
from server.store.hosting import Hosting
from server.store.keys import Keys
from server.store.leagues import Leagues
from server.store.ledger import Ledger
from server.store.lessons import LessonsToLearn
from server.store.lineages import Lineages
from server.store.logins import Logins
from server.store.migrate import migrate
from server.store.new_season import NewSeason
from server.store.openings import Openings
from server.store.operators import Operators
from server.store.outbox import Outbox
from server.store.outcomes import Outcomes
from server.store.owned import Owned
from server.store.pin_tasks import PinTasks
from server.store.pins import Pins
from server.store.points import Points
from server.store.purses import Purses
from server.store.ratings import Ratings
from server.store.replies import Replies
from server.store.results import Results
from server.store.retiring import Retiring
from server.store.revision import OtherSchema, check_current, probe
from server.store.seat_signatures import SeatSignatures
from server.store.sessions import Sessions
from server.store.shares import Shares
from server.store.signed import SignedDocuments
from server.store.tournaments import Tournaments
from server.store.training_jobs import TrainingJobs
from server.store.verdicts import Verdicts

__all__ = ["OtherSchema", "Store", "StoreError", "existing_store", "open_store"]


class Store:
    """Construct through `open_store`."""

    def __init__(self, database: Database, clock: Clock, *, escrowed: bool = False) -> None:
        self._database = database
        self.accounts = Accounts(database, clock)
        self.logins = Logins(database, clock)
        self.keys = Keys(database, clock)
        self.replies = Replies(database, clock)
        self.agents = Agents(database, clock)
        self.owned = Owned(database, clock)
        self.avatars = Avatars(database, clock)
        self.hosting = Hosting(database, clock)
        self.automations = Automations(database, clock)
        self.due_automations = DueAutomations(database)
        self.sessions = Sessions(database, escrowed=escrowed)
        self.openings = Openings(database, clock)
        self.outbox = Outbox(database)
        self.ratings = Ratings(database, clock)
        self.leagues = Leagues(database)
        self.backlog = Backlog(database)
        self.audit = AuditLog(database)
        self.gauges = Gauges(database)
        self.outcomes = Outcomes(database)
        self.boards = OfficialBoards(database)
        self.new_season = NewSeason(database, clock)
        self.verdicts = Verdicts(database)
        self.ledger = Ledger(database, clock)
        self.entries = Entries(database, clock, escrowed=escrowed)
        self.crossings = Crossings(database, clock)
        self.purses = Purses(database, clock)
        self.results = Results(database, clock)
        self.careers = Careers(database)
        self.dashboards = Dashboards(database)
        self.points = Points(database, clock)
        self.shares = Shares(database, clock)
        self.tournaments = Tournaments(database)
        self.gates = Gates(database, clock)
        self.lineages = Lineages(database, clock)
        self.retiring = Retiring(database, clock)
        self.pins = Pins(database, clock)
        self.document_pins = DocumentPins(database, clock)
        self.signed = SignedDocuments(database, clock)
        self.seat_signatures = SeatSignatures(database, clock)
        self.epochs = Epochs(database, clock)
        self.escrow_accounts = EscrowAccounts(database, clock)
        self.pin_tasks = PinTasks(database, clock)
        self.chain_txs = ChainTxs(database)
        self.operators = Operators(database)
        self.court = Court(database)
        self.court_logs = CourtLogs(database)
        self.court_epochs = CourtEpochs(database)
        self.court_filings = CourtFilings(database)
        self.consents = Consents(database, clock)
        self.training_jobs = TrainingJobs(database, clock)
        self.adapters = Adapters(database, clock)
        self.lessons = LessonsToLearn(database)

    @property
    def database(self) -> Database:
        """For what spans several groups in one transaction: `server.admin`."""
        return self._database

    async def ping(self) -> None:
        """One round trip to the database. Raises StoreError."""
        await self._database.ping()

    async def probe(self) -> None:
        """One write that changes nothing. Raises OtherSchema, and what the database raises."""
        await probe(self._database)

    async def close(self) -> None:
        """Idempotent."""
        for group in (self.agents, self.entries, self.sessions):
            await group.close()
        for group_of_steps in (self.results, self.ratings, self.pins, self.outbox):
            await group_of_steps.close()
        await self._database.close()


async def open_store(url: str, clock: Clock = unix_ms, *, escrowed: bool = False) -> Store:
    """Connect, bring the schema up to date and return the store. `escrowed`: money is in an escrow on a chain, so paid
    sessions wait for it.

    `url` is `sqlite:///path` or `postgresql://user:password@host/name`. Safe to call from several
    processes at once. Raises StoreError.
    """
    database = open_database(url)
    try:
        await migrate(database)
    except BaseException:
        await database.close()
        raise
    return Store(database, clock, escrowed=escrowed)


async def existing_store(url: str, clock: Clock = unix_ms) -> Store:
    """A store on a database that has the schema of this program, which is left as it is. Raises StoreError."""
    database = open_database(url)
    try:
        await check_current(database)
    except BaseException:
        await database.close()
        raise
    return Store(database, clock)
