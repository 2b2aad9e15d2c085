"""The queries of readers; each looks up keys, and each value is a ``%b``."""

from __future__ import annotations

__all__ = [
    "ABOUT_REF",
    "COMMITTED_BETWEEN",
    "COUNT_KIND",
    "FIND_WORDS",
    "HEADS",
    "KEYS_AFTER",
    "KIND_BACKWARD",
    "KIND_FORWARD",
    "NAMES_BETWEEN",
    "NEWEST_PLACE",
    "READ_EVENTS",
    "RECORDS_AFTER",
    "SNAPSHOTS_BEHIND",
    "SNAPSHOTS_OF",
    "STREAM_LENGTHS",
    "TAILS_OF",
    "TAKEN_BACK_SEQS",
    "USED_KEY",
]

_STREAM = "(SELECT id FROM stream WHERE name = %b)"
_DELETED = """EXISTS (
    SELECT 1 FROM event deleted WHERE deleted.stream = event.stream AND deleted.type = 'deleted'
    AND deleted.ref = coalesce(abs(event.ref), event.seq)
)"""

READ_EVENTS = f"""
SELECT body FROM event WHERE stream = {_STREAM} AND seq > %b ORDER BY seq LIMIT %b
"""
ABOUT_REF = f"""
SELECT body FROM event WHERE stream = {_STREAM} AND ref BETWEEN %b AND %b ORDER BY seq
"""
KIND_FORWARD = f"""
SELECT body FROM event WHERE stream = {_STREAM}
AND seq > %b AND seq < %b AND type = %b ORDER BY seq LIMIT %b
"""
KIND_BACKWARD = KIND_FORWARD.replace("ORDER BY seq", "ORDER BY seq DESC")
COUNT_KIND = f"""
SELECT count(*) FROM (
    SELECT 1 FROM event WHERE stream = {_STREAM} AND seq > %b AND type = %b AND by <> %b
    AND NOT EXISTS (
        SELECT 1 FROM event deleted WHERE deleted.stream = event.stream
        AND deleted.type = 'deleted' AND deleted.ref = event.seq
    ) LIMIT %b
) found
"""
TAKEN_BACK_SEQS = f"""
SELECT seq FROM event WHERE stream = {_STREAM} AND seq > %b AND seq <= %b AND EXISTS (
    SELECT 1 FROM event WHERE stream = {_STREAM} AND type = 'deleted' AND ref IS NOT NULL
) AND {_DELETED} ORDER BY seq
"""
RECORDS_AFTER = f"""
SELECT seq, type, by, abs(ref), body FROM event
WHERE stream = {_STREAM} AND seq > %b ORDER BY seq LIMIT %b
"""
USED_KEY = "SELECT fingerprint, places, at FROM used WHERE by = %b AND key = %b"
KEYS_AFTER = """
SELECT by, key, fingerprint, places, at FROM used
WHERE (by, key) > (%b, %b) ORDER BY by, key LIMIT %b
"""
# The terms of a text begin with their stream's number, so that the cost of a search depends on
# its stream alone.
FIND_WORDS = """
SELECT DISTINCT coalesce(abs(ref), seq) AS about FROM event
WHERE stream = %b AND words @@ %b::text::tsquery AND coalesce(abs(ref), seq) < %b
ORDER BY about DESC LIMIT %b
"""
HEADS = """
SELECT s.name, e.seq FROM unnest(%b) k(name)
JOIN LATERAL (SELECT id, name FROM stream WHERE name = k.name OFFSET 0) s ON true
JOIN LATERAL (
    SELECT seq FROM event WHERE stream = s.id ORDER BY seq DESC LIMIT 1
) e ON true
"""
STREAM_LENGTHS = """
SELECT s.name, e.events FROM stream s
JOIN LATERAL (SELECT count(*) AS events FROM event WHERE stream = s.id) e ON e.events > 0
ORDER BY s.name
"""
NAMES_BETWEEN = "SELECT name FROM stream WHERE name > %b AND name < %b ORDER BY name LIMIT %b"
_PARTS = "SELECT stream, seq, at, body FROM snapshot s WHERE {} ORDER BY stream, part"
# A snapshot is complete when it has its part 0, which is written last.
_NEWEST = """seq = (
    SELECT max(seq) FROM snapshot newest WHERE newest.stream = s.stream AND newest.part = 0
)"""
SNAPSHOTS_OF = _PARTS.format(f"stream = ANY(%b) AND {_NEWEST}")
SNAPSHOTS_BEHIND = _PARTS.format(
    "stream IN (SELECT DISTINCT stream FROM snapshot WHERE stream > %b ORDER BY stream LIMIT %b)"
    f" AND {_NEWEST}"
)
# For many streams at once: the index of the name, and an event.
TAILS_OF = """
SELECT k.n - 1, e.body FROM unnest(%b, %b) WITH ORDINALITY k(name, after, n)
JOIN LATERAL (SELECT id FROM stream WHERE name = k.name OFFSET 0) s ON true
JOIN LATERAL (
    SELECT body FROM event WHERE stream = s.id AND seq > k.after ORDER BY seq LIMIT %b
) e ON true
"""
COMMITTED_BETWEEN = f"""
SELECT place, body, {_DELETED} FROM event WHERE place > %b AND place <= %b ORDER BY place LIMIT %b
"""
NEWEST_PLACE = "SELECT place FROM event WHERE place <= %b ORDER BY place DESC LIMIT 1"
