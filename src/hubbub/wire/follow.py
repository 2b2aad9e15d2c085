"""
A stream that a client follows. No I/O.

The server sends a stream once to a connection, however many followers it has here. A follower
whose buffer is full misses events; it is *behind* then, and as soon as there is room it reads the
stream page by page, until it has caught up. So no follower holds up the others, and when all are
behind the client asks the server to stop sending.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

import msgspec

from ..errors import Conflict, HubbubError
from .connection_lost import PROTOCOL_ERROR, TRY_AGAIN_LATER, ConnectionLost, is_passing
from .follower import RemoteFollower
from .messages import Followed

__all__ = ["Done", "EventHead", "FollowedStream", "read_head", "read_stream"]

PAGE_EVENTS = 100

Done = Callable[[msgspec.Raw, HubbubError | None], None]


class Ask(Protocol):
    """Sends a request on this connection, which is not repeated on the next one."""

    def __call__(self, method: str, params: object, done: Done) -> None: ...


class EventHead(msgspec.Struct, frozen=True):
    """The parts of an event that tell the client where it belongs."""

    stream: str
    seq: int


class StreamHead(msgspec.Struct, frozen=True):
    """The part of a signal that tells the client where it belongs."""

    stream: str


read_stream = msgspec.json.Decoder(StreamHead).decode
read_head = msgspec.json.Decoder(EventHead).decode
_read_followed = msgspec.json.Decoder(Followed).decode
_read_page = msgspec.json.Decoder(list[msgspec.Raw]).decode


class FollowedStream:
    """
    A stream, with all its followers here.

    Args:
        stream: the stream's name.
        ask: sends a request on the connection.
        idle: called when it has no more followers.
        connected: True if there is a connection now.
    """

    def __init__(
        self, stream: str, ask: Ask, idle: Callable[[], object], *, connected: bool
    ) -> None:
        self.stream = stream
        self._ask = ask
        self._idle = idle
        self._followers: dict[RemoteFollower, None] = {}
        # Followers that wait to be accepted; one after another, each with a request of its own.
        self._joining: deque[RemoteFollower] = deque()
        self._reading: set[RemoteFollower] = set()
        self._connected = connected
        self._asking = False
        # The seq of the last received event; None while the server sends none.
        self._position: int | None = None

    def join(self, after: int | None, wake: Callable[[], None]) -> RemoteFollower:
        """Add a follower, which waits to be accepted; ``wake`` notifies it."""
        follower = RemoteFollower(self, after, wake)
        self._joining.append(follower)
        self._settle()
        return follower

    def leave(self, follower: RemoteFollower) -> None:
        """Remove a follower."""
        self._followers.pop(follower, None)
        if follower in self._joining:
            self._joining.remove(follower)
        self._settle()

    def connected(self) -> None:
        """Continue after a reconnection."""
        self._connected = True
        self._settle()
        for follower in self._followers:
            self.catch_up(follower)

    def disconnected(self) -> None:
        """Wait for the next connection."""
        self._connected = self._asking = False
        self._position = None
        self._reading.clear()

    def receive(self, seq: int, body: msgspec.Raw) -> None:
        """
        Handle an event.

        Raises:
            ConnectionLost: it is not the next event.
        """
        if self._position is None:
            # It was in transit when the client stopped the stream.
            return
        if seq != self._position + 1:
            raise ConnectionLost(
                PROTOCOL_ERROR, f"{self.stream} went from {self._position} to {seq}"
            )
        self._position = seq
        encoded, filled = bytes(body), False
        for follower in self._followers:
            if not follower.behind and follower.last == seq - 1:
                follower.put(seq, encoded)
                filled = filled or follower.behind
        if filled:
            self._settle()

    def signal(self, body: msgspec.Raw) -> None:
        """Pass a signal on to the followers."""
        for follower in self._followers:
            if follower.signal is not None:
                follower.signal(bytes(body))

    def ended(self, error: HubbubError) -> None:
        """Handle the end of the stream: the server sends nothing more."""
        self._position = None
        for follower in self._followers:
            follower.fail(error)
        self._followers.clear()
        self._settle()

    def fail(self, error: HubbubError) -> None:
        """End all followers, including waiting ones."""
        waiting = list(self._joining)
        self._joining.clear()
        for follower in waiting:
            follower.fail(error)
        self._unfollow()
        self.ended(error)

    def catch_up(self, follower: RemoteFollower) -> None:
        """Read the events that a follower misses, if it has room."""
        wanted = follower.behind and follower.has_room and follower in self._followers
        if wanted and self._connected and follower not in self._reading:
            self._reading.add(follower)
            params = {"stream": self.stream, "after": follower.last, "limit": PAGE_EVENTS}
            self._ask("session.read", params, partial(self._paged, follower))

    def _settle(self) -> None:
        """Ask the server for what the followers need now, if it does something else."""
        if self._asking or not self._connected:
            return
        live = [f.last for f in self._followers if not f.behind and f.last is not None]
        if self._joining:
            joining = self._joining[0]
            # An error of the joining follower's own argument must not affect the others.
            self._follow(min(live, default=None) if self._followers else joining.last, joining)
        elif not live:
            self._unfollow()
        elif self._position is None or self._position > min(live):
            self._follow(min(live), None)
        if not (self._followers or self._joining or self._asking):
            self._idle()

    def _follow(self, after: int | None, joining: RemoteFollower | None) -> None:
        self._unfollow()
        self._asking = True
        params = {"stream": self.stream, "after": after}
        self._ask("session.follow", params, partial(self._followed, after, joining))

    def _unfollow(self) -> None:
        if self._position is not None:
            self._position = None
            self._ask("session.unfollow", {"stream": self.stream}, _ignore)

    def _followed(
        self,
        after: int | None,
        joining: RemoteFollower | None,
        result: msgspec.Raw,
        error: HubbubError | None,
    ) -> None:
        self._asking = False
        if joining is not None and joining in self._joining:
            self._joining.remove(joining)
        else:
            joining = None
        if error is None:
            head = _read_followed(result).head
            self._position = head if after is None else after
            if joining is not None:
                self._let_in(joining, head)
            self._settle()
        else:
            self._refused(joining, error)

    def _let_in(self, follower: RemoteFollower, head: int) -> None:
        if follower.last is not None and follower.last > head:
            follower.fail(
                Conflict(
                    f"The stream ends at {head}, before {follower.last}: the history was reset. "
                    "Follow it from 0."
                )
            )
            return
        assert self._position is not None
        follower.last = head if follower.last is None else follower.last
        follower.joined = True
        self._followers[follower] = None
        follower.behind = follower.last < self._position
        self.catch_up(follower)
        follower.wake()

    def _refused(self, joining: RemoteFollower | None, error: HubbubError) -> None:
        if self._followers and is_passing(error):
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        if joining is not None:
            joining.fail(error)
        self.ended(error)

    def _paged(
        self, follower: RemoteFollower, result: msgspec.Raw, error: HubbubError | None
    ) -> None:
        self._reading.discard(follower)
        if follower not in self._followers:
            return
        if error is None:
            self._put_page(follower, _read_page(result))
        elif is_passing(error):
            raise ConnectionLost(TRY_AGAIN_LATER, error.message)
        else:
            follower.fail(error)
            self.leave(follower)

    def _put_page(self, follower: RemoteFollower, page: list[msgspec.Raw]) -> None:
        for body in page:
            seq = read_head(body).seq
            if follower.last is None or seq != follower.last + 1:
                raise ConnectionLost(
                    PROTOCOL_ERROR, f"a page of {self.stream} has {seq} out of order"
                )
            follower.put(seq, bytes(body))
        # A short page is the last one.
        follower.behind = follower.full or len(page) == PAGE_EVENTS
        self.catch_up(follower)
        self._settle()


def _ignore(result: msgspec.Raw, error: HubbubError | None) -> None:
    return
