"""The text index of a SQLite database: it finds events by their words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import apsw

from ...words import words

__all__ = [
    "FOUND",
    "INDEX_BYTES_MAX",
    "INDEX_EVENTS_MAX",
    "index_all",
    "index_some",
    "not_synced",
    "prepare",
    "query_of",
]

# Events that are indexed at once: some milliseconds, for which the next commit waits.
INDEX_EVENTS_MAX = 256
# About how many bytes of events are indexed at once. A thread that needs Python for longer than
# some milliseconds must wait for further turns, behind all readers.
INDEX_BYTES_MAX = 32 * 1024
# Another version of the rules needs another index, of all events.
INDEX_VERSION = "2"
# Between a stream's number and a word: a character that no word has, and the tokenizer takes for
# a letter. A term has its stream's number, so that the cost of a search depends on its stream.
BETWEEN = "\u00b7"

INDEX = """
CREATE VIRTUAL TABLE found USING fts5 (text, content='', detail=none, tokenize='ascii')
"""
# A superseded text, which has a negative ref, is not searched, and costs nothing.
# The next events, up to a number of them, and of bytes in all of them but the last.
UNINDEXED = """
SELECT max(id) FILTER (WHERE before < ?), count(*) FILTER (WHERE before < ?), count(*) FROM (
    SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM (
        SELECT id, iif(ref < 0, 0, length(body)) AS size
        FROM event WHERE id > ? ORDER BY id LIMIT ?
    )
)
"""
FIND = """
INSERT INTO found (rowid, text) SELECT id, terms(stream, t) FROM (
    SELECT id, stream, json_extract(CAST(body AS TEXT), '$.text') AS t
    FROM event WHERE id > ? AND id <= ? AND NOT coalesce(ref, 0) < 0
) WHERE t IS NOT NULL
"""
FOUND = """
SELECT DISTINCT coalesce(abs(ref), seq) AS about FROM found JOIN event ON id = found.rowid
WHERE found MATCH ? AND about < ? ORDER BY about DESC LIMIT ?
"""


def prepare(writer: apsw.Connection) -> None:
    """Create the index if necessary; rebuild one of other rules, part by part."""
    # SQLite's own tokenizers know neither Unicode's newer letters nor most marks.
    writer.create_scalar_function("terms", _terms_of, 2)
    versions = writer.execute("SELECT value FROM meta WHERE name = 'index_version'").fetchall()
    if versions == [(INDEX_VERSION,)]:
        return
    with writer:
        writer.execute("DROP TABLE IF EXISTS found")
        writer.execute(INDEX)
        writer.execute("DELETE FROM meta WHERE name IN ('indexed', 'index_version')")
        writer.execute("INSERT INTO meta VALUES ('index_version', ?)", (INDEX_VERSION,))


def index_some(writer: apsw.Connection, after: int) -> tuple[int, bool]:
    """
    Index some more events, in the writer's transaction.

    Returns:
        The id of the last event that is indexed now, and whether there are more.
    """
    limits = INDEX_BYTES_MAX, INDEX_BYTES_MAX, after, INDEX_EVENTS_MAX
    [(last, count, found)] = writer.execute(UNINDEXED, limits)
    if last is None:
        return after, False
    writer.execute(FIND, (after, last))
    writer.execute("INSERT OR REPLACE INTO meta VALUES ('indexed', ?)", (str(last),))
    return int(last), count < found or found == INDEX_EVENTS_MAX


def index_all(writer: apsw.Connection) -> None:
    """Index the texts that are not indexed yet, and merge the index into one part."""
    rows = writer.execute("SELECT value FROM meta WHERE name = 'indexed'").fetchall()
    last, more = int(str(rows[0][0])) if rows else 0, True
    while more:
        with writer:
            last, more = index_some(writer, last)
    writer.execute("INSERT INTO found (found) VALUES ('optimize')")


@contextmanager
def not_synced(writer: apsw.Connection) -> Iterator[None]:
    """
    Let a transaction end before it is on the disk; a power loss may undo it, and no other.

    The index can be rebuilt from the events, so no caller waits for the disk because of it.
    """
    writer.execute("PRAGMA synchronous = normal")
    try:
        yield
    finally:
        writer.execute("PRAGMA synchronous = full")


def query_of(number: int | None, starts: Sequence[str]) -> str:
    """Return a query for the texts of a stream that have terms with all these beginnings."""
    return " AND ".join(f'"{number}{BETWEEN}{start}" *' for start in starts)


def _terms_of(*values: Any) -> str:
    number, text = values
    return " ".join([f"{number}{BETWEEN}{word}" for word in dict.fromkeys(words(text))])
