"""What an arena says of the proof of a session, and the documents that it hands out: bounded, and none of it believed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from server.commands.running import CommandError

MAX_BYTES = 17 << 20
"""Pay-outs are the largest (`chain.documents.payouts`)."""
TIMEOUT_S = 20.0
MAX_WORDS = 1_000
WITHOUT_IT = (
    "(saved documents, or content ids with --ipfs, are checked without an arena: docs/proofs.md)"
)

replace = msgspec.structs.replace


class PlacedDocument(msgspec.Struct, frozen=True):
    cid: str = ""
    pinned: bool = False


class PlacedEpoch(msgspec.Struct, frozen=True):
    epoch: Annotated[int, Meta(ge=1, le=2**53)]
    closed: bool = False
    cid: str | None = None
    payouts_cid: str | None = None


class PlacedEscrow(msgspec.Struct, frozen=True):
    state: str = ""


class ProofLine(msgspec.Struct, frozen=True):
    name: str = ""
    state: str = ""


class Proof(msgspec.Struct, frozen=True):
    """What of an arena's word about a session's proof is of use: where documents are. None of it is believed."""

    lines: list[ProofLine] = []
    transcript: PlacedDocument | None = None
    result: PlacedDocument | None = None
    escrow: PlacedEscrow | None = None
    epoch: PlacedEpoch | None = None
    known: bool = False
    """The arena has such a thing."""

    @property
    def closed(self) -> PlacedEpoch | None:
        return self.epoch if self.epoch is not None and self.epoch.closed else None


class _Card(msgspec.Struct, frozen=True):
    state: str = ""
    payouts_cid: str | None = None


class _Cards(msgspec.Struct, frozen=True):
    epochs: list[_Card] = []


def proof_of(url: str | None, path: str) -> Proof:
    """What the arena says of the session's proof; nothing where it has no such thing."""
    answer = fetch(url, f"{path}/proof")
    try:
        if isinstance(answer, bytes):
            return replace(msgspec.json.decode(answer, type=Proof), known=True)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    return Proof()


def newest_payouts(url: str | None) -> str | None:
    """The content id of what everybody may claim now: older pay-outs say less."""
    answer = fetch(url, "/v1/epochs?limit=2")
    try:
        cards = [] if isinstance(answer, str) else msgspec.json.decode(answer, type=_Cards).epochs
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return next((each.payouts_cid for each in cards if each.state == "closed"), None)


def fetch(url: str | None, path: str) -> bytes | str:
    """The document, or why the arena does not give it."""
    import httpx

    from bots.api import arena_url, no_answer

    arena = arena_url(url)
    body = bytearray()
    try:
        with httpx.stream("GET", f"{arena}{path}", timeout=TIMEOUT_S, trust_env=False) as answer:
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > MAX_BYTES:
                    return f"the arena sends more than {MAX_BYTES} bytes"
    except httpx.HTTPError as error:
        raise CommandError(f"{no_answer(arena, error)} {WITHOUT_IT}") from None
    if answer.is_success:
        return bytes(body)
    return problem_of(httpx.Response(answer.status_code, content=bytes(body)))


def problem_of(answer: Any) -> str:
    """An arena's refusal, in its words."""
    try:
        return str(answer.json()["detail"])[:MAX_WORDS]
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"the arena answered {answer.status_code}"
