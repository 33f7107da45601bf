"""What a judge signs."""

from __future__ import annotations

from chain.court import messages
from chain.court.commitment import Court, commitment, reasons_digest, scores_hash
from chain.ethereum import LocalAccount
from judges.node.duty import Told
from judges.node.journal import Sealed, Signed
from judges.node.sheet import Scored
from server.protocol import CommitMessage, RevealMessage


class Hand:
    """With `account`'s key, for one court."""

    def __init__(self, account: LocalAccount, court: Court) -> None:
        self._account = account
        self._court = court

    def sign(self, told: Told, scored: Scored, salt: bytes, ordinal: int) -> Signed:
        """See `judges.node.node.Hand`."""
        case = _case(told.case)
        judge = str(self._account.address)
        digest = scores_hash(scored.flat, reasons_digest(scored.reasons))
        bound = commitment(self._court, case, told.hearing, judge, digest, salt)
        message = messages.Commit(case, told.hearing, bound, ordinal)
        signature = messages.sign(self._account, self._court, message)
        return Signed(digest, bound, bytes.fromhex(signature.removeprefix("0x")))

    def reveals(self, sealed: Sealed) -> bytes:
        """The signature of the message Reveal; always the same."""
        message = messages.Reveal(
            _case(sealed.case), sealed.hearing, sealed.scores_hash, sealed.salt
        )
        return bytes.fromhex(messages.sign(self._account, self._court, message).removeprefix("0x"))


def commit_message(sealed: Sealed) -> CommitMessage:
    return CommitMessage(
        sealed.hearing, _hex(sealed.commitment), sealed.ordinal, _hex(sealed.signature)
    )


def reveal_message(sealed: Sealed, signature: bytes) -> RevealMessage:
    return RevealMessage(
        sealed.hearing,
        [list(line) for line in sealed.scored.scores_milli],
        [list(line) for line in sealed.scored.reasons],
        _hex(sealed.salt),
        _hex(signature),
    )


def _case(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
