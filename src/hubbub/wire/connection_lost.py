"""When a connection is lost, and when a refusal is only temporary. Pure."""

from __future__ import annotations

from ..errors import Closed, HubbubError, Overloaded, RateLimited

__all__ = ["PROTOCOL_ERROR", "TRY_AGAIN_LATER", "ConnectionLost", "is_passing"]

PROTOCOL_ERROR = 1002
TRY_AGAIN_LATER = 1013

# The longest retry_after, in seconds, that the client waits for by itself: such a short refusal
# is about the connection, and not about the request.
PASSING_SECONDS_MAX = 1.0


class ConnectionLost(Exception):
    """
    The connection is lost.

    Args:
        code: the code of RFC 6455, section 7.4; 1006 if the other end sent none.
        reason: a text for people; with advice it is the rest of a sentence that begins with the
            server's address.
        advice: a sentence that says what to do, if that is known.
        final: whether a first connection would fail again in the same way.
    """

    def __init__(self, code: int, reason: str, advice: str = "", *, final: bool = False) -> None:
        super().__init__(f"{reason} ({code})")
        self.code = code
        self.reason = reason
        self.advice = advice
        self.final = final


def is_passing(error: HubbubError) -> bool:
    """Return whether a refusal is only temporary, and not about the request."""
    if isinstance(error, RateLimited):
        return error.retry_after is not None and error.retry_after <= PASSING_SECONDS_MAX
    return isinstance(error, Closed | Overloaded)
