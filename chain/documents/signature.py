"""Whose word a document is: EIP-712 signatures of the arena's key over digests. Pure.

The domain names the chain and the escrow, so that no signature says anything about another arena's documents.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chain.documents.case import CaseDocument
from chain.documents.epoch import EpochDocument
from chain.documents.form import Signature, digest_of
from chain.documents.result import ResultDocument
from chain.ethereum import Account, LocalAccount, encode_typed_data
from spaces import transcript
from spaces.transcript import Transcript
from spaces.transcript.document import digest_of as transcript_digest
from spaces.transcript.typed import transcript_data, typed_data

_OF_SESSION = (("session", "string"), ("digest", "bytes32"))
_EPOCH = (("epoch", "uint64"), ("digest", "bytes32"))

Signable = Transcript | ResultDocument | EpochDocument | CaseDocument


def sign(
    account: LocalAccount,
    chain_id: int,
    escrow: str,
    document: Signable,
) -> Signature:
    """What goes into `sig`. Deterministic (RFC 6979)."""
    return Signature(account.address, signed(account, typed(chain_id, escrow, document)))


def signed(account: LocalAccount, data: Mapping[str, Any]) -> str:
    """The signature of typed data, hex with 0x."""
    made = account.sign_message(encode_typed_data(full_message=dict(data)))
    return "0x" + bytes(made.signature).hex()


def signer(
    chain_id: int,
    escrow: str,
    document: Signable,
    sig: Signature | transcript.Signature,
) -> str | None:
    """The address whose key has signed the document as it is; None where no key has."""
    return recovered(typed(chain_id, escrow, document), sig.value)


def recovered(data: dict[str, Any], value: str) -> str | None:
    """The address whose key has made this signature (hex with 0x) of the typed data; None where no key has."""
    try:
        return str(Account.recover_message(encode_typed_data(full_message=data), signature=value))
    except Exception:  # whatever eth-keys raises on 65 bytes that are no signature
        return None


def typed(chain_id: int, escrow: str, document: Signable) -> dict[str, Any]:
    """The typed data, as any wallet shows and signs it (`eth_signTypedData_v4`)."""
    match document:
        case Transcript():
            return transcript_data(
                chain_id,
                escrow,
                session=document.session,
                digest=transcript_digest(document),
                root=document.root,
                entries=len(document.entries),
            )
        case ResultDocument() | CaseDocument():
            named = {"session": document.session, "digest": "0x" + digest_of(document)}
            kind = "Result" if isinstance(document, ResultDocument) else "Case"
            return typed_data(chain_id, escrow, kind, _OF_SESSION, named)
        case EpochDocument():
            numbered = {"epoch": document.epoch, "digest": "0x" + digest_of(document)}
            return typed_data(chain_id, escrow, "Epoch", _EPOCH, numbered)
