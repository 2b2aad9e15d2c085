"""Overwrites events where they stand, while no node runs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from ....errors import Conflict
from .arrays import Blobs, Numbers, Texts
from .batches import terms_in
from .connection import PostgresConnection

__all__ = ["overwrite_events", "rewrite_tables"]

LIVE = """
SELECT name FROM node
WHERE seen > clock_timestamp() - interval '3 seconds' AND NOT leaving ORDER BY name
"""
# Nobody can write from here to the commit, not even a node that starts now.
LOCK = "LOCK TABLE event, stream, used, snapshot IN EXCLUSIVE MODE"
LAST = "SELECT coalesce(max(place), 0) FROM event"
OVERWRITE = """
UPDATE event SET body = r.body, words = array_to_tsvector(string_to_array(
    substr(replace(r.words, ' ', ' ' || event.stream || '·'), 2), ' '))
FROM unnest(%b, %b, %b) r(place, body, words) WHERE event.place = r.place
"""
RENAME = "UPDATE stream SET name = r.new FROM unnest(%b, %b) r(old, new) WHERE name = r.old"
FORGET_SNAPSHOTS = "DELETE FROM snapshot WHERE stream = ANY(%b)"
FORGET_KEYS = "DELETE FROM used WHERE by = ANY(%b)"
FORGET_LIMITS = "DELETE FROM charged WHERE by = ANY(%b)"
KEYS_OF = "SELECT by, key, places FROM used"
MOVE_KEYS = """
UPDATE used SET places = r.places FROM unnest(%b, %b, %b) r(by, key, places)
WHERE used.by = r.by AND used.key = r.key
"""
# It rewrites the tables, and leaves no old version of a row.
REWRITE = "VACUUM (FULL, ANALYZE) event, used, snapshot"

_Places = list[tuple[str, int]]
_decode = msgspec.json.Decoder(_Places).decode
_encode = msgspec.json.Encoder().encode


def overwrite_events(  # noqa: PLR0913
    connection: PostgresConnection,
    user: str,
    last: int,
    bodies: Mapping[int, bytes],
    touched: Collection[str],
    renamed: Mapping[str, str],
) -> None:
    """
    Overwrite events in one transaction, and forget the user's keys and limits.

    Args:
        connection: a writer.
        user: the user's id.
        last: the place of the newest event when this was planned.
        bodies: the place of an event -> its new body.
        touched: the streams of these events.
        renamed: streams that get another name.

    Raises:
        Conflict: a node runs, or something was written since ``last``.
    """
    with connection.raw.transaction():
        connection.run(LOCK)
        if names := [str(name) for (name,) in connection.rows(LIVE)]:
            raise Conflict(f"A server uses the database: {', '.join(names)}. Stop it first.")
        if connection.rows(LAST) != [(last,)]:
            raise Conflict("The database has changed meanwhile; try again.")
        terms = Texts(terms_in(body) for body in bodies.values())
        connection.run(OVERWRITE, Numbers(bodies), Blobs(bodies.values()), terms)
        _rename(connection, renamed)
        connection.run(FORGET_SNAPSHOTS, Texts([*touched, *renamed]))
        connection.run(FORGET_KEYS, Texts([user]))
        connection.run(FORGET_LIMITS, Texts([user]))


def rewrite_tables(connection: PostgresConnection) -> None:
    """Rewrite the tables, so that no copy of overwritten events is left in them."""
    connection.raw.execute(REWRITE)


def _rename(connection: PostgresConnection, renamed: Mapping[str, str]) -> None:
    if not renamed:
        return
    connection.run(RENAME, Texts(renamed), Texts(renamed.values()))
    moved = []
    for by, key, places in connection.rows(KEYS_OF):
        old = _decode(places)
        new = [(renamed.get(stream, stream), seq) for stream, seq in old]
        if new != old:
            moved.append((by, key, _encode(new)))
    columns = (
        Texts(by for by, _, _ in moved),
        Texts(key for _, key, _ in moved),
        Blobs(places for _, _, places in moved),
    )
    connection.run(MOVE_KEYS, *columns)
