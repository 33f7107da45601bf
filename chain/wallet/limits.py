"""What the escrow may take of an owner for sessions: set by a call, or signed for somebody else to bring."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from chain.client import signing
from chain.client.escrow import Limits
from chain.documents.form import Address
from chain.ethereum import Account, LocalAccount, encode_typed_data
from chain.wallet.amounts import shown_usdc
from chain.wallet.hands import Hands
from chain.wallet.refusals import FlowRefused
from chain.wallet.sent import Done
from chain.wallet.words import due

LONGEST_S = 10 * 366 * 86_400
MAX_U64 = 2**64 - 1


class LimitsSet(msgspec.Struct, frozen=True):
    owner: str
    limits: Limits
    tx: Done


class SignedLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """For whoever brings it: it says all that the escrow takes."""

    v: Literal["agon-signed-limits/1"] = "agon-signed-limits/1"
    chain_id: int
    escrow: Address
    owner: Address
    limits: Limits
    signature: str
    """EIP-712, hex with 0x: 65 bytes r, s, v."""


def wanted(
    max_entry: int, daily_cap: int, lasts_s: int, *, now_s: int, now_ms: int, standing: int = 0
) -> Limits:
    """Limits above those of the nonce `standing`. Nonces are unix milliseconds, so that newer ones are higher whoever made
    them. Raises FlowRefused."""
    if max_entry > daily_cap:
        raise FlowRefused(
            f"--max-entry {shown_usdc(max_entry)} is above --daily-cap {shown_usdc(daily_cap)}: no session could take so much"
        )
    if not 0 < lasts_s <= LONGEST_S:
        raise FlowRefused("--expires: limits last ten years at most")
    nonce = max(now_ms, standing + 1)
    if nonce > MAX_U64:
        raise FlowRefused("limits of the highest nonce are set: they can never be changed")
    return Limits(max_entry, daily_cap, now_s + lasts_s, nonce)


async def set_limits(
    hands: Hands, max_entry: int, daily_cap: int, lasts_s: int, *, now_ms: int
) -> LimitsSet:
    """Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    done = await hands.sender.earlier()
    if done is None:
        standing = (await escrow.limits(hands.address)).nonce
        limits = wanted(
            max_entry,
            daily_cap,
            lasts_s,
            now_s=await hands.now_s(),
            now_ms=now_ms,
            standing=standing,
        )
        done = await hands.sender.send("limits", escrow.set_limits(limits))
    return LimitsSet(hands.address, await escrow.limits(hands.address), done)


async def revoke(hands: Hands, *, now_ms: int) -> LimitsSet:
    """Zero caps, above every nonce that the clock has ever given. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    done = await hands.sender.earlier()
    if done is None:
        standing = (await escrow.limits(hands.address)).nonce
        none = Limits(0, 0, 0, max(now_ms, standing + 1))
        done = await hands.sender.send("revoking limits", escrow.set_limits(none))
    return LimitsSet(hands.address, await escrow.limits(hands.address), done)


def sign(account: LocalAccount, chain_id: int, escrow: str, limits: Limits) -> SignedLimits:
    """Needs no node. Good until limits of its nonce or a higher one are set."""
    signature = signing.limits(account, chain_id, escrow, limits)
    return SignedLimits(
        chain_id=chain_id,
        escrow=escrow,
        owner=str(account.address),
        limits=limits,
        signature="0x" + signature.hex(),
    )


def read(text: bytes) -> SignedLimits:
    """Raises FlowRefused for what is none, and for a signature that is not the owner's."""
    try:
        signed = msgspec.json.decode(text, type=SignedLimits)
        recovered = Account.recover_message(
            encode_typed_data(full_message=typed(signed)), signature=signed.signature
        )
    except msgspec.DecodeError as error:
        raise FlowRefused(f"these are no signed limits: {error}") from None
    except Exception:  # whatever eth-keys raises on what is no signature
        recovered = ""
    if recovered.lower() != signed.owner.lower():
        raise FlowRefused(f"these limits are not signed by {signed.owner}")
    return signed


def typed(signed: SignedLimits) -> dict[str, Any]:
    """As any wallet shows and signs it (`eth_signTypedData_v4`)."""
    return signing.limits_to_sign(signed.chain_id, signed.escrow, signed.owner, signed.limits)


async def bring(hands: Hands, signed: SignedLimits) -> LimitsSet:
    """Anybody's, with one's own gas. Raises FlowRefused, NoContract, OSError."""
    escrow = hands.contracts.escrow
    if (signed.chain_id, signed.escrow.lower()) != (
        hands.contracts.chain_id,
        escrow.address.lower(),
    ):
        raise FlowRefused(
            f"these limits are for the escrow {signed.escrow} on chain {signed.chain_id}, not for {escrow.address} on chain"
            f" {hands.contracts.chain_id}"
        )
    done = await hands.sender.earlier()
    if done is None:
        signature = bytes.fromhex(signed.signature[2:])
        invocation = escrow.set_limits_by_signature(signed.owner, signed.limits, signature)
        done = await hands.sender.send(f"limits of {signed.owner}", invocation)
    return LimitsSet(signed.owner, await escrow.limits(signed.owner), done)


def in_words(limits: Limits, now_s: int, spent_today: int = 0) -> str:
    """What they mean now."""
    if limits.nonce == 0:
        return "none set: nothing is taken for sessions (`agon wallet limits --max-entry 5 --daily-cap 50`)"
    if limits.max_entry == 0 or limits.daily_cap == 0:
        return "revoked: nothing is taken for sessions"
    if now_s > limits.expires:
        return "expired: nothing is taken for sessions until new ones are set"
    return (
        f"at most {shown_usdc(limits.max_entry)} a session and {shown_usdc(limits.daily_cap)} a UTC day "
        f"({shown_usdc(spent_today)} taken today), until {due(limits.expires, now_s)}"
    )
