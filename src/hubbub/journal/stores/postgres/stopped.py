"""Ends transactions that hold locks while the node that began them does nothing."""

from __future__ import annotations

import logging

from .connection import PostgresConnection

__all__ = ["HOLDER_SECONDS_MAX", "end_stopped_holders"]

logger = logging.getLogger("hubbub.journal")

# A node that works holds its locks for some milliseconds.
HOLDER_SECONDS_MAX = 2
# Those whose client has not sent anything for so long, though they have locked streams. The
# server ends most of them by itself; it does not end one that stopped in the middle of a COPY.
END = f"""
SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()
AND wait_event = 'ClientRead'
AND xact_start < clock_timestamp() - interval '{HOLDER_SECONDS_MAX} seconds'
AND state_change < clock_timestamp() - interval '{HOLDER_SECONDS_MAX} seconds'
AND pid IN (
    SELECT pid FROM pg_locks WHERE mode IN ('RowShareLock', 'RowExclusiveLock')
    AND relation IN ('stream'::regclass, 'charged'::regclass)
)
"""


def end_stopped_holders(connection: PostgresConnection) -> int:
    """End such transactions, of any node; return how many."""
    ended = len(connection.raw.execute(END).fetchall())
    if ended:
        logger.warning(
            "ended %d transactions that held locks for over %d seconds: a node is stopped or cut "
            "off",
            ended,
            HOLDER_SECONDS_MAX,
        )
    return ended
