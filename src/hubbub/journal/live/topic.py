"""The live tail of one stream."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from anyio import Event as Wake

__all__ = [
    "BATCHES_BYTES_MAX",
    "EVENT_BATCH_BYTES_MAX",
    "Encoder",
    "Follower",
    "Held",
    "Sink",
    "Topic",
    "cut",
]

logger = logging.getLogger("hubbub.journal")

# The newest events of a followed stream that are kept in memory.
TAIL_EVENTS_MAX = 1_024
# Bytes of these events.
TAIL_BYTES_MAX = 1 << 20
# Events in one batch, which is one frame of a socket.
BATCH_EVENTS_MAX = 256
# Bytes of its events; it has at least one, however large that is.
EVENT_BATCH_BYTES_MAX = 256 * 1024
# Bytes of the batches that one topic keeps for the next follower at the same place.
BATCHES_BYTES_MAX = 1 << 20

# Encodes events for followers: once, shared by all.
Encoder = Callable[[Sequence[bytes]], bytes]


class Sink(Protocol):
    """Takes batches at once, without waiting."""

    # True while it asks for a pause.
    paused: bool

    @property
    def encoder(self) -> Encoder:
        """The function that makes the batches, the same for all sinks of a kind."""

    def send_batch(self, batch: bytes) -> None:
        """Take a batch that the encoder has made; it can wait for the end of the publication."""


class Follower:
    """
    A cursor into a topic.

    Args:
        user: the user's id.
        cursor: the seq of the last event it has.
        flush: called after each publication, if given: it takes what is new at once. Without it
            the follower waits on the topic.
        signal: called with each encoded signal, if given.
    """

    __slots__ = ("closed", "cursor", "failed", "flush", "signal", "sink", "until", "user")

    def __init__(
        self,
        user: str,
        cursor: int,
        flush: Callable[[], None] | None = None,
        signal: Callable[[bytes], None] | None = None,
    ) -> None:
        self.user = user
        self.cursor = cursor
        self.flush = flush
        # Takes each new batch, instead of a flush, while the follower has all the others.
        self.sink: Sink | None = None
        # Called with the error of a sink, if given.
        self.failed: Callable[[Exception], None] | None = None
        self.signal = signal
        # Called when nothing more will be published, if given.
        self.closed: Callable[[], None] | None = None
        # The last seq that it can see, once its access has ended.
        self.until: int | None = None


class Held:
    """The number of bytes that some topics hold together."""

    __slots__ = ("size",)

    def __init__(self) -> None:
        self.size = 0


class Topic:
    """
    The recent events of a stream, encoded, for any number of followers.

    No follower has a queue, so a slow one costs nothing; when its cursor has left
    the tail it reads the store until it has caught up.

    Args:
        head: the seq of the stream's last committed event.
        held: counts the bytes that the topic holds.
    """

    def __init__(self, head: int, held: Held | None = None) -> None:
        self.followers: dict[Follower, None] = {}
        # True if the hub is closing: nothing more will be published.
        self.closed = False
        self._tail: list[bytes] = []
        self._tail_bytes = 0
        # The seq of the last event; the tail holds the events after ``base``.
        self.head = head
        self.base = head
        # The number of deletions.
        self.redactions = 0
        # A batch, and the seq of its last event.
        self._batches: dict[tuple[int, Encoder], tuple[bytes, int]] = {}
        self._batches_bytes = 0
        self._held = held or Held()
        # One event for all followers: a publication sets it. It is not a WakeUp: while no follower
        # waits there is no event, and the head shows what was published.
        self._wake_up: Wake | None = None

    def publish(self, bodies: Sequence[bytes], first: int | None = None) -> None:
        """
        Append encoded events, wake the waiting followers, and flush the sinks.

        Args:
            bodies: the events, in order.
            first: the seq of the first of them; by default the one after the head.
        """
        before = self.head
        if first is not None and first != self.head + 1:
            # Another writer was first: the events in between are read from the store.
            self.forget_tail()
            self.head = self.base = first - 1
        self._tail += bodies
        self.head += len(bodies)
        size = sum(map(len, bodies))
        self._tail_bytes += size
        self._held.size += size
        # Trimming a list costs its length: let it grow to twice the limit before.
        if len(self._tail) > 2 * TAIL_EVENTS_MAX or self._tail_bytes > 2 * TAIL_BYTES_MAX:
            self._trim()
        if self._batches:
            self.forget_batches()
        self.wake()
        self._flush(before)

    def _flush(self, before: int) -> None:
        """
        Write what is new to the sinks that have all the rest, and flush the other followers.

        There may be thousands, and each costs little more than the write itself.
        """
        adjoins, head = before >= self.base, self.head
        encoder: Encoder | None = None
        for follower in list(self.followers):
            try:
                sink = follower.sink
                if (
                    sink is None
                    or follower.cursor != before
                    or sink.paused
                    or follower.until is not None
                    or not adjoins
                ):
                    if (flush := follower.flush) is not None:
                        flush()
                    continue
                if sink.encoder is not encoder:
                    encoder = sink.encoder
                    batch, last = self.batch(before, encoder)
                follower.cursor = last
                sink.send_batch(batch)
                if last != head and (flush := follower.flush) is not None:
                    flush()
            except Exception as error:
                self._fail(follower, error)

    def _fail(self, follower: Follower, error: Exception) -> None:
        """Stop writing to one follower."""
        follower.flush = follower.sink = None
        if follower.failed is not None:
            follower.failed(error)
        else:
            logger.error("a follower of %s could not be written to", follower.user, exc_info=error)

    def signal(self, body: bytes) -> None:
        """Pass an encoded signal on to the followers; it is not stored."""
        for follower in list(self.followers):
            if follower.signal is not None and follower.until is None:
                try:
                    follower.signal(body)
                except Exception:
                    follower.signal = None
                    logger.exception("a follower of %s could not be signalled", follower.user)

    def close(self) -> None:
        """Notify the followers that nothing more will be published."""
        self.closed = True
        self.wake()
        for follower in list(self.followers):
            if follower.closed is not None:
                try:
                    follower.closed()
                except Exception:
                    logger.exception("a follower of %s could not be ended", follower.user)

    def wake(self) -> None:
        """Wake the waiting followers to check again."""
        if self._wake_up is not None:
            wake_up, self._wake_up = self._wake_up, None
            wake_up.set()

    def backfill(self, after: int, bodies: Sequence[bytes]) -> None:
        """Add events from the store before the tail, if they adjoin and fit."""
        size = sum(map(len, bodies))
        fits = (
            after + len(bodies) == self.base
            and len(self._tail) + len(bodies) <= TAIL_EVENTS_MAX
            and self._tail_bytes + size <= TAIL_BYTES_MAX
        )
        if fits:
            self._tail[:0] = bodies
            self.base = after
            self._tail_bytes += size
            self._held.size += size

    def forget_batches(self) -> None:
        """Drop the batches: no followers are at the same place now."""
        self._held.size -= self._batches_bytes
        self._batches_bytes = 0
        self._batches.clear()

    def forget_tail(self) -> None:
        """Drop the events: a follower that needs them reads them from the store."""
        self.forget_batches()
        self._held.size -= self._tail_bytes
        self._tail_bytes = 0
        self._tail = []
        self.base = self.head

    def redact(self, seq: int, redacted: Callable[[bytes], bytes]) -> None:
        """
        Redact an event of the tail, and the events about it, for later readers.

        Args:
            seq: the event that was deleted.
            redacted: returns the part of an encoded event that is still shown.
        """
        self.redactions += 1
        # This is how it looks in a head; in a text the quotes would have backslashes.
        about = b'"ref":%d,' % seq
        for index in range(max(0, seq - self.base - 1), len(self._tail)):
            body = self._tail[index]
            if self.base + index + 1 == seq or about in body:
                self._tail[index] = shown = redacted(body)
                self._tail_bytes += len(shown) - len(body)
                self._held.size += len(shown) - len(body)
        self.forget_batches()

    def since(self, after: int, until: int | None = None) -> Sequence[bytes]:
        """Return the events after a seq that is within the tail, at most a batch of them."""
        assert self.base <= after <= self.head
        start = after - self.base
        stop = start + BATCH_EVENTS_MAX
        if until is not None:
            stop = min(stop, until - self.base)
        bodies = self._tail[start:stop]
        return bodies if self._tail_bytes <= EVENT_BATCH_BYTES_MAX else cut(bodies)

    def batch(self, after: int, encoder: Encoder) -> tuple[bytes, int]:
        """
        Return the encoded events after a seq, and the seq of the last of them.

        Followers that are at the same seq share one copy.
        """
        assert self.base <= after < self.head
        found = self._batches.get((after, encoder))
        if found is None:
            bodies = self.since(after)
            batch = encoder(bodies)
            found = batch, after + len(bodies)
            if self._batches_bytes + len(batch) > BATCHES_BYTES_MAX:
                self.forget_batches()
            self._batches[after, encoder] = found
            self._batches_bytes += len(batch)
            self._held.size += len(batch)
        return found

    async def wait(self, after: int) -> None:
        """Return when there is an event after this seq, or the follower has to check again."""
        if self.head <= after:
            if self._wake_up is None:
                self._wake_up = Wake()
            await self._wake_up.wait()

    def _trim(self) -> None:
        sizes = 0
        keep = 0
        for body in reversed(self._tail):
            sizes += len(body)
            if sizes > TAIL_BYTES_MAX or keep == TAIL_EVENTS_MAX:
                break
            keep += 1
        self._tail = self._tail[len(self._tail) - keep :]
        self.base = self.head - keep
        size = sum(map(len, self._tail))
        self._held.size += size - self._tail_bytes
        self._tail_bytes = size


def cut(bodies: Sequence[bytes], bytes_max: int = EVENT_BATCH_BYTES_MAX) -> Sequence[bytes]:
    """Return as many of the first events as a number of bytes holds, and at least one."""
    size = 0
    for count, body in enumerate(bodies):
        size += len(body)
        if size > bytes_max and count:
            return bodies[:count]
    return bodies
