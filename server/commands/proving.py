"""The verifier behind the key `v` of the spectator's screen: what `agon verify` finds out, line by line."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from server.commands.running import DEFAULT_URL, CommandError
from server.config import ConfigError
from tui_client.proof.finding import Finding, Name, Standing, Tell, Unproven

if TYPE_CHECKING:
    from chain.verify import finding as found_out
    from chain.verify.session import Documents


class ArenaProver(msgspec.Struct, frozen=True, kw_only=True):
    """Asks one arena, and whoever else is named: an IPFS node for the transcript, a chain for roots and signatures."""

    url: str
    ipfs: str | None = None
    rpc: str | None = None
    chain: int | None = None
    escrow: str | None = None
    prepare: Callable[[], object] = lambda: None
    """Called before each proof, e.g. to have the rules of games of other projects here."""

    @property
    def against(self) -> Sequence[str]:
        alone = " alone" if self.ipfs is None and self.rpc is None else ""
        told = [f"this arena{alone}, {_place(self.url)}, and the rules here"]
        if self.ipfs is not None:
            told.append(f"IPFS at {_place(self.ipfs)}: the transcript, by its content id")
        if self.rpc is not None:
            told.append(f"chain {self.chain}, {_place(self.rpc)}, escrow {self.escrow}")
        return told

    def by_hand(self, session: str) -> str:
        """The command; a URL that may hold a key is left to whoever has it."""
        words = ["agon", "verify", shlex.quote(session)]
        if self.url.rstrip("/") != DEFAULT_URL:
            words += ["--url", _written(self.url, "AGON_URL")]
        if self.ipfs is not None:
            words += ["--ipfs", _written(self.ipfs, "IPFS_URL")]
        if self.rpc is not None:
            words += ["--rpc", _written(self.rpc, "RPC_URL")]
            words += ["--chain", str(self.chain), "--escrow", shlex.quote(self.escrow or "")]
        return " ".join(words)

    def prove(self, session: str, tell: Tell) -> None:
        """Raises Unproven, and whatever `tell` raises."""
        from chain.content import cid as cids
        from chain.verify.session import Asked, findings
        from server.commands import fetching
        from server.commands.chain_at import ChainAt
        from server.ledger.tiers import entry_micros

        asked = Asked(session=session, entry_micros=entry_micros)
        try:
            self.prepare()
            found = fetching.documents(
                fetching.Wanted(session=session, url=self.url, ipfs=self.ipfs)
            )
            for name in _names(found):
                tell(name)
            for each in findings(found, asked, lambda block: str(cids.of(block))):
                tell(_told(each))
            if self.rpc is not None and self.chain is not None and self.escrow is not None:
                at = ChainAt(self.rpc, self.chain, self.escrow, named=True)
                for each in fetching.of_chain(found, at):
                    tell(_told(each))
        except (CommandError, ConfigError) as error:
            raise Unproven(str(error)) from None


def _told(finding: found_out.Finding) -> Finding:
    return Finding(finding.what, Standing(finding.standing.value), finding.words)


def _names(found: Documents) -> Sequence[Name]:
    """By what anybody finds the documents again, computed from their bytes."""
    from chain.content import cid as cids
    from chain.documents import epoch as epochs
    from chain.documents.form import DocumentError

    named = []
    if found.transcript is not None:
        named.append(Name("transcript", str(cids.of(found.transcript))))
    if found.result is not None:
        named.append(Name("result", str(cids.of(found.result))))
    if found.epoch is not None:
        with contextlib.suppress(DocumentError):  # the findings say so
            named.append(Name("epoch", str(epochs.read(found.epoch).epoch)))
    return named


def _place(url: str) -> str:
    """A URL without what may be secret in it."""
    parts = urlsplit(url)
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{parts.hostname or ''}{port}"


def _written(url: str, variable: str) -> str:
    """A URL for a command line, or the variable that stands for one that may hold a key."""
    parts = urlsplit(url)
    bare = not (parts.username or parts.password or parts.query or parts.path.strip("/"))
    return shlex.quote(url) if bare else f'"${variable}"'
