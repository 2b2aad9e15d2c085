"""
The statements of a batch.

They are prepared when a writer connects: a statement that psycopg prepares inside a pipeline
that then fails would be taken for prepared, and is not.
"""

from __future__ import annotations

from typing import Any

from psycopg.types.numeric import Int8

from ..sharing import NEWS_EVENTS_MAX
from .arrays import Blobs, Numbers, Texts
from .connection import PostgresConnection

__all__ = [
    "ADD_EVENTS",
    "ADD_KEYS",
    "ADD_LIMITS",
    "ADD_STREAMS",
    "KEEP_FIRST_PARTS",
    "KEEP_ONLY_NEWEST",
    "KEEP_OTHER_PARTS",
    "LOCK_LIMITS",
    "LOCK_STREAMS",
    "NEWS_OF",
    "NOTE_COMMIT",
    "NOW",
    "READ_LIMITS",
    "SET_LIMITS",
    "USED_OF",
    "VOID_EVENT",
    "prepare_reader",
    "prepare_writer",
]

# Streams by their ids, and by names for those whose ids are not known.
LOCK_STREAMS = """
SELECT id, name FROM stream
WHERE id = ANY(%b || ARRAY(SELECT s.id FROM stream s WHERE s.name = ANY(%b)))
ORDER BY id FOR UPDATE
"""
# The event that the node knows as the last comes too, without its body: if it does not, the
# history is another than the node's. It is one statement, so all is of one moment.
_EVENTS = f"""
JOIN LATERAL (
    SELECT seq, CASE WHEN seq > k.head THEN body END AS body FROM event
    WHERE stream = {{}} AND seq >= k.head ORDER BY seq LIMIT {NEWS_EVENTS_MAX + 1}
) e ON true
"""
NEWS_OF = f"""
SELECT k.n, k.id, e.seq, e.body FROM unnest(%b, %b) WITH ORDINALITY k(id, head, n)
{_EVENTS.format("k.id")}
UNION ALL
SELECT -k.n, s.id, e.seq, e.body FROM unnest(%b, %b) WITH ORDINALITY k(name, head, n)
JOIN LATERAL (SELECT id FROM stream WHERE name = k.name OFFSET 0) s ON true
{_EVENTS.format("s.id")}
"""
# OFFSET 0 keeps the order of the join: with the statistics of a small table the planner would
# go through the whole table, and keep that plan while the table grows.
USED_OF = """
SELECT u.* FROM unnest(%b, %b) k(by, key) JOIN LATERAL (
    SELECT by, key, fingerprint, places, at FROM used
    WHERE used.by = k.by AND used.key = k.key OFFSET 0
) u ON true
"""
READ_LIMITS = """
SELECT c.* FROM unnest(%b, %b) k(limited, by) JOIN LATERAL (
    SELECT limited, by, state FROM charged
    WHERE charged.limited = k.limited AND charged.by = k.by OFFSET 0
) c ON true
"""
# They are locked in the order in which they are given.
LOCK_LIMITS = READ_LIMITS.replace("OFFSET 0", "OFFSET 0 FOR UPDATE")
NOW = "SELECT clock_timestamp()"

ADD_STREAMS = "INSERT INTO stream (name) SELECT unnest(%b)"
# An id of 0: the stream is new, and its id is not known here. The words come with a space before
# each, which becomes the stream's id.
ADD_EVENTS = """
INSERT INTO event (stream, seq, type, by, ref, body, words)
SELECT i.id, r.seq, r.type, r.by, r.ref, r.body,
    array_to_tsvector(string_to_array(substr(replace(r.words, ' ', ' ' || i.id || '·'), 2), ' '))
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b) r(id, name, seq, type, by, ref, body, words)
CROSS JOIN LATERAL (
    SELECT CASE WHEN r.id > 0 THEN r.id ELSE (SELECT id FROM stream WHERE name = r.name) END AS id
) i
"""
# A superseded event keeps its ref, and is no longer found by it.
VOID_EVENT = """
UPDATE event SET ref = -ref, words = NULL
WHERE stream = (SELECT id FROM stream WHERE name = %b) AND seq = %b AND ref > 0
"""
ADD_KEYS = """
INSERT INTO used (by, key, fingerprint, places, at) SELECT * FROM unnest(%b, %b, %b, %b, %b)
"""
ADD_LIMITS = "INSERT INTO charged (limited, by, state) SELECT * FROM unnest(%b, %b, %b)"
# They are there, and locked; an update with a join could go through the whole table.
SET_LIMITS = f"""{ADD_LIMITS}
ON CONFLICT (limited, by) DO UPDATE SET state = excluded.state, at = excluded.at
"""
NOTE_COMMIT = """
INSERT INTO writer VALUES (%b, %b, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET number = excluded.number, at = excluded.at
"""
# The other parts are written only where the first was: two nodes' snapshots never mix.
KEEP_FIRST_PARTS = """
INSERT INTO snapshot (stream, seq, part, at, body)
SELECT r.stream, r.seq, 0, r.at, r.body
FROM unnest(%b, %b, %b, %b) r(stream, seq, at, body)
WHERE NOT EXISTS (
    SELECT 1 FROM snapshot s WHERE s.stream = r.stream AND s.seq >= r.seq AND s.part = 0
)
ON CONFLICT DO NOTHING RETURNING stream
"""
KEEP_OTHER_PARTS = """
INSERT INTO snapshot (stream, seq, part, at, body)
SELECT r.stream, r.seq, r.part, r.at, r.body
FROM unnest(%b, %b, %b, %b, %b) r(stream, seq, part, at, body)
ON CONFLICT (stream, seq, part) DO UPDATE SET at = excluded.at, body = excluded.body
"""
# One part of a large snapshot. Only the node that has written its last event takes it.
KEEP_PART = """
INSERT INTO snapshot (stream, seq, part, at, body) VALUES (%b, %b, %b, %b, %b)
ON CONFLICT (stream, seq, part) DO UPDATE SET at = excluded.at, body = excluded.body
"""
# A process that was killed may have left further parts of the same snapshot.
CUT_PARTS = "DELETE FROM snapshot WHERE stream = %b AND seq = %b AND part > %b"
FORGET_PARTS = """
DELETE FROM snapshot WHERE stream = %b AND (seq, part) IN (
    SELECT seq, part FROM snapshot WHERE stream = %b
    AND seq < (SELECT max(seq) FROM snapshot WHERE stream = %b AND part = 0) LIMIT %b
)
"""
KEEP_ONLY_NEWEST = """
DELETE FROM snapshot USING unnest(%b, %b) k(stream, seq)
WHERE snapshot.stream = k.stream AND snapshot.seq < k.seq
"""


def prepare_writer(connection: PostgresConnection) -> None:
    """Prepare the statements of a batch by executing them for nothing."""
    n, t, b = Numbers(), Texts(), Blobs()
    nothing: list[tuple[str, tuple[Any, ...]]] = [
        (LOCK_STREAMS, (n, t)),
        (NEWS_OF, (n, n, t, n)),
        (USED_OF, (t, t)),
        (LOCK_LIMITS, (t, t)),
        (NOW, ()),
        (ADD_STREAMS, (t,)),
        (ADD_EVENTS, (n, t, n, t, t, n, b, t)),
        (VOID_EVENT, ("", Int8(0))),
        (ADD_KEYS, (t, t, b, b, n)),
        (SET_LIMITS, (t, t, b)),
        (ADD_LIMITS, (t, t, b)),
        (NOTE_COMMIT, (Int8(connection.writer), Int8(0))),
    ]
    for statement, values in nothing:
        connection.run(statement, *values)


def prepare_reader(connection: PostgresConnection) -> None:
    """Prepare the statements of a batch that only reads."""
    n, t = Numbers(), Texts()
    connection.run(NEWS_OF, n, n, t, n)
    connection.run(USED_OF, t, t)
    connection.run(READ_LIMITS, t, t)
    connection.run(NOW)
