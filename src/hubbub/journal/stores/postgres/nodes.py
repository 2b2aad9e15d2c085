"""The rows of nodes: which live, by the database's clock."""

from __future__ import annotations

from ....errors import Conflict
from ..sharing import NodeRecord
from .connection import PostgresConnection

__all__ = ["beat_node", "refuse_live_nodes"]

BEAT = """
INSERT INTO node VALUES (%b, %b, %b, clock_timestamp(), %b)
ON CONFLICT (id) DO UPDATE SET name = excluded.name, version = excluded.version,
    seen = excluded.seen, leaving = excluded.leaving
"""
# Nobody asks for a commit so long after it, or for a node.
FORGET = (
    "DELETE FROM node WHERE seen < clock_timestamp() - interval '1 hour'",
    "DELETE FROM writer WHERE at < clock_timestamp() - interval '7 days'",
)
LIVE = """
SELECT name FROM node
WHERE seen > clock_timestamp() - interval '3 seconds' AND NOT leaving ORDER BY name
"""
ALL = """
SELECT id, name, version,
    greatest(0, extract(epoch FROM clock_timestamp() - seen))::double precision, leaving
FROM node ORDER BY id
"""


def beat_node(connection: PostgresConnection, node: NodeRecord) -> list[NodeRecord]:
    """Write a node's row, forget nodes that have been silent for long, and return all rows."""
    connection.run(BEAT, node.id, node.name, node.version, node.leaving)
    for old in FORGET:
        connection.run(old)
    return [NodeRecord(*row) for row in connection.rows(ALL)]


def refuse_live_nodes(connection: PostgresConnection) -> None:
    """
    Return if no node runs.

    Raises:
        Conflict: some run; it names them.
    """
    if names := [str(name) for (name,) in connection.rows(LIVE)]:
        raise Conflict(f"A server uses the database: {', '.join(names)}. Stop it first.")
