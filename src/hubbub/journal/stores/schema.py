"""The tables of a SQLite database, and its longer queries."""

from __future__ import annotations

__all__ = [
    "ABOUT",
    "ADD_NUMBERS",
    "ADOPT",
    "COMMITTED",
    "COUNT",
    "EXPIRE",
    "HAS_DELETED",
    "INSERT",
    "INSERT_USED",
    "LAST_PLACE",
    "LAST_SEQS",
    "NUMBERS_AND_HEADS",
    "PAGE_BACKWARD",
    "PAGE_FORWARD",
    "READ",
    "RECORDS",
    "SCHEMA",
    "SNAPSHOTS",
    "SNAPSHOTS_AFTER",
    "SNAPSHOT_CUT",
    "SNAPSHOT_OUTDATED",
    "SNAPSHOT_PART",
    "STREAM_COUNTS",
    "STREAM_NAMES",
    "SUPERSEDE",
    "TAILS",
    "TAKEN_BACK",
]

# Streams have numbers, so that many of them share a page of the index: a transaction
# that writes to a thousand of them writes a few hundred pages. A snapshot can be large,
# so it has a rowid: a search among rows that are keys reads each compared row whole. It is
# complete when it has its part 0, which is written last.
SCHEMA = """
CREATE TABLE stream (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL,
    type TEXT NOT NULL, by TEXT NOT NULL, ref INTEGER, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_by_seq ON event (stream, seq);
CREATE INDEX event_by_ref ON event (stream, ref, seq) WHERE ref IS NOT NULL;
CREATE INDEX event_deleted ON event (stream, ref) WHERE type = 'deleted';
CREATE TABLE used (
    by TEXT, key TEXT, fingerprint BLOB NOT NULL, places TEXT NOT NULL,
    at INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (by, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX used_by_at ON used (at);
CREATE TABLE snapshot (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, at TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (stream, seq, part)
) STRICT;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
"""
# A query releases the interpreter's lock for each row, and may wait long to get it again.
# So the events of a query come in one row: their JSON, a line each.
READ = """
SELECT CAST(group_concat(CAST(body AS TEXT), char(10) ORDER BY seq) AS BLOB) FROM (
    SELECT seq, body FROM event WHERE stream = (SELECT number FROM stream WHERE name = ?)
    AND seq > ? ORDER BY seq LIMIT ?
)
"""
ABOUT = """
SELECT CAST(group_concat(CAST(body AS TEXT), char(10) ORDER BY seq) AS BLOB) FROM event
WHERE stream = (SELECT number FROM stream WHERE name = ?) AND ref BETWEEN ? AND ?
"""
PAGE_FORWARD = """
SELECT CAST(group_concat(CAST(body AS TEXT), char(10) ORDER BY seq) AS BLOB) FROM (
    SELECT seq, body FROM event WHERE stream = (SELECT number FROM stream WHERE name = ?)
    AND seq > ? AND seq < ? AND type = ? ORDER BY seq LIMIT ?
)
"""
PAGE_BACKWARD = PAGE_FORWARD.replace("? ORDER BY seq LIMIT", "? ORDER BY seq DESC LIMIT")
COUNT = """
SELECT count(*) FROM (
    SELECT 1 FROM event WHERE stream = (SELECT number FROM stream WHERE name = ?)
    AND seq > ? AND type = ? AND by <> ? AND NOT EXISTS (
        SELECT 1 FROM event AS deleted
        WHERE deleted.stream = event.stream AND deleted.type = 'deleted' AND deleted.ref = event.seq
    ) LIMIT ?
)
"""
HAS_DELETED = """
SELECT EXISTS (SELECT 1 FROM event WHERE type = 'deleted' AND ref IS NOT NULL
AND stream = (SELECT number FROM stream WHERE name = ?))
"""
TAKEN_BACK = """
SELECT seq FROM event WHERE stream = (SELECT number FROM stream WHERE name = ?)
AND seq > ? AND seq <= ? AND EXISTS (
    SELECT 1 FROM event AS deleted WHERE deleted.stream = event.stream
    AND deleted.type = 'deleted' AND deleted.ref = coalesce(abs(event.ref), event.seq)
) ORDER BY seq
"""
# An event that is superseded is no longer found by its ref, though it keeps it.
INSERT_USED = "INSERT INTO used VALUES (?, ?, ?, ?, ?)"
ADOPT = "INSERT OR REPLACE INTO meta VALUES ('journal_id', ?), ('secret', ?)"
SUPERSEDE = """
UPDATE event SET ref = -ref
WHERE stream = (SELECT number FROM stream WHERE name = ?) AND seq = ? AND ref > 0
"""
RECORDS = """
SELECT seq, type, by, abs(ref), body FROM event
WHERE stream = (SELECT number FROM stream WHERE name = ?) AND seq > ? ORDER BY seq LIMIT ?
"""
# An event's id is its place: there is one writer at a time, and ids only increase.
COMMITTED = """
SELECT group_concat(id, ' ' ORDER BY id), group_concat(taken_back, '' ORDER BY id),
    CAST(group_concat(CAST(body AS TEXT), char(10) ORDER BY id) AS BLOB)
FROM (
    SELECT id, body, EXISTS (
        SELECT 1 FROM event AS deleted WHERE deleted.stream = event.stream
        AND deleted.type = 'deleted' AND deleted.ref = coalesce(abs(event.ref), event.seq)
    ) AS taken_back
    FROM event WHERE id > ? ORDER BY id LIMIT ?
)
"""
LAST_PLACE = "SELECT coalesce(max(id), 0) FROM event"
# For many streams at once, given as an array of names: the seqs of their last events.
LAST_SEQS = """
SELECT group_concat(coalesce(head, 0), ' ' ORDER BY key) FROM (
    SELECT key, (SELECT max(seq) FROM event
        WHERE stream = (SELECT number FROM stream WHERE name = value)) AS head
    FROM json_each(?)
)
"""
# Given as an array of [name, after]. JSON has no character 30 in it, which ends a stream here.
TAILS = """
SELECT CAST(group_concat(tail, char(30) ORDER BY key) AS BLOB) FROM (
    SELECT key, coalesce((SELECT group_concat(CAST(body AS TEXT), char(10) ORDER BY seq) FROM event
        WHERE stream = (SELECT number FROM stream WHERE name = value ->> 0)
        AND seq > value ->> 1), '') AS tail
    FROM json_each(?)
)
"""
# The newest snapshots that are complete.
SNAPSHOTS = """
SELECT stream, seq, at, body FROM (
    SELECT stream, max(seq) AS seq FROM snapshot
    WHERE part = 0 AND stream IN (SELECT value FROM json_each(?)) GROUP BY stream
) JOIN snapshot USING (stream, seq) ORDER BY stream, part
"""
SNAPSHOTS_AFTER = """
SELECT stream, seq, at, body FROM (
    SELECT stream, max(seq) AS seq FROM snapshot
    WHERE part = 0 AND stream > ? GROUP BY stream ORDER BY stream LIMIT ?
) JOIN snapshot USING (stream, seq) ORDER BY stream, part
"""
STREAM_NAMES = "SELECT name FROM stream WHERE name > ? AND name < ? ORDER BY name LIMIT ?"
STREAM_COUNTS = """
SELECT name, count(*) FROM event JOIN stream ON number = stream GROUP BY stream ORDER BY name
"""
SNAPSHOT_PART = """
INSERT OR REPLACE INTO snapshot (stream, seq, at, part, body) VALUES (?, ?, ?, ?, ?)
"""
# A process that was killed may have left further parts of the same snapshot.
SNAPSHOT_CUT = "DELETE FROM snapshot WHERE stream = ? AND seq = ? AND part > ?"
SNAPSHOT_OUTDATED = """
DELETE FROM snapshot WHERE rowid IN (
    SELECT rowid FROM snapshot WHERE stream = ?1
    AND seq < (SELECT max(seq) FROM snapshot WHERE stream = ?1 AND part = 0) LIMIT ?2
)
"""
INSERT = "INSERT INTO event (stream, seq, type, by, ref, body) VALUES "
# For many streams at once, given as an array of names.
ADD_NUMBERS = "INSERT OR IGNORE INTO stream (name) SELECT value FROM json_each(?) ORDER BY key"
NUMBERS_AND_HEADS = """
SELECT group_concat(number || ' ' || head, ',' ORDER BY key) FROM (
    SELECT key, number, coalesce((SELECT max(seq) FROM event WHERE stream = number), 0) AS head
    FROM json_each(?) JOIN stream ON name = value
)
"""
EXPIRE = """
DELETE FROM used WHERE (by, key) IN (
    SELECT by, key FROM used WHERE at < ? ORDER BY at LIMIT ?
)
"""
