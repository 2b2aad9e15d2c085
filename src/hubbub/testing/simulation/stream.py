"""A byte stream of the simulated network: one end of a connection, as anyio's streams are."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio.abc import ByteStream, SocketAttribute
from anyio.lowlevel import checkpoint

from .pipe import Pipe

__all__ = ["Address", "NetworkStream"]

Address = tuple[str, int]


class NetworkStream(ByteStream):
    """
    One end of a connection between two hosts.

    Bytes arrive in order, late, and with no regard to how they were written. They are never lost
    without an error, and never doubled: TCP hides duplicates from its user.

    Closing is as with TCP: what was written before still arrives, and then the other end reads the
    end of the stream; if this end leaves bytes unread, the other end reads a reset instead. Bytes
    that the other end writes before it knows are lost.

    Args:
        incoming: the bytes from the other end.
        outgoing: the bytes to the other end.
        local: the host and port of this end.
        remote: the host and port of the other end.
        on_end: called when this end was closed or broken.
    """

    def __init__(
        self,
        incoming: Pipe,
        outgoing: Pipe,
        local: Address,
        remote: Address,
        on_end: Callable[[NetworkStream], None],
    ) -> None:
        self.local = local
        self.remote = remote
        self.peer: NetworkStream | None = None
        self._incoming = incoming
        self._outgoing = outgoing
        self._on_end = on_end
        self._receiving = anyio.ResourceGuard("reading from")
        self._sending = anyio.ResourceGuard("writing to")
        self._is_closed = self._is_broken = self._is_finished = False
        # The other end has forgotten the connection, and this end does not know that.
        self._is_orphan = False
        # The other host can be reached again, and answers what this end writes with a reset.
        self._is_answered = self._is_reset_due = False
        # Whether the other host has something to answer once it can.
        self._has_unanswered = False
        # The other end was closed: nobody will read what this end writes.
        self._is_deserted = False

    @property
    def is_over(self) -> bool:
        """Whether this end is closed or broken."""
        return self._is_closed or self._is_broken

    @property
    def unsent(self) -> int:
        """How many bytes wait until the other end has read some; 0 if ``send`` would not wait."""
        return max(0, self._outgoing.size - self._outgoing.route.conditions.window)

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        """The addresses of both ends; there is no raw socket."""
        return {
            SocketAttribute.family: lambda: socket.AF_INET,
            SocketAttribute.local_address: lambda: self.local,
            SocketAttribute.local_port: lambda: self.local[1],
            SocketAttribute.remote_address: lambda: self.remote,
            SocketAttribute.remote_port: lambda: self.remote[1],
        }

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """
        Wait for bytes; everything that has arrived comes at once, up to ``max_bytes``.

        Raises:
            EndOfStream: the other end sent its last bytes before.
            BrokenResourceError: the connection was reset.
            ClosedResourceError: this end is closed.
            BusyResourceError: another task is receiving.
        """
        if max_bytes < 1:
            raise ValueError("max_bytes must be a positive integer")
        with self._receiving:
            if self.is_over or self._incoming.has_arrived(anyio.current_time()):
                # Otherwise it waits below.
                await checkpoint()
            while True:
                self._check()
                found = self._incoming.take(anyio.current_time(), max_bytes)
                if found is None:
                    await self._incoming.wait_for_arrival()
                    continue
                if (data := found[1]) is None:
                    self.break_off()
                    continue
                if data == b"":
                    raise anyio.EndOfStream
                return data

    async def send(self, item: bytes) -> None:
        """
        Send bytes; wait while more than the network's window is under way and unread.

        If it is cancelled, any part of the bytes may have been sent. Sending no bytes waits until
        there is room.

        Raises:
            BrokenResourceError: the connection was reset, or the other end is closed.
            ClosedResourceError: this end is closed, or has sent its end of the stream.
            BusyResourceError: another task is sending.
        """
        with self._sending:
            await checkpoint()
            self._check_writable()
            rest, window = item, self._outgoing.route.conditions.window
            while True:
                if (room := window - self._outgoing.size) > 0:
                    self._write(rest[:room])
                    if len(rest) <= room:
                        return
                    rest = rest[room:]
                await self._outgoing.wait_for_room(self._incoming.learns_at)
                self._check_writable()

    def write_nowait(self, data: bytes) -> None:
        """
        Send bytes without waiting, however many are unread; see ``unsent``.

        Raises:
            BrokenResourceError: the connection was reset, or the other end is closed.
            ClosedResourceError: this end is closed, or has sent its end of the stream.
        """
        self._check_writable()
        self._write(data)

    async def send_eof(self) -> None:
        """Tell the other end that nothing more comes; this end can still receive."""
        await checkpoint()
        self._check()
        self.write_eof()

    def write_eof(self) -> None:
        """Do what ``send_eof`` does, without waiting."""
        if not self._is_finished and not self.is_over:
            self._is_finished = True
            if not self._is_orphan:
                self._outgoing.end(anyio.current_time())

    async def aclose(self) -> None:
        """Close this end; what was written still arrives."""
        self.close()
        await checkpoint()

    def close(self) -> None:
        """Close this end without waiting."""
        if self.is_over:
            self._is_closed = True
            return
        if not self._is_orphan:
            self._say_goodbye(anyio.current_time())
        self._is_closed = True
        self._leave()

    def reset(self) -> None:
        """Break the connection: the bytes under way are lost, and the other end will break too."""
        if not self.is_over and not self._is_orphan:
            now = anyio.current_time()
            self._outgoing.discard()
            self._outgoing.end(now, reset=True)
            self._outgoing.close(now)
            self._desert_peer()
        self.break_off()

    def break_off(self) -> None:
        """Make this end useless: every call raises ``BrokenResourceError``."""
        if not self.is_over:
            self._is_broken = True
            self._leave()

    def look_again(self) -> None:
        """Let a task that waits to send look whether the other end is gone."""
        self._outgoing.wake_writer()

    def desert(self) -> None:
        """Note that the other end is gone, which this end learns in time."""
        self._is_deserted = True
        self._outgoing.wake_writer()

    def orphan(self) -> None:
        """Note that the other end forgets the connection; this end shows nothing of it."""
        self._is_orphan = True
        self._has_unanswered = self._outgoing.size > 0

    def answer(self) -> None:
        """Let the other host answer an orphan, with a reset."""
        if self._is_orphan and not self.is_over:
            self._is_answered = True
            if self._has_unanswered or self._outgoing.size or self._is_finished:
                self._expect_reset()

    def _say_goodbye(self, now: float) -> None:
        if self._incoming.has_unread(now):
            self._outgoing.end(now, reset=True)
        elif not self._is_finished:
            self._outgoing.end(now)
        self._outgoing.close(now)
        self._desert_peer()

    def _desert_peer(self) -> None:
        if self.peer is not None:
            self.peer.desert()

    def _leave(self) -> None:
        self._incoming.discard()
        if self._is_orphan:
            # No other end will.
            self._outgoing.discard()
        self._incoming.wake_reader()
        self._outgoing.wake_writer()
        self._on_end(self)

    def _write(self, data: bytes) -> None:
        if not data:
            return
        if self._is_deserted or self._is_answered:
            self._outgoing.lose(len(data))
        else:
            self._outgoing.write(data, anyio.current_time())
        if self._is_answered:
            self._expect_reset()

    def _expect_reset(self) -> None:
        if not self._is_reset_due:
            self._is_reset_due = True
            self._incoming.end(anyio.current_time(), reset=True)

    def _check(self) -> None:
        if self._is_closed:
            raise anyio.ClosedResourceError
        if self._is_broken:
            raise anyio.BrokenResourceError

    def _check_writable(self) -> None:
        self._check()
        if self._is_finished:
            raise anyio.ClosedResourceError
        if self._is_deserted and self._incoming.is_closed(anyio.current_time()):
            raise anyio.BrokenResourceError
