"""What the journal asks of a store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

import msgspec

from ...errors import StorageError

__all__ = ["Batch", "Loaded", "LostRace", "PlacedEvent", "Record", "Snapshot", "Store", "Used"]


class LostRace(StorageError):
    """
    A stream does not end where the batch begins: nothing was written.

    Another writer was first, or memory was ahead of the store. A caller that forgets what it
    knows of the stream, and decides again, decides on what is there.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(
            message or "Somebody else wrote to the same stream at this moment; try again.",
            retry_after=retry_after,
        )


class Record(msgspec.Struct, frozen=True, gc=False):
    """An encoded event and the columns that it is found by."""

    stream: str
    seq: int
    type: str
    by: str
    ref: int | None
    body: bytes


class PlacedEvent(msgspec.Struct, frozen=True, gc=False):
    """
    An encoded event, and its place among those of all streams.

    Args:
        place: from 1; larger than that of all that were committed before it.
        body: the event.
        taken_back: True if an event of the type ``deleted`` is about it, or about the same
            event as it.
    """

    place: int
    body: bytes
    taken_back: bool


class Snapshot(msgspec.Struct, frozen=True):
    """A folded state, encoded, as it was after one seq; a large one in parts."""

    stream: str
    seq: int
    at: datetime
    body: bytes
    parts: Sequence[bytes] = ()


class Used(msgspec.Struct, frozen=True):
    """
    An idempotency key, the command that used it, and where its events are.

    Args:
        at: when, in seconds since 1970.
    """

    by: str
    key: str
    fingerprint: bytes
    places: tuple[tuple[str, int], ...]
    at: int = 0


class Batch(msgspec.Struct):
    """
    What one transaction writes.

    Args:
        records: new events.
        used: new keys.
        snapshots: new snapshots, each instead of its stream's last.
        superseded: the streams and seqs of events, new ones among them, that later ones
            have made void: ``about`` returns them no more.
    """

    records: list[Record] = []
    used: list[Used] = []
    snapshots: list[Snapshot] = []
    superseded: list[tuple[str, int]] = []


class Loaded(msgspec.Struct, frozen=True):
    """A stream's newest snapshot, if any, and the events after it."""

    snapshot: Snapshot | None
    bodies: list[bytes]


class Store(Protocol):
    """
    The synchronous storage engine under the journal.

    ``commit`` is called by one thread at a time; the reading methods may run in
    several threads, also while a commit runs, and see only what is committed.
    Whatever goes wrong below is raised as StorageError.
    """

    # Told at sign-in; another one means that the history is another one.
    journal_id: str
    # Signs tokens when the settings have no secret of their own.
    secret: str
    # False: calls return at once, so they need no worker thread.
    blocking: bool

    def commit(self, batch: Batch) -> None:
        """
        Write a batch as one transaction that survives power loss, or raise.

        Raises:
            LostRace: a stream does not end right before its first event in the batch.
        """

    def reading(self, streams: Sequence[str] = ()) -> AbstractContextManager[None]:
        """
        Let what this thread reads until its exit be one transaction, which costs less.

        Args:
            streams: what is going to be loaded: it may be read all at once.
        """

    def load(self, stream: str) -> Loaded:
        """Return what a stream's state is folded from."""

    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return up to ``limit`` events after a seq, in order."""

    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """
        Return the events whose ref is within ``first`` to ``last``, in order.

        Those that were superseded are left out.
        """

    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """
        Return the seqs of the events after a seq, up to ``last``, that were taken back.

        That are those which an event of the type ``deleted`` is about, and those about
        the same event as it.
        """

    def page(
        self, stream: str, kind: str, after: int | None, before: int | None, limit: int
    ) -> list[bytes]:
        """
        Return up to ``limit`` events of one type between two seqs, both exclusive, in order.

        They are the newest ones; with ``after`` and no ``before``, the oldest.
        """

    def count(self, stream: str, kind: str, after: int, not_by: str, limit: int) -> int:
        """
        Count events of one type after a seq that others caused, up to ``limit``.

        Those which an event of the type ``deleted`` is about do not count.
        """

    def used(self, by: str, key: str) -> Used | None:
        """Return what a user's key was used for."""

    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """
        Return seqs of events whose texts have terms that start with all of ``words``.

        The terms of a text are those of :func:`hubbub.words.words`.

        For an event about another (an edit) the seq is the other's; the newest
        come first, each once, all less than ``before``.
        """

    def catch_up(self) -> bool:
        """Do a bounded part of the work put off (the text index); tell if more is left."""

    def expire(self, before: int) -> bool:
        """
        Remove a bounded part of the used keys that are older; tell if more are left.

        Args:
            before: in seconds since 1970.
        """

    def check(self) -> None:
        """Write something of no meaning, or raise: a failure may have passed."""

    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield each stream's name and how many events it has."""

    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return up to ``limit`` names of streams between two, both exclusive, in order."""

    # For those who read all there is: page after page, in order.

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return up to ``limit`` events of all streams after a place, as they were committed."""

    def last_place(self) -> int:
        """Return the place of the newest event; 0 if there is none."""

    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` events after a seq, in order, and what they are found by."""

    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return up to ``limit`` snapshots of the streams after a name, in the names' order."""

    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return up to ``limit`` used keys after a user's key, in order."""

    def close(self) -> None:
        """Release everything; the store is not used after that."""
