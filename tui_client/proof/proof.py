"""The proof that is open, as this client has it. Pure: takes what happened, returns the next `Proof`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from server.protocol import SessionView
from tui_client.proof.finding import Against, Finding, Name, Standing, Told

MAX_FINDINGS = 100
MAX_NAMES = 9
"""As many as there are keys to copy them with."""
NO_PROVER = (
    "this client was opened without a verifier: the command below checks the session by hand"
)
_TX = re.compile(r"0x[0-9a-fA-F]{64}")

replace = msgspec.structs.replace


class Prove(msgspec.Struct, frozen=True):
    """Open the proof of a session, or make it once more."""

    session: str
    by_hand: str
    """The command that does the same in a shell."""
    against: tuple[str, ...] = ()
    """Who is asked and what is believed."""
    able: bool = True
    """Whether this client has a verifier in it."""


class Proving(msgspec.Struct, frozen=True):
    """Something was found out."""

    run: int
    told: Told


class Proved(msgspec.Struct, frozen=True):
    """There is no more to find out."""

    run: int
    trouble: str = ""
    """Why it came to nothing."""


class Copied(msgspec.Struct, frozen=True):
    what: str


ProofInput = Prove | Proving | Proved | Copied


class Proof(msgspec.Struct, frozen=True):
    session: str
    by_hand: str
    against: tuple[str, ...] = ()
    run: int = 0
    """Tells what is found out now from what comes late of an earlier one."""
    findings: tuple[Finding, ...] = ()
    names: tuple[Name, ...] = ()
    ended: bool = False
    trouble: str = ""
    scroll: int = 0
    """Rows scrolled down."""
    copied: str = ""
    """What was copied last."""

    def of(self, standing: Standing) -> list[Finding]:
        return [each for each in self.findings if each.standing is standing]


def opened(asked: Prove, run: int) -> Proof:
    if asked.able:
        return Proof(asked.session, asked.by_hand, asked.against, run)
    return Proof(asked.session, asked.by_hand, asked.against, run, ended=True, trouble=NO_PROVER)


def after(proof: Proof, happened: Proving | Proved | Copied) -> Proof:
    """The proof after something happened; what is of another run changes nothing."""
    if isinstance(happened, Copied):
        return replace(proof, copied=happened.what)
    if happened.run != proof.run or proof.ended:
        return proof
    if isinstance(happened, Proved):
        return replace(proof, ended=True, trouble=happened.trouble)
    told = happened.told
    if isinstance(told, Finding):
        return replace(proof, findings=_with(proof.findings, told))
    if isinstance(told, Against):
        return replace(proof, against=told.lines)
    kept = tuple(each for each in proof.names if each.what != told.what)
    return replace(proof, names=(*kept, told)[:MAX_NAMES])


def _with(found: tuple[Finding, ...], news: Finding) -> tuple[Finding, ...]:
    """What was not checked at first, and is then, keeps its place."""
    for at, each in enumerate(found):
        if each.what == news.what and each.standing is Standing.UNCHECKED:
            return (*found[:at], news, *found[at + 1 :])
    return (*found, news)[:MAX_FINDINGS]


def moved(proof: Proof, by: int) -> Proof:
    return replace(proof, scroll=max(0, proof.scroll + by))


def wanted(proof: Proof | None) -> Proof | None:
    """The proof whose verifier is to run now, running or not."""
    return None if proof is None or proof.ended else proof


def again(proof: Proof) -> bool:
    """Whether it can be made once more."""
    return proof.ended and proof.trouble != NO_PROVER


def names(proof: Proof, view: SessionView | None) -> Sequence[Name]:
    """What can be copied, in the order of the keys: the session, what the verifier named, what its steps say."""
    found = {"session": proof.session}
    found |= {each.what: each.text for each in proof.names}
    for step in view.steps if view is not None and view.session == proof.session else ():
        if step.state != "done":
            continue
        if step.name == "pinned" and step.detail and step.detail not in found.values():
            found["content id"] = step.detail  # where it is not what the verifier computed
        if step.name in ("opened", "anchored") and (tx := _TX.search(step.detail)):
            found.setdefault(step.name, tx[0])
        if step.name == "anchored" and (epoch := epoch_of(step.detail)):
            found.setdefault("epoch", epoch)
    shown = [Name(what, text) for what, text in found.items()][: MAX_NAMES - 1]
    return [*shown, Name("by hand", proof.by_hand)]


def epoch_of(detail: str) -> str:
    """The number in `epoch 7, tx 0x…`; empty where there is none."""
    found = re.match(r"epoch (\d{1,9})\b", detail)
    return found[1] if found else ""
