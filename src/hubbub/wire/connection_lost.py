"""When a connection is of no use any more, and when a refusal is no answer. Pure."""

from __future__ import annotations

from ..errors import Closed, HubbubError, Overloaded, RateLimited

__all__ = ["PROTOCOL_ERROR", "TRY_AGAIN_LATER", "ConnectionLost", "is_passing"]

PROTOCOL_ERROR = 1002
TRY_AGAIN_LATER = 1013

# The longest retry_after, in seconds, that the client waits for by itself: so short a refusal is
# of the connection, and says nothing about the request.
PASSING_SECONDS_MAX = 1.0


class ConnectionLost(Exception):
    """
    The connection is of no use any more.

    Args:
        code: of RFC 6455, section 7.4; 1006 if the other end did not say anything.
        reason: for people; with advice it is the rest of a sentence that begins with the
            server's address.
        advice: what a person can do about it, if that is known.
        final: whether a first connection would fail again in the same way.
    """

    def __init__(self, code: int, reason: str, advice: str = "", *, final: bool = False) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason
        self.advice = advice
        self.final = final


def is_passing(error: HubbubError) -> bool:
    """Tell whether a refusal is of this moment only, not of what was asked."""
    if isinstance(error, RateLimited):
        return error.retry_after is not None and error.retry_after <= PASSING_SECONDS_MAX
    return isinstance(error, Closed | Overloaded)
