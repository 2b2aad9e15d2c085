"""
A client's memory, so that a lost connection costs it nothing. No I/O.

A request stays in memory until it has a response. On a new connection the client signs in,
follows its streams after the last event that it has, and repeats its requests in their order, as
the same bytes: a command has a key, or is the same when executed twice. Commands wait until the
sign-in has shown that this is still the same journal.

A refusal may be only temporary: the server is closing, or its queue is full. If the request may
have been executed on an earlier connection, such a refusal does not answer it: the client
reconnects a little later and repeats it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from copy import copy
from functools import partial

import msgspec

from ..errors import Closed, Conflict, HubbubError, Invalid, Overloaded, RateLimited, StorageError
from .connection_lost import PROTOCOL_ERROR, TRY_AGAIN_LATER, ConnectionLost, is_passing
from .follow import Done, FollowedStream, read_head, read_stream
from .follower import RemoteFollower
from .messages import INTERNAL_ERROR, UNREADABLE, Ended, SignInResult, error_of
from .peer import Malformed, Notification, Peer, Response

__all__ = ["PendingRequest", "Resumption"]

# Requests that are sent and have no response yet; a server takes 256 at a time.
REQUESTS_SENT_MAX = 200

_NULL = msgspec.Raw(b"null")

_read_signed_in = msgspec.json.Decoder(SignInResult).decode
_read_ended = msgspec.json.Decoder(Ended).decode

# The errors of an encoder for values that are no JSON, or are nested too deeply.
ENCODING_ERRORS = (TypeError, ValueError, OverflowError, RecursionError, msgspec.MsgspecError)


class PendingRequest:
    """A request to the server, and the function that takes its response."""

    __slots__ = ("done", "frame", "kept", "repeated", "sent")

    def __init__(self, frame: bytes, done: Done, *, kept: bool) -> None:
        self.frame = frame
        self.done = done
        # Whether it is repeated on the next connection.
        self.kept = kept
        self.sent = False
        self.repeated = False


class Resumption:
    """
    A client's side of the protocol, over any number of connections.

    Args:
        wake: called when there is something to send.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        # The newest result of a sign-in.
        self.signed_in: SignInResult | None = None
        # The reason why no more requests are possible.
        self.error: HubbubError | None = None
        self._wake = wake
        self._peer = Peer(asks=True)
        self._requests: dict[int, PendingRequest] = {}
        self._follows: dict[str, FollowedStream] = {}
        # For this connection: frames to send, and requests without a response.
        self._queue: deque[tuple[int, PendingRequest]] = deque()
        self._open: dict[int, PendingRequest] = {}
        self._notes: list[bytes] = []
        self._is_connected = False
        self._is_signed_in = False

    @property
    def is_signed_in(self) -> bool:
        """True if this connection has signed in."""
        return self._is_signed_in

    def connected(self, sign_in: dict[str, object]) -> None:
        """
        Begin a connection.

        Args:
            sign_in: the params of ``session.sign_in``.
        """
        self._is_connected = True
        self._ask_once("session.sign_in", sign_in, self._signed_in)
        for follow in list(self._follows.values()):
            follow.connected()

    def disconnected(self, *, too_big: bool = False) -> None:
        """
        End a connection.

        Args:
            too_big: True if the server has closed it because it could not read a frame.
        """
        if too_big and self._open:
            self.refuse_largest(Invalid("The request is too large for the server; send less."))
        self._is_connected = self._is_signed_in = False
        self._queue.clear()
        self._open.clear()
        self._notes.clear()
        for request in self._requests.values():
            request.repeated = request.sent
        for follow in self._follows.values():
            follow.disconnected()

    def ask(self, method: str, params: object, done: Done) -> int:
        """
        Send a request; ``done`` is called with its response, once.

        Returns:
            The number of the request.

        Raises:
            Invalid: the params cannot be encoded as JSON.
            HubbubError: the session has ended.
        """
        self._check_open()
        try:
            number, frame = self._peer.ask(method, params)
        except ENCODING_ERRORS as error:
            raise Invalid(f"The arguments of {method} cannot be encoded: {error}.") from error
        request = self._requests[number] = PendingRequest(frame, done, kept=True)
        if self._is_signed_in:
            self._put(number, request)
        return number

    def forget(self, number: int) -> None:
        """Abandon a request, which may be executed."""
        if self._requests.pop(number, None) is not None and number in self._open:
            # The server need not continue with it, if it can still cancel it.
            self._notes.append(self._peer.tell("session.cancel", {"id": number}))
            self._wake()

    def follow(self, stream: str, after: int | None, wake: Callable[[], None]) -> RemoteFollower:
        """
        Follow a stream; ``wake`` is called when the follower is accepted or refused.

        Raises:
            HubbubError: the session has ended.
        """
        self._check_open()
        if (follow := self._follows.get(stream)) is None:
            idle = partial(self._follows.pop, stream, None)
            follow = FollowedStream(stream, self._ask_once, idle, connected=self._is_connected)
            self._follows[stream] = follow
        return follow.join(after, wake)

    def outgoing(self) -> list[bytes]:
        """Return the frames to send now, in order."""
        frames = []
        while self._queue and len(self._open) < REQUESTS_SENT_MAX:
            number, request = self._queue.popleft()
            if request.kept and number not in self._requests:
                continue
            request.sent = True
            self._open[number] = request
            frames.append(request.frame)
        notes, self._notes = self._notes, []
        return frames + notes

    def receive(self, payload: bytes | str) -> None:
        """
        Handle a frame.

        Raises:
            ConnectionLost: the connection is lost; reconnect.
            HubbubError: the sign-in was refused.
        """
        try:
            for message in self._peer.receive(payload):
                match message:
                    case Notification("event", params):
                        head = read_head(params)
                        if (follow := self._follows.get(head.stream)) is not None:
                            follow.receive(head.seq, params)
                    case Notification("signal", params):
                        stream = read_stream(params).stream
                        if (follow := self._follows.get(stream)) is not None:
                            follow.signal(params)
                    case Response():
                        self._response_arrived(message)
                    case Notification("unfollowed", params):
                        self._unfollowed(_read_ended(params))
                    case Malformed():
                        raise ConnectionLost(PROTOCOL_ERROR, "the server sent what is not JSON-RPC")
        except UNREADABLE as error:
            raise ConnectionLost(
                PROTOCOL_ERROR, f"the server sent an invalid message: {error}"
            ) from error

    def fail(self, error: HubbubError) -> None:
        """End the session: waiting calls get the error, and so do later ones."""
        self.error = error
        self._fail_all(error)

    def refuse_largest(self, error: HubbubError) -> None:
        """
        Fail the largest waiting request, because the server could not read one.

        The server does not know the number of a frame that is too large; but if one of them is,
        the largest is.
        """
        if not self._open:
            raise ConnectionLost(PROTOCOL_ERROR, error.message)
        number = max(self._open, key=lambda n: len(self._open[n].frame))
        self._done(number, self._open.pop(number), _NULL, error)

    def _check_open(self) -> None:
        if self.error is not None:
            raise copy(self.error)

    def _ask_once(self, method: str, params: object, done: Done) -> None:
        number, frame = self._peer.ask(method, params)
        self._put(number, PendingRequest(frame, done, kept=False))

    def _put(self, number: int, request: PendingRequest) -> None:
        self._queue.append((number, request))
        self._wake()

    def _response_arrived(self, response: Response) -> None:
        error = None if response.error is None else error_of(response.error)
        if response.id is None:
            self.refuse_largest(error or Invalid("The server could not read a request; send less."))
            return
        assert isinstance(response.id, int)
        request = self._open.pop(response.id, None)
        if self._queue:
            self._wake()
        if request is None:
            return
        if error is not None and _is_no_answer(request, error):
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        if error is not None and not self._is_signed_in and _has_failed(response):
            # It is not about the user: perhaps a service that the server needs did not answer.
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        result = _NULL if response.result is None else response.result
        self._done(response.id, request, result, error)

    def _done(
        self, number: int, request: PendingRequest, result: msgspec.Raw, error: HubbubError | None
    ) -> None:
        if not request.kept or self._requests.pop(number, None) is not None:
            request.done(result, error)

    def _signed_in(self, result: msgspec.Raw, error: HubbubError | None) -> None:
        if isinstance(error, Overloaded | RateLimited | StorageError):
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        if error is not None:
            raise error
        before, self.signed_in = self.signed_in, _read_signed_in(result)
        if before is not None and before.journal_id != self.signed_in.journal_id:
            text = "The history was reset: this is another journal. Follow its streams from 0."
            self._fail_all(Conflict(text))
        self._is_signed_in = True
        for number, request in self._requests.items():
            self._put(number, request)

    def _unfollowed(self, ended: Ended) -> None:
        error = error_of(ended.error)
        if isinstance(error, Closed):
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        if (follow := self._follows.get(ended.stream)) is not None:
            follow.ended(error)

    def _fail_all(self, error: HubbubError) -> None:
        for follow in list(self._follows.values()):
            follow.fail(error)
        requests, self._requests = self._requests, {}
        for request in requests.values():
            # A copy: an exception that several tasks raise would collect all their tracebacks.
            request.done(_NULL, copy(error))


def _has_failed(response: Response) -> bool:
    return response.error is not None and response.error.code == INTERNAL_ERROR


def _is_no_answer(request: PendingRequest, error: HubbubError) -> bool:
    if isinstance(error, Closed):
        # The server is closing, and has not executed it.
        return True
    return request.kept and request.repeated and is_passing(error)
