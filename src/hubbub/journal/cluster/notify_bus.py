"""
A bus over PostgreSQL's NOTIFY, outside the transactions of the journal.

A NOTIFY in a transaction takes a lock of the whole server until the commit is on the disk. So
frames go over a connection of their own, which does not wait for the disk.
"""

from __future__ import annotations

import logging
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from threading import Lock

import anyio
import psycopg
from anyio import CapacityLimiter, to_thread
from psycopg import sql

from .frame_queue import FrameQueue
from .reconnecting import keep_connected

__all__ = ["BEGUN_BYTES_MAX", "NOTIFY_QUEUE_BYTES_MAX", "NotifyBus"]

logger = logging.getLogger("hubbub.journal")

# Bytes of frames that wait to be sent; more are dropped.
NOTIFY_QUEUE_BYTES_MAX = 4 * 1024 * 1024
# A payload is a text of less than 8,000 bytes: a mark, a number, and so many bytes in base 64.
# The number makes it unique: of equal payloads that are sent together only the first comes.
PART_BYTES = 5_700
MORE, LAST = "+", "."
# Bytes of a frame that has begun to come; what is longer is no frame.
BEGUN_BYTES_MAX = 64 * 1024
# Frames that are sent together.
SENT_FRAMES_MAX = 100

# How long connecting to an address can take.
CONNECT_SECONDS_MAX = 2
# How long sending can take.
SEND_SECONDS_MAX = 5.0
# The channel carries the heartbeats of this node, one a second; if it is silent for longer, it
# is broken, even if it does not look so.
SILENT_SECONDS_MAX = 5.0


class NotifyBus:
    """
    Carries frames over a PostgreSQL server; larger ones in parts.

    Args:
        url: of the database.
        journal_id: part of the channel's name, so that clusters do not hear one another.
    """

    frame_bytes_max = 40_000

    def __init__(self, url: str, journal_id: str) -> None:
        self.trouble = ""
        self._url = url
        self._channel = f"hubbub_{journal_id}"
        # None while there is no connection.
        self._queue: FrameQueue | None = None

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame; see :class:`Bus`."""
        if self._queue is not None:
            self._queue.put(shard, frame)

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Connect and receive until cancelled; see :class:`Bus`."""
        await keep_connected(partial(self._connect, heard, lost), self._ended)

    def _ended(self, error: Exception | None) -> bool:
        queue, self._queue = self._queue, None
        reason = str(error or "").strip().partition("\n")[0] or "it does not answer"
        self.trouble = f"PostgreSQL does not carry notifications: {reason}."
        return queue is not None

    async def _connect(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        with anyio.CancelScope(shield=True):
            # It ends by itself, and would leave connections behind.
            session = await to_thread.run_sync(
                _Session, self._url, self._channel, limiter=CapacityLimiter(1)
            )
        try:
            queue, self.trouble = FrameQueue(NOTIFY_QUEUE_BYTES_MAX), ""
            self._queue = queue
            lost()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_send, session, queue)
                while True:
                    with anyio.fail_after(SILENT_SECONDS_MAX):
                        await anyio.wait_readable(session.listening_on)
                    for frame in session.receive():
                        heard(frame)
        finally:
            session.close()


class _Session:
    """A connection that listens, and another that sends."""

    def __init__(self, url: str, channel: str) -> None:
        self._channel = channel
        # The beginning of a frame, and the number of the process that has sent it.
        self._begun, self._sender_pid = b"", 0
        self._numbers = count()
        # Held by the thread that sends.
        self._sending = Lock()
        self._closed = False
        self._listener = _open(url)
        try:
            self._listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            self._sender = _open(url)
        except BaseException:
            self._listener.close()
            raise
        self._sender.execute("SET synchronous_commit = off")

    @property
    def listening_on(self) -> int:
        return self._listener.fileno()

    def receive(self) -> Iterator[bytes]:
        """Yield the frames that have come, without waiting."""
        low = self._listener.pgconn
        low.consume_input()
        while (notify := low.notifies()) is not None:
            if notify.be_pid != self._sender_pid:
                # The parts of a frame come together, so the frame before has no end.
                self._begun, self._sender_pid = b"", notify.be_pid
            with suppress(ValueError):
                # Otherwise somebody else has written it.
                self._begun += b64decode(notify.extra.partition(b" ")[2])
            if notify.extra[:1] != MORE.encode() or len(self._begun) >= BEGUN_BYTES_MAX:
                yield self._begun
                self._begun = b""

    def send(self, frames: Sequence[bytes]) -> None:
        """Send frames, in a thread."""
        payloads = [payload for frame in frames for payload in self._payloads(frame)]
        with self._sending:
            if not self._closed:
                self._sender.execute(
                    "SELECT count(pg_notify(%s, payload)) FROM unnest(%s::text[]) AS t(payload)",
                    [self._channel, payloads],
                )
        if self._closed:
            self._sender.close()

    def _payloads(self, frame: bytes) -> Iterator[str]:
        for start in range(0, len(frame), PART_BYTES):
            part = b64encode(frame[start : start + PART_BYTES]).decode()
            mark = LAST if start + PART_BYTES >= len(frame) else MORE
            yield f"{mark}{next(self._numbers)} {part}"

    def close(self) -> None:
        """Close both connections; a thread that still sends closes its own."""
        self._closed = True
        self._listener.close()
        if self._sending.acquire(blocking=False):
            self._sender.close()
            self._sending.release()


async def _send(session: _Session, queue: FrameQueue) -> None:
    limiter = CapacityLimiter(1)
    while True:
        frames = [frame for _, frame in await queue.take(SENT_FRAMES_MAX)]
        with anyio.fail_after(SEND_SECONDS_MAX):
            await to_thread.run_sync(session.send, frames, abandon_on_cancel=True, limiter=limiter)


def _open(url: str) -> psycopg.Connection:
    return psycopg.connect(
        url,
        autocommit=True,
        connect_timeout=CONNECT_SECONDS_MAX,
        application_name="hubbub bus",
        keepalives_idle=5,
        keepalives_interval=1,
        keepalives_count=3,
        tcp_user_timeout=5_000,
    )
