"""
One end of a connection, either end: frames in, messages and frames out. No I/O.

A peer that sends requests gives each the next number and remembers nothing else; a peer that
responds can do so in any order. The requests of an array get one array of responses, once the last
of them has its response.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from ..errors import Invalid, NotFound
from ..shown import repr_without
from .messages import (
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNREADABLE,
    ErrorData,
    ErrorObject,
    Id,
    Incoming,
    Outgoing,
    encode,
    error_object,
)

P = TypeVar("P")

__all__ = ["Malformed", "Notification", "Peer", "Request", "Response"]

# Requests in one array.
BATCH_REQUESTS_MAX = 100
# Bytes of the responses to one array that are kept until all of them are there; larger
# responses are sent as several arrays.
BATCH_BYTES_MAX = 1024 * 1024
# The longest id of a request, if it is a string.
ID_CHARS_MAX = 100

_decode = msgspec.json.Decoder(Incoming).decode
_OBJECT = (b"{", "{")
_ARRAY = (b"[", "[")

_decode_array = msgspec.json.Decoder(list[msgspec.Raw]).decode


class Request(msgspec.Struct, eq=False):
    """The other end's request. Without an id it is a notification, and gets no response."""

    id: Id | msgspec.UnsetType
    method: str
    params: msgspec.Raw
    batch: _Batch | None

    def __repr__(self) -> str:
        return repr_without(self, "params")


class Response(msgspec.Struct, frozen=True):
    """The other end's response: exactly one of result and error is set."""

    id: Id
    result: msgspec.Raw | None
    error: ErrorObject | None


class Notification(msgspec.Struct, frozen=True):
    """The other end's notification."""

    method: str
    params: msgspec.Raw


class Malformed(msgspec.Struct, frozen=True):
    """An invalid message; the frame is the response to it, if not None."""

    frame: bytes | None


IncomingMessage = Request | Response | Notification | Malformed


class _Batch:
    """The responses to the requests of one array, until all of them are there."""

    __slots__ = ("answers", "open", "size")

    def __init__(self) -> None:
        self.answers: list[bytes] = []
        self.open = 0
        self.size = 0

    def add(self, answer: bytes) -> bytes | None:
        self.answers.append(answer)
        self.open -= 1
        self.size += len(answer)
        return None if self.open and self.size < BATCH_BYTES_MAX else self.frame()

    def frame(self) -> bytes:
        answers, self.answers, self.size = self.answers, [], 0
        return b"[" + b",".join(answers) + b"]"


class Peer:
    """
    One end of a connection.

    Args:
        asks: True for an end that only sends requests (a client): an incoming message
            with a method is then a notification, not a request.
    """

    __slots__ = ("_asks", "_last_id")

    def __init__(self, *, asks: bool) -> None:
        self._asks = asks
        self._last_id = 0

    def receive(self, payload: bytes | str) -> Iterable[IncomingMessage]:
        """Decode one frame into its messages, in order."""
        # Most frames are an object, and begin with it.
        if payload[:1] not in _OBJECT and payload.lstrip()[:1] in _ARRAY:
            return self._receive_array(payload)
        return (self._read(payload, None),)

    def ask(self, method: str, params: object) -> tuple[int, bytes]:
        """Encode a request; return its number and its frame."""
        self._last_id += 1
        return self._last_id, encode(Outgoing(id=self._last_id, method=method, params=params))

    def answer(self, request: Request, result: object) -> bytes | None:
        """Encode the response to a request: a frame, or None if there is none to send yet."""
        if request.id is msgspec.UNSET:
            return None
        answer = encode(Outgoing(id=request.id, result=result))
        return answer if request.batch is None else request.batch.add(answer)

    def refuse(self, request: Request, error: Exception) -> bytes | None:
        """Encode an error as the response to a request; see :meth:`answer`."""
        if request.id is msgspec.UNSET:
            return None
        shown = error_object(error)
        if isinstance(error, UnknownMethod):
            shown = ErrorObject(METHOD_NOT_FOUND, shown.message, shown.data)
        answer = encode(Outgoing(id=request.id, error=shown))
        return answer if request.batch is None else request.batch.add(answer)

    def tell(self, method: str, params: object) -> bytes:
        """Encode a notification."""
        return encode(Outgoing(method=method, params=params))

    def oversize(self, limit: int) -> bytes:
        """Encode the response to a frame that is too large to read."""
        return _malformed(INVALID_REQUEST, f"The frame is larger than {limit} bytes; send less.")

    def _receive_array(self, payload: bytes | str) -> Iterator[IncomingMessage]:
        try:
            items = _decode_array(payload)
        except UNREADABLE as error:
            yield Malformed(_malformed(PARSE_ERROR, f"The frame is not JSON: {error}."))
            return
        if self._asks:
            yield from (self._read(item, None) for item in items)
        elif not 1 <= len(items) <= BATCH_REQUESTS_MAX:
            text = f"An array must have 1 to {BATCH_REQUESTS_MAX} requests, not {len(items)}."
            yield Malformed(_malformed(INVALID_REQUEST, text))
        else:
            yield from self._receive_requests(items)

    def _receive_requests(self, items: list[msgspec.Raw]) -> Iterator[IncomingMessage]:
        batch = _Batch()
        messages = [self._read(item, batch) for item in items]
        for message in messages:
            if isinstance(message, Malformed) and message.frame is not None:
                batch.answers.append(message.frame)
            elif isinstance(message, Request) and message.id is not msgspec.UNSET:
                batch.open += 1
        if not batch.open and batch.answers:
            yield Malformed(batch.frame())
        yield from (message for message in messages if isinstance(message, Request))

    def _read(self, payload: bytes | str | msgspec.Raw, batch: _Batch | None) -> IncomingMessage:
        try:
            message = _decode(payload)
        except msgspec.ValidationError as error:
            return Malformed(
                _malformed(INVALID_REQUEST, f"This is not a JSON-RPC request: {error}.")
            )
        except UNREADABLE as error:
            return Malformed(_malformed(PARSE_ERROR, f"The frame is not JSON: {error}."))
        number, method = message.id, message.method
        if message.jsonrpc != "2.0":
            return Malformed(_malformed(INVALID_REQUEST, 'A message must have "jsonrpc": "2.0".'))
        if self._asks:
            return self._read_answer(message)
        if method is msgspec.UNSET:
            return Malformed(_malformed(INVALID_REQUEST, "A request must have a method."))
        if isinstance(number, str) and len(number) > ID_CHARS_MAX:
            text = f"An id must be a 64-bit number, or a string of up to {ID_CHARS_MAX} characters."
            return Malformed(_malformed(INVALID_REQUEST, text))
        return Request(number, method, message.params, batch)

    def _read_answer(self, message: Incoming) -> IncomingMessage:
        if isinstance(message.method, str):
            return Notification(message.method, message.params)
        result = None if message.result is msgspec.UNSET else message.result
        error = None if message.error is msgspec.UNSET else message.error
        if message.id is msgspec.UNSET or (result is None) == (error is None):
            return Malformed(None)
        return Response(message.id, result, error)


class UnknownMethod(NotFound):
    """The method does not exist."""


def decode_params(request: Request, decoder: msgspec.json.Decoder[P]) -> P:
    """
    Decode the arguments of a request.

    Raises:
        Invalid: they do not fit the method.
    """
    try:
        return decoder.decode(request.params)
    except UNREADABLE as error:
        raise Invalid(f"The params of {request.method} are invalid: {error}.") from error


def _malformed(code: int, message: str) -> bytes:
    data = ErrorData(Invalid.code)
    return encode(Outgoing(id=None, error=ErrorObject(code, message, data)))
