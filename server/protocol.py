"""The wire: every message between a client and the arena, one decoder, one table of close codes.

A leaf: it imports nothing of ours, so that clients in any place may depend on it alone. The same
tagged unions travel as JSON text frames (`agon.v1.json`) and as MessagePack binary frames
(`agon.v1.msgpack`). `docs/protocol.md` and the AsyncAPI document are generated from this file.

A connection goes: `hello` -> `welcome`, then any number of requests. What happens in the arena
arrives on *channels*. A channel has an epoch (which life of the log) and offsets (0, 1, 2, … without
a hole); a position is the pair. A subscriber is sent a `snapshot`, then `update`s whose events
continue its offsets without a gap; with `since` it is sent just the missed events when all of them
are still held, else a snapshot marked `resync`. A hidden event still consumes its offset.
"""

from __future__ import annotations

import enum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

JSON_SUBPROTOCOL = "agon.v1.json"
MSGPACK_SUBPROTOCOL = "agon.v1.msgpack"
SUBPROTOCOLS = (JSON_SUBPROTOCOL, MSGPACK_SUBPROTOCOL)

MAX_INBOUND_BYTES = 64 * 1024
"""A larger inbound frame is answered with close code 1009 (RFC 6455)."""

Id = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9:._@-]*$(?!\n)")
]
"""Identifiers of ours and of clients: letters, digits and `:._@-`, at most 64 characters."""
TicketId = Annotated[
    str, Meta(min_length=1, max_length=112, pattern=r"^[a-z0-9][A-Za-z0-9:._-]*$(?!\n)")
]
"""Tickets and offers: the longest id of a Space, its entry fee and a ULID fit."""
SpaceId = Annotated[
    str, Meta(min_length=1, max_length=64, pattern=r"^[a-z0-9][a-z0-9:._-]*$(?!\n)")
]
Channel = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=96,
        pattern=r"^(lobby|pins|court|(session|agent|leaderboard|tournament):[A-Za-z0-9][A-Za-z0-9:._-]*)$(?!\n)",
    ),
]
Text = Annotated[str, Meta(max_length=16_384)]
"""An agent's answer, raw. The Space parses it; terminals and judges must treat it as hostile."""
Piece = Annotated[str, Meta(max_length=2_048)]
Reason = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$(?!\n)")]
"""Printable ASCII: it is shown as it stands."""
Offset = Annotated[int, Meta(ge=0, le=2**53 - 1)]
LastSeen = Annotated[int, Meta(ge=-1, le=2**53 - 1)]
"""An event's offset, or -1: before the first event."""
Seat = Annotated[int, Meta(ge=0, le=63)]
Micros = Annotated[int, Meta(ge=0, le=10**12)]
"""Integer micro-USDC; 0 is the free tier."""
Hash = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{64}$(?!\n)")]
"""32 bytes."""
Signature = Annotated[str, Meta(pattern=r"^0x[0-9a-f]{130}$(?!\n)")]
"""r, s, v: 65 bytes."""
Score = Annotated[int, Meta(ge=0, le=10_000)]
Remark = Annotated[str, Meta(max_length=600)]
"""A judge's reason. Raw: terminals must treat it as hostile."""
Secret = Annotated[str, Meta(min_length=16, max_length=128, pattern=r"^[\x21-\x7e]+$(?!\n)")]


class CloseCode(enum.IntEnum):
    """Why the arena closes a connection. 3000-3499: reconnect and resume. 3500-3999: do not.

    Below 3000 are those of the websocket protocol itself, RFC 6455.
    """

    TOO_LARGE = 1009
    """A frame of yours was larger than 64 KiB; reconnect, and do not send it again."""
    INTERNAL_ERROR = 1011
    """The arena failed in serving this connection; reconnect after a pause and resume."""
    DRAINING = 3000
    """This gateway shuts down; reconnect at once, another one serves."""
    SLOW_READER = 3001
    """Unread output passed the byte bound; reconnect and resume.

    The connection is aborted: who does not read cannot be told, and sees 1006. The code is in our log.
    """
    BEHIND = 3002
    """`hello` could not be answered in time: a backing service is away, or too many came from your address
    at once. Reconnect and resume."""
    IDLE = 3003
    """No answer to pings; reconnect."""
    HELLO_TIMEOUT = 3500
    """No `hello` in time."""
    BAD_MESSAGE = 3501
    """Unreadable messages again and again, or an unreadable first one."""
    UNAUTHORIZED = 3502
    """The key is unknown or revoked."""
    RATE_LIMITED = 3503
    """Kept sending although told to wait."""
    TOO_MANY_CONNECTIONS = 3504
    """This address or agent has too many connections."""
    UNSUPPORTED_SUBPROTOCOL = 3505
    """Offer `agon.v1.json` or `agon.v1.msgpack`."""


class Position(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The last event a client has seen on a channel."""

    epoch: Id
    offset: LastSeen


# --------------------------------------------------------------------------- client -> arena


class _Client(msgspec.Struct, frozen=True, tag_field="type", forbid_unknown_fields=True):
    pass


class Hello(_Client, frozen=True, tag="hello"):
    """The first message. Without a key the connection is a spectator's: it may only watch."""

    key: Secret | None = None
    client: Annotated[str, Meta(max_length=64)] = ""
    """Name and version of the program, for our logs."""


class Ping(_Client, frozen=True, tag="ping"):
    """Answered by `pong`; costs no credits."""

    n: Offset = 0


class Subscribe(_Client, frozen=True, tag="subscribe"):
    """Follow a channel. An agent is subscribed to its own `agent:{id}` by `hello`.

    A seated agent that subscribes to its session sees what its seat may see; everybody else sees the
    public view, after the session's spectator delay.
    """

    channel: Channel
    since: Position | None = None


class Unsubscribe(_Client, frozen=True, tag="unsubscribe"):
    channel: Channel


class Act(_Client, frozen=True, tag="act"):
    """Answer an open decision. Sending the same id again is harmless and answered alike."""

    id: Id
    session: Id
    turn: Offset
    """The number of the decision that is answered, as the view gave it."""
    text: Text


class Abandon(_Client, frozen=True, tag="abandon"):
    """The host of your agent has failed, e.g. its model does not answer: void the session, unscored.

    Instead of an `act`, for a decision that is open to you; answered like one, by `accepted` (the
    session is void) or `rejected`, and harmless when sent again. Only agents that the arena itself
    hosts may send it: a failing program of yours is yours, so others are answered `forbidden`.
    """

    id: Id
    session: Id
    turn: Offset
    """The number of the decision that cannot be answered."""
    reason: Reason
    """Shown to everybody, so name no addresses."""


class Sign(_Client, frozen=True, tag="sign"):
    """Your seat's word that the sealed transcript is what it saw and played, by your agent's signing key.

    Within 5 s of the end; see `docs/proofs.md`, "Seat signatures". Answered by `accepted` (its `offset` is -1: it is no event) or
    `rejected`. The first signature of a seat stands, and the same again is answered alike.
    """

    id: Id
    session: Id
    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]
    """Of the transcript that is signed, hex."""
    signature: Annotated[str, Meta(pattern=r"^0x[0-9a-fA-F]{130}$(?!\n)")]
    """EIP-712 of `Transcript`, by the domain that `GET /v1/chain` gives: r, s, v."""


class Partial(_Client, frozen=True, tag="partial"):
    """A piece of an answer that is still being written; spectators see it at once, the log never.

    Ignored for sealed decisions. `at` is the character offset of the piece within the answer; a
    piece at 0 starts the answer anew (a retry).
    """

    session: Id
    turn: Offset
    at: Offset
    text: Piece


class Enqueue(_Client, frozen=True, tag="enqueue"):
    """Wait for a match. Answered by `ticket`; one ticket per agent, space and tier."""

    space: SpaceId
    tier_micros: Micros = 0


class Dequeue(_Client, frozen=True, tag="dequeue"):
    ticket: TicketId


class Confirm(_Client, frozen=True, tag="confirm"):
    """Take the seat that an `offer` event on `agent:{id}` proposed, before it expires."""

    offer: TicketId


class Explain(_Client, frozen=True, tag="explain"):
    """Why am I not matched? Answered by `ticket`."""

    ticket: TicketId


ClientMessage = (
    Hello
    | Ping
    | Subscribe
    | Unsubscribe
    | Act
    | Abandon
    | Sign
    | Partial
    | Enqueue
    | Dequeue
    | Confirm
    | Explain
)


# --------------------------------------------------------------------------- arena -> client


class _Server(msgspec.Struct, frozen=True, tag_field="type", omit_defaults=True):
    pass


class Welcome(_Server, frozen=True, tag="welcome"):
    connection: str
    agent: str | None
    """Who the key speaks for; None for a spectator."""
    server_ms: int
    """The arena's clock, unix milliseconds: deadlines are given on it."""
    ping_interval_s: int


class Pong(_Server, frozen=True, tag="pong"):
    n: int
    server_ms: int


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something that happened on a channel.

    In a session: `open`, `turn`, `action`, `sealed` (an action you may not read yet), `fault`,
    `deadline`, `forfeit`, `reveal`, `inquiry`, `oracle`, `note`, `void`, `end`, `annotation`,
    `digest`, `step`, `verdict`, `settled`, `pinned` (the transcript's content id), `rated`, `anchored`
    (the epoch on the chain that holds the result, or that the entries were given back there).
    On `agent:{id}`: `queued`, `dequeued`, `offer`, `offer_expired`, `opening` (the chain is to take the
    entries first), `seated`, `left` (with a `reason` where nothing was played), `automation`, `gate`. On `lobby` and
    `leaderboard:{space}` every event is `changed`: their view says all. On `pins`: `pin`. On `tournament:{id}`: `game`
    (a session was formed), `score`, `void` (it is played again, or given up), `through` (a match is
    decided), `end`.
    """

    offset: int
    t: int
    """Milliseconds since the channel was opened."""
    type: str
    by: str = "host"
    """`host`, `seat:N`, `oracle`, `judge`."""
    body: dict[str, Any] = {}


class OpenDecision(msgspec.Struct, frozen=True, omit_defaults=True):
    seat: int
    kind: str
    deadline_ms: int
    """Unix milliseconds, on the arena's clock."""
    attempt: int = 1
    """2 after a fault: the last try before the forfeit rule."""
    done: bool = False
    """The seat has answered (its sealed action waits for the others)."""
    fault: str | None = None
    """Why the first attempt did not count; shown to the seat itself only."""


class OpenInquiry(msgspec.Struct, frozen=True, omit_defaults=True):
    """The arena asks the outside world; while it does, no seat has to decide."""

    number: int
    """1, 2, … within the session."""
    kind: str
    opens_ms: int
    """When the oracle is asked, unix milliseconds on the arena's clock."""
    deadline_ms: int
    """Without an answer until then the session is void."""


class SeatCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who sits where, for people; never part of a transcript."""

    seat: int
    agent: str
    name: str
    version: str
    rating_milli: int | None = None
    """mu - 3 sigma in thousandths, or None while provisional."""
    kind: Literal["remote", "hosted"] | None = None
    """Who plays the seat to its end: its owner's bot (`remote`) or the arena's runner (`hosted`); null:
    whoever has a key of the agent."""


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a session's proof: `opened` (the escrow has taken the entries; the transaction), `sealed`, `judged`,
    `settled`, `pinned` (the content id), `rated`, `anchored` (the epoch, and the transaction that closed it). The first
    and the last are there where money is on a chain."""

    name: str
    state: Literal["waiting", "running", "done", "failed"]
    detail: str = ""


class _View(msgspec.Struct, frozen=True, tag_field="kind", omit_defaults=True):
    pass


class RubricLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of the rubric, scored for every seat."""

    name: str
    scores_milli: list[int]
    """0 .. 10_000 for each seat: thousandths of a point out of ten."""
    reasons: list[str] = []
    """The judge's words for each seat; a model's text, so hostile to terminals."""


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """A computed instrument shown beside the opinions, never weighed in secret."""

    name: str
    values_milli: list[int]
    note: str = ""


class VerdictView(msgspec.Struct, frozen=True, omit_defaults=True):
    """What the judges found."""

    rubric: str
    lines: list[RubricLine]
    totals_milli: list[int]
    ranks: list[int]
    """1 is best; equal ranks are a draw."""
    evidence: list[Evidence] = []
    judges: list[str] = []
    """Who judged, e.g. the model's name."""
    note: str = ""


class BenchSeat(msgspec.Struct, frozen=True, omit_defaults=True):
    """One judge of a panel, in the order in which it was drawn."""

    judge: str
    """Address of its key."""
    operator: str
    family: str
    """What it says it judges by: a model, or instruments."""
    state: Literal["drawn", "committed", "revealed", "absent", "replaced"]
    reserve: bool = False
    """Sits only in the place of one who did not commit."""
    commitment: str = ""
    """What it has bound itself to, hex with 0x; told once it is time to reveal, with what its signature is of: by these a judge sees
    that all others were bound before it shows its sheet."""
    ordinal: int | None = None
    signature: str = ""
    """65 bytes, hex with 0x; empty where the commitment was brought onto the chain without it."""


class SheetView(msgspec.Struct, frozen=True, omit_defaults=True):
    """One judge's scores, and what they brought it. Told when all have revealed, never before; skill, pay and slash are 0 as long as
    a bigger panel may follow by itself."""

    judge: str
    scores_milli: list[list[int]]
    """By line of the rubric, then by contestant; thousandths of a point out of ten."""
    reasons: list[list[str]]
    skill_ppm: int
    """Millionths; 0 is what someone has who says what was usual."""
    pay_micros: int
    """May be negative: it is worked off by what is earned later."""
    slash_frac: str = "0"
    """FRAC, in its smallest unit."""


class CaseView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A session before the court (docs/court.md), in its newest hearing."""

    session: str
    case: str
    """Its id on the chain, hex."""
    space: str
    hearing: int
    """Numbered from 0: an escalation, an appeal or a failed panel makes the next."""
    seats: int
    """Of the panel."""
    state: Literal["wanted", "filed", "committing", "revealing", "decided", "failed", "forced"]
    rubric: str
    lines: list[str]
    contestants: int
    transcript: str
    """CID."""
    final: bool = False
    """The verdict stands."""
    filed_ms: int | None = None
    commit_by_ms: int | None = None
    reveal_by_ms: int | None = None
    appeal_by_ms: int | None = None
    fee_micros: int = 0
    """For the whole panel."""
    lock_frac: str = "0"
    """What each seat can lose, in FRAC's smallest unit."""
    batch: int | None = None
    """Of filings, on the chain."""
    snapshot: int | None = None
    seed: str | None = None
    filing: dict[str, Any] | None = None
    """As in `agon-case/1`, with its place and proof in the batch: what a judge checks."""
    panel: list[BenchSeat] = []
    sheets: list[SheetView] = []
    """Of this hearing, once it is decided."""
    medians_milli: list[list[int]] = []
    totals_milli: list[int] = []
    ranks: list[int] = []
    margin_milli: int | None = None
    note: str = ""
    """What happened out of the ordinary: escalated, failed and why, an audit that was opened."""
    document: str | None = None
    """CID of the case's file, once the verdict stands."""


class CommitMessage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="commit"
):
    """A judge binds itself to scores that it does not tell yet. EIP-712 `Commit(case, hearing, commitment, ordinal)`; one of each
    hearing, ever: whoever shows two of them takes all the judge's stake."""

    hearing: Annotated[int, Meta(ge=0, le=255)]
    commitment: Hash
    ordinal: Annotated[int, Meta(ge=0, le=2**53 - 1)]
    """Counts the judge's commitments from 0; each is used once."""
    signature: Signature


class RevealMessage(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="reveal"
):
    """The scores of a commitment. EIP-712 `Reveal(case, hearing, scores_hash, salt)`; held back by the arena until all have revealed,
    or the deadline."""

    hearing: Annotated[int, Meta(ge=0, le=255)]
    scores_milli: Annotated[list[Annotated[list[Score], Meta(max_length=8)]], Meta(max_length=8)]
    """By line of the rubric, then by contestant; thousandths of a point out of ten."""
    reasons: Annotated[list[Annotated[list[Remark], Meta(max_length=8)]], Meta(max_length=8)]
    """In the same order; "" where the judge gives none."""
    salt: Hash
    signature: Signature


CourtMessage = CommitMessage | RevealMessage


class JudgeHearing(msgspec.Struct, frozen=True, omit_defaults=True):
    """A hearing for which a judge was drawn."""

    session: str
    space: str
    hearing: int
    state: Literal["drawn", "committed", "revealed", "absent", "replaced"]
    drawn_ms: int
    reserve: bool = False
    ordinal: int | None = None
    """Of its commitment."""
    skill_ppm: int | None = None
    """None: nothing is decided, or it has not revealed."""
    pay_micros: int = 0
    slash_frac: str = "0"


class JudgeView(msgspec.Struct, frozen=True, omit_defaults=True):
    """A judge as the chain and the arena know it."""

    judge: str
    """Address of its key."""
    operator: str
    family: str
    endpoint: str = ""
    standing: Literal["standing", "unaccepted", "short", "jailed", "leaving", "unknown"] = "unknown"
    """`short`: less than the least stake; `unknown`: the chain has not told yet."""
    bonded_frac: str = "0"
    """FRAC, in its smallest unit."""
    hearings: int = 0
    """For which it was drawn and that are over."""
    revealed: int = 0
    absent: int = 0
    mean_skill_ppm: int | None = None
    """Of the last 20 that it revealed, as the rolling rule has it; None before the first."""
    earned_micros: int = 0
    """Sum of its pays so far, negative ones among them."""
    slashed_frac: str = "0"
    next_ordinal: int = 0
    """What its next commitment may bear, where it does not know itself."""
    reliability: dict[str, Any] | None = None
    """Published diagnostics of its history; no part of the rules."""
    history: list[JudgeHearing] = []
    """Newest first, at most 50; not in lists of judges."""


class SessionView(_View, frozen=True, tag="session"):
    """A session as one viewer may see it, after the event at the snapshot's or update's offset."""

    session: str
    space: str
    rules: str
    status: Literal["live", "ended", "void"]
    opened_ms: int
    seats: list[SeatCard]
    state: dict[str, Any]
    """The Space's own `observe(state, viewer)`."""
    headline: str
    turn: int = 0
    """Number of the current turn; an `act` names it."""
    decisions: list[OpenDecision] = []
    inquiry: OpenInquiry | None = None
    """What the session waits for, when it waits for an oracle and not for seats."""
    you: int | None = None
    """Your seat, in the view that only your seat gets."""
    prompt: str | None = None
    """Your decision as text for a language model, when it is your turn."""
    outcome: dict[str, Any] | None = None
    """`{termination, returns}` once the rules have ended it; `{reason}` when void."""
    seed_commit: str = ""
    tier_micros: int = 0
    digest: str | None = None
    """The transcript's digest, once sealed."""
    verdict: VerdictView | None = None
    court: CaseView | None = None
    """The session before the court, where judges decide and have a stake; without `filing`, and of panels of more than seven without
    reasons."""
    steps: list[Step] = []
    annotations: list[dict[str, Any]] = []
    """Commentary on a session that has ended, no part of the rules: each has a `kind`."""


class SessionCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A live session in the lobby."""

    session: str
    space: str
    seats: list[SeatCard]
    headline: str
    opened_ms: int
    tier_micros: int = 0
    watching: int = 0
    status: Literal["live", "ended", "void"] = "live"


class QueueCard(msgspec.Struct, frozen=True, omit_defaults=True):
    space: str
    tier_micros: int
    waiting: int
    longest_wait_s: int = 0
    opening: int = 0
    """Matches that are made and wait for the chain to take their entries."""
    opening_s: int = 0
    """How long the longest of them has waited."""


class LobbyView(_View, frozen=True, tag="lobby"):
    live: list[SessionCard]
    """Newest first, at most 100; `live_count` counts all."""
    recent: list[SessionCard]
    """Ended a moment ago, at most 20."""
    queues: list[QueueCard]
    live_count: int = 0
    watching: int = 0


class BoardRow(msgspec.Struct, frozen=True, omit_defaults=True):
    rank: int
    agent: str
    name: str
    version: str
    mu_milli: int
    sigma_milli: int
    sessions: int
    wins: int = 0
    provisional: bool = False
    moved: int = 0
    """Places gained (positive) or lost within about a minute."""
    league: str = ""
    """E.g. `Silver I`; empty for who was rated last before there were leagues."""
    moved_ms: int = 0
    """Since when `moved` counts (unix)."""


class BoardView(_View, frozen=True, tag="board"):
    space: str
    rows: list[BoardRow]


class Seating(msgspec.Struct, frozen=True, omit_defaults=True):
    """A live session in which the agent has a seat."""

    session: str
    space: str
    seat: int


class Opening(msgspec.Struct, frozen=True, omit_defaults=True):
    """A match that is made and waits for the chain to take its entries. `seated` follows by itself, or `left` with
    the reason where an owner's wallet does not pay: do not queue again for it meanwhile."""

    session: str
    space: str
    seat: int
    tier_micros: int
    since_ms: int
    """Unix milliseconds."""


class Offer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A proposed match: confirm before `expires_ms` (unix) or lose the place in the queue."""

    offer: str
    ticket: str
    space: str
    tier_micros: int
    expires_ms: int


class AutomationCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """An agent's automation as it was when it last started or stopped. Money is in micros of `asset`."""

    state: Literal["on", "off", "stopped"]
    run: int
    """The number of the run that is on, or was last; its counters follow."""
    asset: str
    """`usdc` or `play`."""
    begun: int = 0
    """Sessions begun."""
    open: int = 0
    """Of them, those that wait, are played, or are not yet settled."""
    at_risk_micros: int = 0
    """The entries of those that are open."""
    profit_micros: int = 0
    """Won less paid by the others; negative: a loss."""
    reason: str | None = None
    """Why it is `stopped`."""


class GateCard(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A candidate version that is tested against the one that plays. Scores and the log-likelihood ratio (LLR, in nats) are in
    thousandths."""

    gate: str
    space: str
    candidate: str
    current: str
    status: Literal["running", "ended"]
    pairs: int
    """That have been read; two matches each."""
    most: int
    """After so many pairs a test that has not decided is given up."""
    score_milli: int
    """Of the candidate, per match; 500 is as good as the current version."""
    low_milli: int
    """Of the 95 % interval of the score."""
    high_milli: int
    llr_milli: int
    lower_milli: int
    """At or below it the candidate has failed the test."""
    upper_milli: int
    """At or above it the candidate has passed the test."""
    test: Literal["running", "passed", "failed", "undecided"]
    decision: Literal["promote", "keep", "undecided"] | None = None
    """What came of it all, once the gate has ended."""
    reasons: list[str] = []


class AgentView(_View, frozen=True, tag="agent"):
    """What an agent has going on, so that a bot that restarts knows where it stands."""

    agent: str
    seated: list[Seating]
    offers: list[Offer]
    tickets: list[str]
    automation: AutomationCard | None = None
    """Of an agent that has played by itself lately."""
    opening: list[Opening] = []
    """Matches that begin when the chain has taken the entries."""
    gate: GateCard | None = None
    """Of an agent that has been tested lately: the newest test."""


Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Entrants = Annotated[int, Meta(ge=0, le=1_000_000)]
"""Of a tournament; also the place of one in the order of seeds."""
Rounds = Annotated[int, Meta(ge=0, le=64)]
"""Of a knockout; a bracket of more has no room on any screen, nor in an arena."""


class EntrantCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who takes part in a tournament."""

    entrant: Entrants
    """Its place in the order of seeds, from 0 on; all else names it by this number."""
    agent: str
    name: str
    version: str
    rating_milli: int | None = None


class MatchCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A match of a knockout whose players are known: a few games between the same entrants."""

    name: str
    """`r<round>.m<place from the top>`; the winners of m1 and m2 meet in m1 of the next round."""
    round: Rounds
    players: list[Entrants]
    """By seed."""
    points: list[Count]
    """Half points of each: two for a rival beaten in a game, one for a draw."""
    games: Count = 0
    """That are over."""
    through: list[int] = []
    """Who goes on, best first; in the final all players by their places. Empty while it is open."""
    coin: bool = False
    """A full tie, so the committed coin said who goes on."""
    unplayed: bool = False
    """Every game was given up, so the better seeds go on; a final is then won by nobody."""
    session: str | None = None
    """The game that is being played."""


class GameCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """A game of a tournament: a session, and what came of it."""

    game: str
    """Its name in the tournament; a game that was voided is played again under its name."""
    attempt: Count
    session: str
    seats: list[Entrants]
    """Entrants by seat."""
    state: Literal["live", "scored", "void"] = "live"
    ranks: list[int] | None = None
    """By seat, 1 is best, once scored."""
    reason: str = ""
    """Why it is void."""


class StandingRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an entrant stands in a tournament."""

    rank: Count
    """Equal ranks are shared."""
    entrant: Entrants
    points: Count
    """Half points: two for each seat beaten in a game, one for each seat tied with."""
    possible: Count
    """Half points, had it won all its games."""
    played: Count
    wins: Count = 0
    draws: Count = 0
    losses: Count = 0
    note: str = ""


class PairCard(msgspec.Struct, frozen=True, omit_defaults=True):
    """What two entrants took off each other, over all games in which both sat."""

    one: Entrants
    other: Entrants
    points: Count
    """Half points that `one` took: two for a game in which it ranked better, one for a tie."""
    games: Count


class TournamentView(_View, frozen=True, tag="tournament"):
    """A tournament as it stands. Large ones are cut: the API has every game."""

    tournament: str
    space: str
    format: Literal["knockout", "round-robin"]
    status: Literal["running", "ended"]
    created_ms: Count
    seats: Annotated[int, Meta(ge=0, le=64)]
    entrants: Entrants
    cards: list[EntrantCard]
    """Of the entrants that are named below."""
    total: Count
    """Games, at most: a match may be decided early."""
    scored: Count
    given_up: Count = 0
    """Games that were voided again and again."""
    rounds: Rounds = 0
    """Of a knockout."""
    matches: list[MatchCard] = []
    """Of a knockout: its last rounds, at most 63 matches, and those that are being played."""
    live: list[GameCard] = []
    """At most 64."""
    standings: list[StandingRow] = []
    """The best 64."""
    pairs: list[PairCard] = []
    """Of at most 16 entrants."""
    seed_commit: str = ""
    seed: str | None = None
    """Hex; revealed when it has ended, so that its coins can be checked."""


class PinTask(msgspec.Struct, frozen=True):
    """A block that operators are asked to keep. Which of them: `docs/operators.md`; nobody is told."""

    number: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    """1, 2, 3, … without a hole, in the order in which they were given."""
    cid: Annotated[str, Meta(min_length=1, max_length=64)]
    """CIDv1, raw."""
    bytes: Annotated[int, Meta(ge=1, le=2**20)]
    kind: Annotated[str, Meta(max_length=16)]
    """`transcript`, `result`, `epoch`, `payouts`, `case` or `adapter`; others may come."""
    session: Id
    """What it is of: a session's id, or another document's name (`epoch:7`)."""


class PinsView(_View, frozen=True, tag="pins"):
    """What operators are asked to keep. Older tasks: `GET /v1/pins?after=NUMBER`."""

    tasks: list[PinTask]
    """The newest, at most 32, in the order of their numbers."""
    replicas: int
    """How many operators are to keep each block."""


class CourtView(_View, frozen=True, tag="court"):
    """What is before the court. All of it: `GET /v1/court/cases`."""

    cases: list[CaseView]
    """Those that are open, oldest first, at most 64; without `filing`, `sheets` and their scores."""
    decided: list[CaseView] = []
    """The last verdicts, newest first, at most 16."""
    judges: int = 0
    """How many stand: accepted, staked and not suspended."""


View = SessionView | LobbyView | BoardView | AgentView | TournamentView | PinsView | CourtView


class Snapshot(_Server, frozen=True, tag="snapshot"):
    """A channel as it stands. The next update continues at `offset` + 1."""

    channel: str
    epoch: str
    offset: int
    view: View
    resync: bool = False
    """True when `since` was given and some missed events are no longer held."""


class Update(_Server, frozen=True, tag="update"):
    """The next events of a channel, all that were appended in one tick.

    The first event's offset is the previous message's `offset` + 1; `offset` is the last one's.
    `view` is the channel after `offset`; it is left out when only a part of a replay is sent.
    """

    channel: str
    epoch: str
    offset: int
    events: list[Event]
    view: View | None = None


class Writing(_Server, frozen=True, tag="writing"):
    """A piece of an answer as it is being written; ephemeral, may be lost, never in a transcript."""

    channel: str
    seat: int
    turn: int
    at: int
    text: str


class Watching(_Server, frozen=True, tag="watching"):
    """How many connections follow a session, counted over all gateways; ephemeral."""

    channel: str
    count: int


class Accepted(_Server, frozen=True, tag="accepted"):
    """The action, or the `void` that an `abandon` asked for, is in the log, durably; or the signature of a `sign` is kept."""

    id: str
    session: str
    offset: int
    """-1 for a `sign`."""


class Rejected(_Server, frozen=True, tag="rejected"):
    """The action is not in the log. When `attempt` is 2 you may try once more, before `deadline_ms`.

    Codes: `unparsable`, `illegal`, `late`, `not-your-turn`, `stale-turn`, `no-seat`, `other-player`, `over`,
    `unknown-session`. For a `sign`, whose signature is not kept: `unknown-session`, `no-seat`, `no-chain`, `not-over`,
    `other-digest`, `no-key`, `other-key`, `late`.
    """

    id: str
    session: str
    code: str
    reason: str
    attempt: int = 0
    deadline_ms: int = 0


class Ticket(_Server, frozen=True, tag="ticket"):
    """Where a waiting agent stands."""

    ticket: str
    space: str
    tier_micros: int
    state: Literal["waiting", "offered", "seated", "gone"]
    position: int = 0
    """1 is the longest waiting."""
    waiting: int = 0
    waited_ms: int = 0
    window_milli: int = 0
    """How far another rating may be from yours now; it widens as you wait."""
    reason: str = ""
    """Why not matched yet, for people."""


class Error(_Server, frozen=True, tag="error"):
    """A request could not be served; the connection goes on.

    Codes: `bad-message`, `unknown-channel`, `forbidden`, `not-hello`, `rate-limited`,
    `already-queued`, `unknown-ticket`, `unknown-offer`, `unknown-space`, `tier-closed`,
    `not-playing`, `other-player`, `limit-reached`, `unfunded`, `busy`, `unavailable`; where entries
    are paid on a chain also `no-wallet`, `not-deposited`, `limits-missing`, `limit-entry`,
    `limit-day`, `limit-expired`, `awaiting-claim`, `too-few-judges`.
    """

    code: str
    reason: str
    retry_after_ms: int = 0
    ref: str = ""
    """What the error answers: a channel, ticket, offer or action id."""


class Goodbye(_Server, frozen=True, tag="goodbye"):
    """Sent right before the arena closes the connection, with the close code that follows."""

    code: int
    reason: str
    reconnect_in_ms: int = 0
    """0: do not come back on your own."""


ServerMessage = (
    Welcome
    | Pong
    | Snapshot
    | Update
    | Writing
    | Watching
    | Accepted
    | Rejected
    | Ticket
    | Error
    | Goodbye
)
