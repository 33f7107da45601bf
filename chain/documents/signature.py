"""Whose word a document is: EIP-712 signatures of the arena's key over digests. Pure.

The domain names the chain and the escrow, so that no signature says anything about another arena's documents.
"""

from __future__ import annotations

from typing import Any

from chain.documents.epoch import EpochDocument
from chain.documents.form import Signature, digest_of
from chain.documents.result import ResultDocument
from chain.ethereum import Account, LocalAccount, encode_typed_data
from spaces import transcript
from spaces.transcript import Transcript
from spaces.transcript.document import digest_of as transcript_digest

_FIELDS = {
    "EIP712Domain": (
        "name string",
        "version string",
        "chainId uint256",
        "verifyingContract address",
    ),
    "Transcript": ("session string", "digest bytes32", "root bytes32", "entries uint64"),
    "Result": ("session string", "digest bytes32"),
    "Epoch": ("epoch uint64", "digest bytes32"),
}


def sign(
    account: LocalAccount,
    chain_id: int,
    escrow: str,
    document: Transcript | ResultDocument | EpochDocument,
) -> Signature:
    """What goes into `sig`. Deterministic (RFC 6979)."""
    signed = account.sign_message(encode_typed_data(full_message=typed(chain_id, escrow, document)))
    return Signature(account.address, "0x" + bytes(signed.signature).hex())


def signer(
    chain_id: int,
    escrow: str,
    document: Transcript | ResultDocument | EpochDocument,
    sig: Signature | transcript.Signature,
) -> str | None:
    """The address whose key has signed the document as it is; None where no key has."""
    try:
        return str(
            Account.recover_message(
                encode_typed_data(full_message=typed(chain_id, escrow, document)),
                signature=sig.value,
            )
        )
    except Exception:  # whatever eth-keys raises on 65 bytes that are no signature
        return None


def typed(
    chain_id: int, escrow: str, document: Transcript | ResultDocument | EpochDocument
) -> dict[str, Any]:
    """The typed data, as any wallet shows and signs it (`eth_signTypedData_v4`)."""
    match document:
        case Transcript():
            name = "Transcript"
            message: dict[str, Any] = {
                "session": document.session,
                "digest": bytes.fromhex(transcript_digest(document)),
                "root": bytes.fromhex(document.root),
                "entries": len(document.entries),
            }
        case ResultDocument():
            name = "Result"
            message = {"session": document.session, "digest": bytes.fromhex(digest_of(document))}
        case EpochDocument():
            name = "Epoch"
            message = {"epoch": document.epoch, "digest": bytes.fromhex(digest_of(document))}
    domain = {"name": "Agon", "version": "1", "chainId": chain_id, "verifyingContract": escrow}
    return {
        "types": {each: _fields(each) for each in ("EIP712Domain", name)},
        "primaryType": name,
        "domain": domain,
        "message": message,
    }


def _fields(name: str) -> list[dict[str, str]]:
    pairs = (each.split(" ") for each in _FIELDS[name])
    return [{"name": field, "type": kind} for field, kind in pairs]
