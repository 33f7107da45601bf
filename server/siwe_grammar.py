"""The pieces of an EIP-4361 message, each read by the rule that its ABNF names (RFC 3986, RFC 3339). Pure.

Every reader takes the whole text of its piece and raises ValueError where the rule does not give it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from ipaddress import AddressValueError, IPv6Address

from eth_utils.address import to_checksum_address

PREAMBLE = " wants you to sign in with your Ethereum account:"
_UNRESERVED = r"A-Za-z0-9\-._~"
_SUB_DELIMS = r"!$&'()*+,;="
_PERCENT = r"%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[{_UNRESERVED}{_SUB_DELIMS}:@]|{_PERCENT})"
_SCHEME_TEXT = r"[A-Za-z][A-Za-z0-9+.\-]*"
_SCHEME = re.compile(_SCHEME_TEXT)
_AUTHORITY = re.compile(
    rf"(?:\[([0-9A-Fa-f:.]+)\]|(?:[{_UNRESERVED}{_SUB_DELIMS}]|{_PERCENT})+)(?::([0-9]{{1,5}}))?"
)
_URI = re.compile(
    rf"{_SCHEME_TEXT}:"
    rf"(?://(?P<authority>[^/?#]*)(?:/{_PCHAR}*)*|/(?:{_PCHAR}+(?:/{_PCHAR}*)*)?|{_PCHAR}+(?:/{_PCHAR}*)*|)"
    rf"(?:\?(?:{_PCHAR}|[/?])*)?(?:\#(?:{_PCHAR}|[/?])*)?"
)
_STATEMENT = re.compile(rf"[{_UNRESERVED}{_SUB_DELIMS}:/?#\[\]@ ]+")
_ADDRESS = re.compile("0x[0-9A-Fa-f]{40}")
_CHAIN_ID = re.compile("[1-9][0-9]{0,17}")
_NONCE = re.compile("[A-Za-z0-9]{8,128}")
_REQUEST_ID = re.compile(rf"{_PCHAR}*")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt]([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:[Zz]|([+-])([0-9]{2}):([0-9]{2}))"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
A_TIME = "an RFC 3339 time, e.g. 2026-11-27T05:00:00Z"


def unix_ms_of(text: str) -> int:
    """Of an RFC 3339 time, rounded down."""
    match = _TIME.fullmatch(text)
    if match is None:
        raise ValueError(text)
    *calendar, fraction, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, calendar)
    at = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if int(hours or 0) > 23 or int(minutes or 0) > 59:
        raise ValueError(text)
    offset_min = int(hours or 0) * 60 + int(minutes or 0)
    seconds = (at - _EPOCH) // timedelta(seconds=1) - offset_min * (-60 if sign == "-" else 60)
    return seconds * 1_000 + int((fraction or "").ljust(3, "0")[:3])


def authority_of(text: str) -> str:
    """Returns `text`, an RFC 3986 authority without user info."""
    match = _AUTHORITY.fullmatch(text)
    if match is None or int(match[2] or 0) > 65_535:
        raise ValueError(text)
    if match[1] is not None:
        try:
            IPv6Address(match[1])
        except AddressValueError:
            raise ValueError(text) from None
    return text


def uri_of(text: str) -> str:
    """Returns `text`, an RFC 3986 URI (with a scheme)."""
    match = _URI.fullmatch(text)
    if match is None:
        raise ValueError(text)
    if match["authority"]:
        authority_of(match["authority"])
    return text


def time_of(text: str) -> str:
    """Returns `text`, an RFC 3339 time."""
    unix_ms_of(text)
    return text


def origin_of(line: str) -> tuple[str | None, str]:
    if not line.endswith(PREAMBLE):
        raise ValueError(line)
    scheme, separator, domain = line.removesuffix(PREAMBLE).rpartition("://")
    return (_matching(_SCHEME, scheme) if separator else None), authority_of(domain)


def address_of(line: str) -> str:
    _matching(_ADDRESS, line)
    if to_checksum_address(line) != line:
        raise ValueError(line)
    return line


def empty(line: str) -> None:
    if line:
        raise ValueError(line)


def statement_of(line: str) -> str | None:
    return _matching(_STATEMENT, line) if line else None


def version_of(text: str) -> None:
    if text != "1":
        raise ValueError(text)


def chain_id_of(text: str) -> int:
    return int(_matching(_CHAIN_ID, text))


def nonce_of(text: str) -> str:
    return _matching(_NONCE, text)


def request_id_of(text: str) -> str:
    return _matching(_REQUEST_ID, text)


def _matching(pattern: re.Pattern[str], text: str) -> str:
    if pattern.fullmatch(text) is None:
        raise ValueError(text)
    return text
