"""The reading half of a PostgreSQL store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import local
from typing import Any, TypeVar

from psycopg.types.numeric import Int8

from ....errors import StorageError
from ..contract import Loaded, PlacedEvent, Record, Snapshot, Used
from ..rows import snapshots_of, used_of
from . import queries as sql
from .arrays import Numbers, Texts
from .asking import ONE_MOMENT, StreamIds
from .connection import ConnectionPool, PostgresConnection
from .horizon import Horizon
from .reasons import postgres_errors, postgres_failing

__all__ = ["PostgresReader"]

T = TypeVar("T")

# Events read at once when one or several streams are loaded.
TAIL_MAX = 5_000
# The largest number of PostgreSQL's type bigint: no seq is larger.
SEQ_MAX = (1 << 63) - 1
# How long a reader of all streams waits for a commit that has begun, in seconds, before it
# returns a page that is not full.
SHORT_PAGE_SECONDS_MAX = 0.05
# The same before it fails without any event: a transaction that does nothing is ended earlier.
UNSETTLED_SECONDS_MAX = 5.0
UNSETTLED = "A transaction that writes to the database does not end; try again."
# The index of words is scanned as a bitmap only, and how depends on what is searched.
SEARCHING = "SET LOCAL enable_bitmapscan = on; SET LOCAL plan_cache_mode = force_custom_plan"
SEARCHED = "SET LOCAL enable_bitmapscan = off; SET LOCAL plan_cache_mode = force_generic_plan"


class PostgresReader:
    """
    Reads by a few connections, each of which one thread uses at a time.

    Args:
        pool: of the connections.
        ids: of streams.
        log_name: names the database to the operator.
    """

    def __init__(self, pool: ConnectionPool, ids: StreamIds, log_name: str) -> None:
        self.log_name = log_name
        self._readers = pool
        self._ids = ids
        self._horizon = Horizon(pool)
        # The connection that a thread keeps while it reads several things.
        self._own = local()

    @contextmanager
    def reading(self, streams: Sequence[str] = ()) -> Iterator[None]:
        """Make the reads of this thread one transaction; see the contract."""
        with postgres_failing(self.log_name):
            reader, _ = self._readers.begin(lambda reader: reader.raw.execute(ONE_MOMENT))
        try:
            self._own.reader = reader
            if len(streams) > 1:
                with postgres_failing(self.log_name):
                    self._own.loaded = self._load_some(streams)
            yield
        finally:
            self._own.reader, self._own.loaded = None, {}
            self._readers.give(reader, whole=reader.roll_back())

    @postgres_errors
    def load(self, stream: str) -> Loaded:
        """Return the events, and the snapshot, that a stream's state is folded from."""
        loaded: Loaded | None = getattr(self._own, "loaded", {}).get(stream)
        if loaded is not None:
            return loaded
        snapshot = self._snapshots([stream]).get(stream)
        after, bodies = snapshot.seq if snapshot else 0, list[bytes]()
        while True:
            page = self.read(stream, after + len(bodies), TAIL_MAX)
            bodies += page
            if len(page) < TAIL_MAX:
                return Loaded(snapshot, bodies)

    @postgres_errors
    def read(self, stream: str, after: int, limit: int) -> list[bytes]:
        """Return up to ``limit`` events after a seq, in order; all of them if it is -1."""
        limit = SEQ_MAX if limit < 0 else limit
        return self._column(sql.READ_EVENTS, stream, Int8(after), Int8(limit))

    @postgres_errors
    def about(self, stream: str, first: int, last: int) -> list[bytes]:
        """Return the events whose ref is within ``first`` to ``last``, in order."""
        return self._column(sql.ABOUT_REF, stream, Int8(first), Int8(last))

    @postgres_errors
    def taken_back(self, stream: str, after: int, last: int) -> list[int]:
        """Return the seqs of deleted events; see the contract."""
        return self._column(sql.TAKEN_BACK_SEQS, stream, Int8(after), Int8(last), stream)

    @postgres_errors
    def page(
        self, stream: str, kind: str, after: int | None, before: int | None, limit: int
    ) -> list[bytes]:
        """Return a page of events of one type, in order; see the contract."""
        forward = before is None and after is not None
        found: list[bytes] = self._column(
            sql.KIND_FORWARD if forward else sql.KIND_BACKWARD,
            stream,
            Int8(after or 0),
            Int8(before if before is not None else SEQ_MAX),
            kind,
            Int8(limit),
        )
        return found if forward else found[::-1]

    @postgres_errors
    def count(self, stream: str, kind: str, after: int, not_by: str, limit: int) -> int:
        """Count events of one type after a seq by other users, up to ``limit``."""
        rows = self._all(sql.COUNT_KIND, stream, Int8(after), kind, not_by, Int8(limit))
        return int(rows[0][0])

    @postgres_errors
    def used(self, by: str, key: str) -> Used | None:
        """Return the record of a user's key."""
        for row in self._all(sql.USED_KEY, by, key):
            return used_of(by, key, *row)
        return None

    @postgres_errors
    def search(self, stream: str, words: Sequence[str], before: int, limit: int) -> list[int]:
        """Query the index of words; see the contract."""
        number = self._ids.get(stream)
        if number is None:
            found = self._all("SELECT id FROM stream WHERE name = %b", stream)
            if not found:
                return []
            [(number,)] = found
            self._ids.learn([(stream, number)])
        terms = " & ".join([f"{_quoted(f'{number}·{word}')}:*" for word in words])
        values = Int8(number), terms, Int8(before), Int8(limit)

        def find(reader: PostgresConnection) -> list[int]:
            with reader.raw.transaction():
                reader.raw.execute(SEARCHING)
                rows = reader.raw.execute(sql.FIND_WORDS, values, prepare=False, binary=True)
                reader.raw.execute(SEARCHED)
                return [seq for (seq,) in rows.fetchall()]

        return self._do(find)

    @postgres_errors
    def heads(self, streams: Sequence[str]) -> dict[str, int]:
        """Return the seq of each stream's last event; a stream without events is left out."""
        return dict(self._all(sql.HEADS, Texts(streams)))

    @postgres_errors
    def streams(self) -> Iterator[tuple[str, int]]:
        """Yield each stream's name and its number of events."""
        return iter([(str(name), int(count)) for name, count in self._all(sql.STREAM_LENGTHS)])

    @postgres_errors
    def names(self, after: str, before: str, limit: int) -> list[str]:
        """Return names of streams in order; see the contract."""
        return self._column(sql.NAMES_BETWEEN, after, before, Int8(limit))

    @postgres_errors
    def committed(self, after: int, limit: int) -> list[PlacedEvent]:
        """Return up to ``limit`` events of all streams after a place, in the order of commits."""
        found = self._settled(after, limit)
        if len(found) == limit:
            return found
        # A caller that gets no events waits for the next commit. So it must get the events whose
        # commit has woken it, although they are settled a moment later.
        seconds = SHORT_PAGE_SECONDS_MAX if found else UNSETTLED_SECONDS_MAX
        if not self._horizon.advance(seconds) and not found:
            raise StorageError(UNSETTLED)
        last = found[-1].place if found else after
        return found + self._settled(last, limit - len(found))

    @postgres_errors
    def last_place(self) -> int:
        """Return the place of the newest event; 0 if there is none."""
        if not self._horizon.advance(UNSETTLED_SECONDS_MAX):
            raise StorageError(UNSETTLED)
        settled = Int8(self._horizon.settled)
        rows = self._readers.retried(lambda reader: reader.rows(sql.NEWEST_PLACE, settled))
        return int(rows[0][0]) if rows else 0

    @postgres_errors
    def records(self, stream: str, after: int, limit: int) -> list[Record]:
        """Return up to ``limit`` events after a seq, in order, with their columns."""
        rows = self._all(sql.RECORDS_AFTER, stream, Int8(after), Int8(limit))
        return [Record(stream, *row) for row in rows]

    @postgres_errors
    def snapshots(self, after: str, limit: int) -> list[Snapshot]:
        """Return up to ``limit`` snapshots of the streams after a name, in the names' order."""
        return snapshots_of(self._all(sql.SNAPSHOTS_BEHIND, after, Int8(limit)))

    @postgres_errors
    def keys(self, after: tuple[str, str], limit: int) -> list[Used]:
        """Return up to ``limit`` used keys after a user's key, in order."""
        return [used_of(*row) for row in self._all(sql.KEYS_AFTER, *after, Int8(limit))]

    def _settled(self, after: int, limit: int) -> list[PlacedEvent]:
        settled = self._horizon.settled
        if settled <= after or not limit:
            return []
        values = Int8(after), Int8(settled), Int8(limit)
        rows = self._readers.retried(lambda reader: reader.rows(sql.COMMITTED_BETWEEN, *values))
        return [PlacedEvent(*row) for row in rows]

    def _load_some(self, streams: Sequence[str]) -> dict[str, Loaded]:
        """Load streams in two queries; leave out streams that are too long for that."""
        snapshots = self._snapshots(streams)
        afters = [snapshots[name].seq if name in snapshots else 0 for name in streams]
        tails: list[list[bytes]] = [[] for _ in streams]
        rows = self._all(sql.TAILS_OF, Texts(streams), Numbers(afters), Int8(TAIL_MAX))
        for place, body in rows:
            tails[place].append(body)
        return {
            name: Loaded(snapshots.get(name), tail)
            for name, tail in zip(streams, tails, strict=True)
            if len(tail) < TAIL_MAX
        }

    def _snapshots(self, streams: Sequence[str]) -> dict[str, Snapshot]:
        rows = self._all(sql.SNAPSHOTS_OF, Texts(streams))
        return {snapshot.stream: snapshot for snapshot in snapshots_of(rows)}

    def _column(self, query: str, *values: object) -> list[Any]:
        return [value for (value,) in self._all(query, *values)]

    def _all(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self._do(lambda reader: reader.rows(query, *values))

    def _do(self, work: Callable[[PostgresConnection], T]) -> T:
        own: PostgresConnection | None = getattr(self._own, "reader", None)
        return work(own) if own is not None else self._readers.retried(work)


def _quoted(term: str) -> str:
    escaped = term.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
