"""What a training shows of itself: its documents, its weights and its sessions, each fetched by its content id and checked alone.

No torch, no model: whoever has neither learns from these lines that the documents do not contradict each other, and that the sessions were
played by the rules. That the adapter came of them takes making steps again (`again`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import TypeVar

import msgspec

from chain.content import cid as cids
from chain.documents import form
from chain.documents import result as results
from chain.documents.form import DocumentError
from chain.documents.result import ResultDocument
from chain.verify.finding import Finding, false, line, true, unchecked
from spaces import registry, transcript
from spaces.transcript import Transcript, TranscriptError
from spaces.transcript.document import MAX_BYTES as MAX_TRANSCRIPT
from training import tensors
from training.documents import adapter as adapters
from training.documents import data as data_cards
from training.documents.adapter import AdapterCard
from training.documents.data import DataCard
from training.documents.training import TrainingManifest
from training.proof import digest, manifest
from training.tensors import NotTensors, Tensor

MAX_CARD = 1 << 20
"""Of the adapter's card and the data card."""
MAX_WEIGHTS = 2 << 30
MAX_SESSIONS = 1 << 30
"""Bytes of transcripts that are held at once."""

T = TypeVar("T")


class NotThere(Exception):
    """Whoever was to have the content has not; the text says who."""


class Away(Exception):
    """Nobody who may have the content could be asked; the text says why."""


Fetch = Callable[[str, int], bytes]
"""The bytes of a content id, at most so many. Raises NotThere, Away; what it gives is checked against the id by whoever made it."""


class Training(msgspec.Struct, kw_only=True):
    """What was read so far, for those who check further."""

    card: AdapterCard | None = None
    manifest: TrainingManifest | None = None
    data: DataCard | None = None
    weights: list[Tensor] | None = None
    sessions: dict[str, bytes] | None = None
    """All of the data card's transcripts, by content id; None where one of them does not hold."""
    seeds: dict[str, str] = msgspec.field(default_factory=dict)
    """Of those that hold: seed to content id."""
    commits: dict[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    """Of those that hold: content id to the seats' commitments."""
    results: dict[str, ResultDocument] = msgspec.field(default_factory=dict)
    """Those that the data card names, by the transcript's content id, if they hold."""


def findings(card: bytes, asked: str | None, fetch: Fetch, into: Training) -> Iterator[Finding]:
    """Each line when it is known; `into` gets what holds. `asked`: the card's content id, from wherever the caller has it."""
    yield _content_id(card, asked)
    reading = _Reading(fetch)
    try:
        into.card = form.read(card, AdapterCard, version=adapters.VERSION, max_bytes=MAX_CARD)
    except DocumentError as error:
        yield false("adapter", str(error))
        return
    yield true("adapter", _of_adapter(into.card))
    yield from reading.manifest(into)
    yield from reading.data(into)
    yield from reading.weights(into)
    yield from reading.sessions(into)
    yield from reading.results(into)
    if into.data is not None:
        yield _held_out(into.data, into, fetch)


def _content_id(card: bytes, asked: str | None) -> Finding:
    found = str(cids.of(card))
    if asked is None:
        return true("content id", f"{found}, by the bytes")
    wrong = "" if asked == found else f"the bytes are those of {found}, not of {asked}"
    return line("content id", wrong, f"the bytes are those of {asked}")


def _of_adapter(card: AdapterCard) -> str:
    whose = f" of {card.agent}" if card.agent else ""
    return f"canonical {adapters.VERSION}{whose} for {card.space}: rank {card.rank} on {card.base.name}"


class _Reading:
    """Fetches, reads and checks one document after the other."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    def manifest(self, into: Training) -> Iterator[Finding]:
        card = into.card
        assert card is not None, "read before"
        found = self._take("training", card.training, manifest.MAX_BYTES, manifest.read)
        if isinstance(found, Finding):
            yield found
            return
        if wrong := manifest.against_card(found, card):
            yield false("training", wrong)
            return
        into.manifest = found
        config = manifest.config_of(found.config)
        words = f"{config.steps} steps of {config.recipe} on {found.device}, of this adapter's card"
        yield true("training", f"canonical {found.v}: {words}")

    def data(self, into: Training) -> Iterator[Finding]:
        card = into.card
        assert card is not None, "read before"
        found = self._take("data", card.data, MAX_CARD, read_data)
        if isinstance(found, Finding):
            yield found
            return
        told = into.manifest
        wrong = "" if told is None else manifest.against_data(told, found, card.space)
        if wrong:
            yield false("data", wrong)
            return
        into.data = found
        words = f"{found.recipe.form} of {len(found.sessions)} sessions of {found.recipe.space}"
        yield true("data", f"canonical {found.v}: {words}")

    def weights(self, into: Training) -> Iterator[Finding]:
        card, told = into.card, into.manifest
        assert card is not None, "read before"
        found = self._take("weights", card.weights, MAX_WEIGHTS, _sized)
        if isinstance(found, Finding):
            yield found
            return
        size, into.weights = found
        if size != card.bytes:
            yield false("weights", f"{size} bytes, the card says {card.bytes}")
        elif told is None:
            yield unchecked("weights", "no manifest to hold them against")
        elif digest.of_weights(into.weights) != told.steps[-1].weights:
            yield false("weights", "the file's tensors are not what the last step led to")
        else:
            words = f"{size} bytes, {len(into.weights)} tensors: what step {len(told.steps)} led to"
            yield true("weights", words)

    def sessions(self, into: Training) -> Iterator[Finding]:
        if into.data is None:
            yield unchecked("sessions", "no data card that names them")
            return
        read: dict[str, bytes] = {}
        held = 0
        for session in into.data.sessions:
            found = self._take("sessions", session, MAX_TRANSCRIPT, _with_document)
            if isinstance(found, Finding):
                yield found
                return
            told, read[session] = found
            held += len(read[session])
            if held > MAX_SESSIONS:
                yield unchecked("sessions", f"more than {MAX_SESSIONS >> 20} MiB of them")
                return
            if wrong := _replayed(told, into.data.recipe.space):
                yield Finding("sessions", wrong.standing, f"{session}: {wrong.words}")
                return
            into.seeds[told.seed] = session
            into.commits[session] = tuple(each.commit for each in told.seats)
        into.sessions = read
        yield true("sessions", f"{len(read)} transcripts under their ids, each by the rules")

    def results(self, into: Training) -> Iterator[Finding]:
        """Nothing where the data need none."""
        named = {} if into.data is None else into.data.results
        if not named or into.sessions is None:
            return
        read: dict[str, ResultDocument] = {}
        for session, result in named.items():
            found = self._take("results", result, results.MAX_BYTES, results.read)
            if isinstance(found, Finding):
                yield found
                return
            if wrong := _of_session(found, session, into.commits):
                yield false("results", f"{result}: {wrong}")
                return
            read[session] = found
        into.results = read
        words = f"{len(read)} open the seats' commitments; whether they are true `agon verify` says of each"
        yield true("results", words)

    def _take(self, what: str, cid: str, most: int, read: Callable[[bytes], T]) -> T | Finding:
        """The document, or the line that says why there is none."""
        try:
            return read(self._fetch(cid, most))
        except NotThere as error:
            return false(what, f"{cid} is not to be had: {error}")
        except Away as error:
            return unchecked(what, f"{cid}: {error}")
        except (DocumentError, TranscriptError, NotTensors) as error:
            return false(what, f"{cid}: {error}")


def read_data(document: bytes) -> DataCard:
    """Raises DocumentError: out of bounds, or sessions that are not in order, or twice there."""
    found = form.read(document, DataCard, version=data_cards.VERSION, max_bytes=MAX_CARD)
    if any(a >= b for a, b in pairwise(found.sessions)):
        raise DocumentError("sessions are not in the ascending order of their ids, each once")
    return found


def _sized(file: bytes) -> tuple[int, list[Tensor]]:
    return len(file), tensors.read(file)[0]


def _with_document(document: bytes) -> tuple[Transcript, bytes]:
    return transcript.read(document), document


def _replayed(session: Transcript, space: str) -> Finding | None:
    """What is wrong with a session, or what keeps it from being replayed; None: nothing."""
    if session.space != space:
        return false("", f"a session of {session.space} among those of {space}")
    try:
        registry.get_known(session.space)
        transcript.replay(session)
    except TranscriptError as error:
        return false("", str(error))
    except registry.UnknownSpace as error:
        return unchecked("", str(error))
    return None


def _of_session(
    result: ResultDocument, session: str, commits: Mapping[str, tuple[str, ...]]
) -> str:
    """What is wrong with a result beside the transcript that it is said to be of; empty: nothing."""
    if result.transcript != session:
        return f"it is of transcript {result.transcript}, not of {session}"
    opened = tuple(
        transcript.seat_commit(each.version, bytes.fromhex(each.salt)) for each in result.seats
    )
    return "" if opened == commits.get(session) else "its salts do not open the seats' commitments"


def _held_out(data: DataCard, into: Training, fetch: Fetch) -> Finding:
    """Whether anything that was held out was learned from: by id, and by seed, also of held-out sessions that can be had."""
    seeds = into.seeds
    held = data.held_out.get("sessions", [])
    if both := sorted({*held} & {*data.sessions}):
        return false("held out", f"{both[0]} is said to be held out, and is among the sessions")
    if both := sorted({*data.held_out.get("seeds", [])} & {*seeds}):
        return false("held out", f"{seeds[both[0]]} was played by a seed that is held out")
    players = {*data.held_out.get("players", [])}
    for session, result in into.results.items():
        if both := sorted(players & {each.version for each in result.seats}):
            return false("held out", f"{both[0]} is held out, and played {session}")
    looked = 0
    for session in held:
        try:
            seed = transcript.read(fetch(session, MAX_TRANSCRIPT)).seed
        except (NotThere, Away, TranscriptError):
            continue  # it may well be kept back: what is held out is for judging the adapter by
        looked += 1
        if seed in seeds:
            return false("held out", f"{session} was played by the seed of {seeds[seed]}")
    if not any(data.held_out.values()):
        return unchecked("held out", "nothing was held out")
    words = f"{len(held)} sessions, of which {looked} could be had: none of them, nor of their seeds, was learned from"
    if players and (left := len(data.sessions) - len(into.results)):
        words += f"; who played {left} of those learned from, no result says"
    return true("held out", words)
