"""The verifier behind the key `v` of the spectator's screen: what `agon verify` finds out, line by line."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from server.commands.running import DEFAULT_URL, CommandError
from server.config import Config, ConfigError
from tui_client.proof.finding import Against, Finding, Name, Standing, Tell, Unproven

if TYPE_CHECKING:
    from chain.verify import finding as found_out
    from chain.verify.session import Documents
    from server.commands.chain_at import ChainAt


class ArenaProver(msgspec.Struct, frozen=True, kw_only=True):
    """Asks one arena, and whoever else is named: an IPFS node for the transcript, a chain for roots and signatures."""

    url: str
    ipfs: str | None = None
    rpc: str | None = None
    chain: int | None = None
    escrow: str | None = None
    court: str | None = None
    settings: Callable[[], Config | None] = lambda: None
    """Called before each proof, to have the rules of games of other projects here; with the knobs, an arena of this machine is
    held against the chain that they name, too."""

    @property
    def against(self) -> Sequence[str]:
        at = self._named()
        return self._against(None if at is None else (at.chain_id, at.rpc, at.escrow))

    def _against(self, at: tuple[int, str, str] | None) -> list[str]:
        alone = " alone" if self.ipfs is None and at is None else ""
        told = [f"this arena{alone}, {_place(self.url)}, and the rules here"]
        if self.ipfs is not None:
            told.append(f"IPFS at {_place(self.ipfs)}: the transcript, by its content id")
        if at is not None:
            chain, rpc, escrow = at
            told.append(f"chain {chain}, {_place(rpc)}, escrow {escrow}")
        return told

    def _named(self) -> ChainAt | None:
        if self.rpc is None or self.chain is None or self.escrow is None:
            return None
        from server.commands.chain_at import ChainAt

        return ChainAt(self.rpc, self.chain, self.escrow, named=True, court=self.court)

    def _found(self) -> ChainAt | None:
        """As `agon verify` finds it. Raises CommandError, ConfigError."""
        from server.commands import chain_at

        settings = self.settings()
        if settings is None:
            return self._named()
        named = chain_at.Named(self.rpc, self.chain, self.escrow, court=self.court)
        return chain_at.find(named, settings, self.url)

    def by_hand(self, session: str) -> str:
        """The command; a URL that may hold a key is left to whoever has it."""
        words = ["agon", "verify", shlex.quote(session)]
        if self.url.rstrip("/") != DEFAULT_URL:
            words += ["--url", _written(self.url, "AGON_URL")]
        if self.ipfs is not None:
            words += ["--ipfs", _written(self.ipfs, "IPFS_URL")]
        if self.rpc is not None:
            words += ["--rpc", _written(self.rpc, "RPC_URL")]
        if self.chain is not None:
            words += ["--chain", str(self.chain)]
        if self.escrow is not None:
            words += ["--escrow", shlex.quote(self.escrow)]
        if self.court is not None:
            words += ["--court", shlex.quote(self.court)]
        return " ".join(words)

    def prove(self, session: str, tell: Tell) -> None:
        """Raises Unproven, and whatever `tell` raises."""
        from chain.content import cid as cids
        from chain.verify.session import Asked, findings
        from server.commands import fetching
        from server.commands.verify import of_court
        from server.ledger.tiers import entry_micros

        def cid_of(block: bytes) -> str:
            return str(cids.of(block))

        asked = Asked(session=session, entry_micros=entry_micros)
        try:
            at = self._found()
            if at is not None:
                tell(Against(tuple(self._against((at.chain_id, at.rpc, at.escrow)))))
            found = fetching.documents(
                fetching.Wanted(session=session, url=self.url, ipfs=self.ipfs)
            )
            for name in _names(found):
                tell(name)
            for each in findings(found, asked, cid_of):
                tell(_told(each))
            for each in of_court(found, cid_of):
                tell(_told(each))
            if at is not None:
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
    if found.case is not None:
        named.append(Name("case", str(cids.of(found.case))))
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
