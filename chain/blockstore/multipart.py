"""multipart/form-data, as a stream: the parts of a request, however its pieces are cut. Pure.

Strict where it matters: every boundary stands on a line of its own, headers are bounded, and what is cut off is an error.

RFC 7578, RFC 2046 section 5.1
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email.message import Message

MAX_HEADERS = 8 * 1024
"""Bytes of the headers of a part."""
MAX_BOUNDARY = 70
_BOUNDARY = re.compile(rb"[0-9A-Za-z'()+_,./:=? -]{0,69}[0-9A-Za-z'()+_,./:=?-]")


class BadForm(ValueError):
    """Not a form, or one that is cut off."""


class PartBegins:
    """What follows, up to the next of these, is of this part."""

    def __init__(self, name: str, media_type: str) -> None:
        self.name = name
        """The file's, as its sender calls it; may be empty."""
        self.media_type = media_type


_State = Callable[[], "PartBegins | bytes | None"]


def boundary_of(content_type: str) -> bytes:
    """Of a request's header. Raises BadForm."""
    message = Message()
    message["Content-Type"] = content_type[: 4 * MAX_BOUNDARY]
    found = message.get_boundary()
    if message.get_content_maintype() != "multipart" or not found:
        raise BadForm("expected a body of multipart/form-data with its boundary")
    boundary = found.encode("utf-8", "replace")
    if not _BOUNDARY.fullmatch(boundary):
        raise BadForm("a boundary of other than 1 to 70 of its letters")
    return boundary


class FormReader:
    """Takes the body in pieces of any sizes; `feed` gives what is new, `close` checks that nothing is missing."""

    def __init__(self, boundary: bytes) -> None:
        # The first boundary has no line before it: pretend there was one.
        self._held = bytearray(b"\r\n")
        self._mark = b"\r\n--" + boundary
        self._state: _State = self._before

    def feed(self, piece: bytes) -> Iterator[PartBegins | bytes]:
        """To be exhausted before the next piece is fed. Raises BadForm; the reader is of no use then."""
        self._held += piece
        while True:
            before, length = self._state, len(self._held)
            found = self._state()
            if found is not None:
                yield found
            if self._state == before and len(self._held) == length:
                return

    def close(self) -> None:
        """No more comes. Raises BadForm."""
        if self._state != self._after:
            raise BadForm("the form is cut off")

    def _before(self) -> None:
        """What stands before the first part is of no meaning; nobody sends any."""
        if len(self._held) >= len(self._mark):
            if not self._held.startswith(self._mark):
                raise BadForm("the form does not begin with its boundary")
            del self._held[: len(self._mark)]
            self._state = self._behind_mark

    def _behind_mark(self) -> None:
        if len(self._held) < 2:
            return
        two = bytes(self._held[:2])
        del self._held[:2]
        if two == b"--":
            self._state = self._after
        elif two == b"\r\n":
            self._state = self._headers
        else:
            raise BadForm("a boundary that does not end its line")

    def _headers(self) -> PartBegins | None:
        end = self._held.find(b"\r\n\r\n")
        if end < 0 and self._held[:2] != b"\r\n":
            if len(self._held) > MAX_HEADERS:
                raise BadForm(f"the headers of a part are longer than {MAX_HEADERS} bytes")
            return None
        raw = b"" if self._held[:2] == b"\r\n" else bytes(self._held[:end])
        if len(raw) > MAX_HEADERS:
            raise BadForm(f"the headers of a part are longer than {MAX_HEADERS} bytes")
        del self._held[: len(raw) + 4 if raw else 2]
        self._state = self._body
        return _part(raw)

    def _body(self) -> bytes | None:
        at = self._held.find(self._mark)
        if at >= 0:
            piece = bytes(self._held[:at])
            del self._held[: at + len(self._mark)]
            self._state = self._behind_mark
            return piece or None
        sure = len(self._held) - len(self._mark)  # the rest may be the beginning of a boundary
        if sure <= 0:
            return None
        piece = bytes(self._held[:sure])
        del self._held[:sure]
        return piece

    def _after(self) -> None:
        """What stands behind the last part is of no meaning."""
        self._held.clear()


def _part(headers: bytes) -> PartBegins:
    message = Message()
    for line in headers.decode("utf-8", "replace").split("\r\n"):
        name, separator, value = line.partition(":")
        if separator and name.lower() in ("content-disposition", "content-type"):
            message[name] = value.strip()
    return PartBegins(message.get_filename() or "", message.get_content_type())
