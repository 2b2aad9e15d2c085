"""The interface of a store."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from random import Random
from typing import Protocol, runtime_checkable

import msgspec

from ...errors import StorageError

__all__ = [
    "Batch",
    "CanErase",
    "ErasurePlan",
    "Loaded",
    "PlacedEvent",
    "Record",
    "Snapshot",
    "Stale",
    "Store",
    "Used",
    "new_journal_id",
    "new_secret",
]

JOURNAL_ID_BYTES = 16
SECRET_BYTES = 32


def new_journal_id(random: Random) -> str:
    """Draw the id of a new journal."""
    return random.randbytes(JOURNAL_ID_BYTES).hex()


def new_secret(random: Random) -> str:
    """Draw the secret of a new journal."""
    return random.randbytes(SECRET_BYTES).hex()


class Stale(StorageError):
    """
    A stream does not end where the batch begins; nothing was written.

    Another writer was first, or memory was ahead of the store. A caller that drops the stream from
    memory, and decides again, decides on the stored events.
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(
            message or "Another program wrote to the same stream at the same time; try again.",
            retry_after=retry_after,
        )


class Record(msgspec.Struct, frozen=True, gc=False):
    """An encoded event, and the columns of its indexes."""

    stream: str
    seq: int
    type: str
    by: str
    ref: int | None
    body: bytes


class PlacedEvent(msgspec.Struct, frozen=True, gc=False):
    """
    An encoded event, and its place among the events of all streams.

    Args:
        place: from 1; larger than the places of all events that were committed before it.
        body: the event.
        taken_back: True if an event of the type ``deleted`` is about it, or about the same
            event.
    """

    place: int
    body: bytes
    taken_back: bool


class Snapshot(msgspec.Struct, frozen=True):
    """An encoded state, as it was after a seq; a large one in parts."""

    stream: str
    seq: int
    at: datetime
    body: bytes
    parts: Sequence[bytes] = ()

    @property
    def size(self) -> int:
        """All its bytes."""
        return len(self.body) + sum(map(len, self.parts))


class Used(msgspec.Struct, frozen=True):
    """
    An idempotency key, the command that used it, and the places of its events.

    Args:
        at: the time of use, in seconds since 1970.
    """

    by: str
    key: str
    fingerprint: bytes
    places: tuple[tuple[str, int], ...]
    at: int = 0


class Batch(msgspec.Struct):
    """
    The contents of one transaction.

    Args:
        records: new events.
        used: new keys.
        snapshots: new snapshots, each instead of its stream's last.
        superseded: the streams and seqs of events, new ones among them, that later ones
            have made void: ``about`` no longer returns them.
        limits: (name of the limit, user) -> what is charged now; see
            :class:`hubbub.journal.stores.sharing.Wanted`.
    """

    records: list[Record] = []
    used: list[Used] = []
    snapshots: list[Snapshot] = []
    superseded: list[tuple[str, int]] = []
    limits: dict[tuple[str, str], bytes] = {}


class Loaded(msgspec.Struct, frozen=True):
    """A stream's newest snapshot, if any, and the events after it."""

    snapshot: Snapshot | None
    bodies: list[bytes]


class ErasurePlan(msgspec.Struct, frozen=True):
    """
    The events that an erasure overwrites.

    Args:
        user: the user's id.
        bodies: the place of an event -> its new body.
        touched: streams of these events.
        renamed: streams that get another name.
        last: the place of the newest event in the journal.
        skipped: a kind of stream whose feature was not given -> events that stay.
    """

    user: str
    bodies: Mapping[int, bytes]
    touched: Collection[str]
    renamed: Mapping[str, str]
    last: int
    skipped: Mapping[str, int]


class Store(Protocol):
    """
    The synchronous storage engine under the journal.

    ``commit`` is called by one thread at a time; the reading methods may run in
    several threads, also while a commit runs, and see only what is committed.
    Any failure is raised as StorageError.
    """

    # Sent at sign-in; another id means another history.
    journal_id: str
    # Signs tokens if the settings have no secret of their own.
    secret: str
    # False if calls return at once, and so need no worker thread.
    blocking: bool
    # True if other nodes write to it too: then it is a SharedStore.
    shared: bool

    def commit(self, batch: Batch) -> None:
        """
        Write a batch as one transaction that survives power loss, or raise.

        Raises:
            Stale: a stream does not end right before its first event in the batch.
        """

    def keep_part(self, snapshot: Snapshot, number: int) -> None:
        """
        Write one part of a large snapshot, in a transaction of its own.

        The last part is written first, and then one after the other down to number 0, which is the
        snapshot's body. From then on the snapshot counts; until then the one before it does. A new
        snapshot may begin before the last part of another snapshot.

        Args:
            snapshot: the snapshot of a stream that has its event ``seq``.
            number: of the part.
        """

    def reading(self, streams: Sequence[str] = ()) -> AbstractContextManager[None]:
        """
        Make all reads of this thread until the exit one transaction, which is cheaper.

        Args:
            streams: the streams to load, which may be read all at once.
        """

    def load(self, stream: str) -> Loaded:
        """Return the events, and the snapshot, that a stream's state is folded from."""

    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return up to ``limit`` events after a seq, in order."""

    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """
        Return the events whose ref is within ``first`` to ``last``, in order.

        Superseded events are left out.
        """

    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """
        Return the seqs of the deleted events after a seq, up to ``last``.

        They are the events that an event of the type ``deleted`` is about, and the events about
        the same event.
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
        Count events of one type after a seq by other users, up to ``limit``.

        Deleted events do not count.
        """

    def used(self, by: str, key: str) -> Used | None:
        """Return the record of a user's key."""

    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """
        Return seqs of events whose texts have terms that start with all of ``words``.

        The terms of a text are those of :func:`hubbub.words.words`.

        For an event about another (an edit) the seq is the other's; the newest
        come first, each once, all less than ``before``.
        """

    def catch_up(self) -> bool:
        """Do a bounded part of the deferred work (the text index); return whether more is left."""

    def expire(self, before: int) -> bool:
        """
        Remove a bounded part of the expired keys; return whether more are left.

        Args:
            before: the time of expiry, in seconds since 1970.
        """

    def check(self) -> None:
        """Write a dummy value, or raise, to check whether a failure has passed."""

    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield each stream's name and its number of events."""

    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return up to ``limit`` names of streams between two, both exclusive, in order."""

    # For readers of everything: page after page, in order.

    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return up to ``limit`` events of all streams after a place, in the order of commits."""

    def last_place(self) -> int:
        """Return the place of the newest event; 0 if there is none."""

    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` events after a seq, in order, with their columns."""

    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return up to ``limit`` snapshots of the streams after a name, in the names' order."""

    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return up to ``limit`` used keys after a user's key, in order."""

    def close(self) -> None:
        """Release everything; the store cannot be used after that."""


@runtime_checkable
class CanErase(Protocol):
    """A store that overwrites events itself, such as a database on a server."""

    def erase(self, plan: ErasurePlan) -> None:
        """
        Overwrite what a plan says in one transaction, and leave no copy of it.

        Args:
            plan: made of this store, which has not changed since.

        Raises:
            Conflict: a node uses it, or it has changed.
            StorageError: it cannot be written.
        """
