"""Overwrites events where they stand, while no node runs."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ....errors import Conflict
from ..contract import ErasurePlan
from .arrays import Blobs, Numbers, Texts
from .batches import terms_in
from .connection import PostgresConnection
from .nodes import refuse_live_nodes

__all__ = ["overwrite_events", "rewrite_tables"]

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


def overwrite_events(connection: PostgresConnection, plan: ErasurePlan) -> None:
    """
    Overwrite events in one transaction, and forget the user's keys and limits.

    Args:
        connection: whose transactions may last.
        plan: made of this database.

    Raises:
        Conflict: a node runs, or something was written since the plan was made.
    """
    with connection.raw.transaction():
        connection.run(LOCK)
        refuse_live_nodes(connection)
        if connection.rows(LAST) != [(plan.last,)]:
            raise Conflict("The database has changed meanwhile; try again.")
        terms = Texts(terms_in(body) for body in plan.bodies.values())
        connection.run(OVERWRITE, Numbers(plan.bodies), Blobs(plan.bodies.values()), terms)
        _rename(connection, plan.renamed)
        connection.run(FORGET_SNAPSHOTS, Texts([*plan.touched, *plan.renamed]))
        connection.run(FORGET_KEYS, Texts([plan.user]))
        connection.run(FORGET_LIMITS, Texts([plan.user]))


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
