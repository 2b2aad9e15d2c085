"""The tables of a SQLite database, and what is asked of them in several ways."""

from __future__ import annotations

__all__ = ["INSERT", "IN_STREAM", "PAGE_BACKWARD", "PAGE_FORWARD", "SCHEMA"]

# Streams have numbers, so that many of them share a page of the index: a transaction
# that writes to a thousand of them writes a few hundred pages.
SCHEMA = """
CREATE TABLE stream (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE event (
    id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL,
    type TEXT NOT NULL, by TEXT NOT NULL, ref INTEGER, body BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_by_seq ON event (stream, seq);
CREATE INDEX event_by_ref ON event (stream, ref, seq) WHERE ref IS NOT NULL;
CREATE TABLE used (
    by TEXT, key TEXT, fingerprint BLOB NOT NULL, places TEXT NOT NULL, PRIMARY KEY (by, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE snapshot (
    stream TEXT PRIMARY KEY, seq INTEGER NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE VIRTUAL TABLE found USING fts5 (
    stream, text, content='', detail=column, tokenize='ascii'
);
"""

IN_STREAM = "stream = (SELECT number FROM stream WHERE name = ?)"

PAGE_FORWARD = f"""
SELECT body FROM event WHERE {IN_STREAM} AND seq > ? AND seq < ? AND type = ?
ORDER BY seq LIMIT ?
"""
PAGE_BACKWARD = PAGE_FORWARD.replace("ORDER BY seq", "ORDER BY seq DESC")
INSERT = "INSERT INTO event (stream, seq, type, by, ref, body) VALUES "
