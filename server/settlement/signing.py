"""The arena's word for what it says: signatures of the settler's key under documents (`docs/proofs.md`). Pure.

The key moves money, so hosts do not have it: they seal, which fixes every byte that the signature is of, and a worker
signs (`server.settlement.documents`). The same document has the same signature whoever of them makes it (RFC 6979).
"""

from __future__ import annotations

import msgspec

from chain.documents.case import CaseDocument
from chain.documents.epoch import EpochDocument
from chain.documents.form import encode
from chain.documents.result import ResultDocument
from chain.documents.signature import sign
from chain.ethereum import LocalAccount
from spaces import canonical, transcript


class Signing:
    """By one key, for one escrow on one chain."""

    def __init__(self, account: LocalAccount, chain_id: int, escrow: str) -> None:
        self._account = account
        self._chain_id = chain_id
        self._escrow = escrow

    @property
    def address(self) -> str:
        """Whose signatures these are, EIP-55."""
        return str(self._account.address)

    def transcript(self, document: bytes) -> bytes:
        """The same transcript, signed. Its digest and root stay what they are. Raises TranscriptError."""
        read = transcript.read(document)
        made = sign(self._account, self._chain_id, self._escrow, read)
        signed = msgspec.structs.replace(read, sig=transcript.Signature(made.signer, made.value))
        return canonical.encode(msgspec.to_builtins(signed))

    def result(self, result: ResultDocument) -> bytes:
        """The canonical bytes, signed."""
        made = sign(self._account, self._chain_id, self._escrow, result)
        return encode(msgspec.structs.replace(result, sig=made))

    def epoch(self, epoch: EpochDocument) -> bytes:
        """The canonical bytes, signed."""
        made = sign(self._account, self._chain_id, self._escrow, epoch)
        return encode(msgspec.structs.replace(epoch, sig=made))

    def case(self, case: CaseDocument) -> bytes:
        """The canonical bytes, signed."""
        made = sign(self._account, self._chain_id, self._escrow, case)
        return encode(msgspec.structs.replace(case, sig=made))
