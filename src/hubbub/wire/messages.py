"""
The messages of the protocol and their bytes: JSON-RPC 2.0 over WebSocket text frames.

See https://www.jsonrpc.org/specification. A frame holds one message or an array of messages.
Events travel as notifications, a batch of them as one array, joined from the bytes that the
journal encoded once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from ..errors import HubbubError, Invalid, error_from_code
from ..shown import repr_without

__all__ = [
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "UNREADABLE",
    "Ended",
    "ErrorObject",
    "Followed",
    "Incoming",
    "Outgoing",
    "SignInResult",
    "encode",
    "error_object",
    "error_of",
    "events_frame",
    "signal_frame",
]

SUBPROTOCOL = "hubbub.v1"

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603

_EVENT = b'{"jsonrpc":"2.0","method":"event","params":'
_SIGNAL = b'{"jsonrpc":"2.0","method":"signal","params":'

# The errors of a decoder for bytes that it cannot read: invalid JSON, or of another type,
# or not UTF-8, or nested too deeply.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

# An integer of more bits could be read, but not be written in a response.
Id = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)] | str | None


class ErrorData(msgspec.Struct, frozen=True, omit_defaults=True):
    """The details of an error, for programs."""

    code: str = ""
    reason: str | None = None
    retry_after: float | None = None


class ErrorObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """The ``error`` of a response."""

    code: int
    message: str
    data: ErrorData = ErrorData()


class Incoming(msgspec.Struct, frozen=True):
    """Any message, as it is decoded: a request, a notification or a response."""

    jsonrpc: str = ""
    id: Id | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw(b"{}")
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: ErrorObject | msgspec.UnsetType = msgspec.UNSET

    def __repr__(self) -> str:
        return repr_without(self, "params", "result")


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """Any message, as it is encoded; unset fields are left out."""

    id: Id | msgspec.UnsetType = msgspec.UNSET
    method: str | msgspec.UnsetType = msgspec.UNSET
    params: Any = msgspec.UNSET
    result: Any = msgspec.UNSET
    error: ErrorObject | msgspec.UnsetType = msgspec.UNSET
    jsonrpc: str = "2.0"

    def __repr__(self) -> str:
        return repr_without(self, "params", "result")


class SignInResult(msgspec.Struct, frozen=True):
    """
    The result of ``session.sign_in``.

    Args:
        user: the user who signed in.
        token: the access token, for requests and other connections; valid for some minutes.
        journal_id: the id of the journal.
        refresh_token: signs in later; None for a sign-in with an access token, or with a token of
            the application.
        role: the user's role.
        account: the name of the account, if there is one.
    """

    user: msgspec.Raw
    token: str
    journal_id: str
    refresh_token: str | None = None
    role: str = "user"
    account: str | None = None

    def __repr__(self) -> str:
        return repr_without(self, "token", "refresh_token")


class Followed(msgspec.Struct, frozen=True):
    """The result of ``session.follow``: the stream's last seq."""

    head: int


class Ended(msgspec.Struct, frozen=True):
    """The params of the notification ``unfollowed``: the server has ended a follow."""

    stream: str
    error: ErrorObject


encode = msgspec.json.Encoder().encode


def events_frame(bodies: Sequence[bytes]) -> bytes:
    """Encode a batch of events as one array of notifications."""
    return b"[" + _EVENT + (b"}," + _EVENT).join(bodies) + b"}]"


def signal_frame(body: bytes) -> bytes:
    """Encode a signal as a notification."""
    return _SIGNAL + body + b"}"


def error_object(error: Exception) -> ErrorObject:
    """Return an error for the other end; any other than a HubbubError only as internal."""
    if not isinstance(error, HubbubError):
        return ErrorObject(
            INTERNAL_ERROR, "The server failed; this is not an error of your request."
        )
    data = ErrorData(error.code, error.reason, error.retry_after)
    # An application's error may contain half a surrogate pair, which UTF-8 cannot encode.
    shown = error.message.encode(errors="replace").decode()
    return ErrorObject(error.rpc_code, shown, data)


def error_of(shown: ErrorObject) -> HubbubError:
    """Return the error that the other end sent."""
    data = shown.data
    if not data.code:
        return Invalid(shown.message)
    return error_from_code(
        data.code, shown.message, reason=data.reason, retry_after=data.retry_after
    )
