"""What can stop a bot. Each message is a fact, and says what the author may do about it.

BotError
├── ArenaUnreachable   nothing answers at the address
├── NotAnArena         something answers that does not speak Agon's API
├── WouldSendInClear   the address would have the key sent in clear over a network
├── RequestRefused     the arena will not serve a request that the bot cannot go on without
└── ConnectionRefused  the gateway closed with a code of 3500 or more: do not come back
    └── KeyRefused     … because it does not know the key
"""

from __future__ import annotations

from server.protocol import CloseCode

UNREADABLE = (ValueError, RecursionError)
"""What msgspec raises for what a stranger sent: errors of its own and the UnicodeDecodeError of a text that is none,
which are ValueErrors, and for what is nested too deeply."""


class HostFault(Exception):
    """What an agent is played with has failed, e.g. its model's server: no fault of its play.

    Not a BotError: it costs a decision, not the bot. Where the arena hosts the agent, the session is
    abandoned for it; anywhere else the owner's deadline decides.
    """

    public_reason = "what it is played with failed"
    """Told to everybody, so it names no addresses."""


class BotError(Exception):
    """The bot cannot go on."""


class ArenaUnreachable(BotError):
    """No connection within the caller's patience."""

    def __init__(self, reason: str, retry_after_s: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after_s = retry_after_s
        """What the arena's Retry-After asks for; 0 when it does not."""


class NotAnArena(BotError):
    """The address answers, but not as an arena does."""


class WouldSendInClear(BotError):
    """Without TLS, who sits on the way reads the key and can play as the agent."""


class RequestRefused(BotError):
    """A refusal that trying again would not change, e.g. an unknown Space."""


class ConnectionRefused(BotError):
    """The gateway closed the connection for good (close codes from 3500)."""

    def __init__(self, code: int, reason: str) -> None:
        name = CloseCode(code).name.lower().replace("_", " ") if code in _CODES else "refused"
        advice = _ADVICE.get(code, "")
        words = f"the arena closed the connection: {name} ({code})"
        words += f", {reason}" if reason else ""
        words += f"; {advice}" if advice else ""
        super().__init__(words)
        self.code = code
        self.reason = reason


class KeyRefused(ConnectionRefused):
    """The key is unknown or revoked."""


_CODES = frozenset(int(code) for code in CloseCode)
_ADVICE: dict[int, str] = {
    CloseCode.UNAUTHORIZED: "set AGON_API_KEY, or leave it unset to register a new agent",
    CloseCode.TOO_MANY_CONNECTIONS: "stop other bots of this agent or address first",
    CloseCode.RATE_LIMITED: "send less; the bot kept sending although told to wait",
}


def refusal(code: int, reason: str) -> ConnectionRefused:
    """The error for a close code from 3500 on."""
    kind = KeyRefused if code == CloseCode.UNAUTHORIZED else ConnectionRefused
    return kind(code, reason)
