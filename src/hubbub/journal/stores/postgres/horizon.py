"""
Which places are decided: all events that have them are there, and no others will come.

A place is drawn while a transaction runs, so a lower one may become visible after a higher one.
The last drawn place is read, and then which transactions write events: every transaction
that has a place up to there is among them, or over. Once these are over, the place is settled.

The transactions are known by their locks. Their ids would not do: the end of a snapshot
(``pg_snapshot_xmax``) is not above the ids of transactions that still run, and its beginning
waits for every long transaction of the server, in whatever database.
"""

from __future__ import annotations

import time
from threading import Lock

from ....clock import SystemClock
from .connection import ConnectionPool, PostgresConnection

__all__ = ["Horizon"]

STEP_SECONDS = 0.001
LAST_DRAWN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM event_place"
# A transaction releases its locks after its rows have become visible.
WRITING = """
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'relation' AND relation = 'event'::regclass AND mode = 'RowExclusiveLock'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Horizon:
    """The last settled place of a database, as far as it is known."""

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool
        self._lock = Lock()
        self._server = ""
        # A place, and the transactions that may have it or a lower one.
        self._candidate: tuple[int, set[str]] | None = None
        self.settled = 0

    def advance(self, seconds: float) -> bool:
        """
        Settle the places that are drawn now, or at least some of them.

        Args:
            seconds: how long to wait for the transactions that have them.

        Returns:
            False if it takes longer.
        """
        clock = SystemClock()
        deadline = clock.monotonic() + seconds
        while True:
            with self._lock:
                if self._pool.retried(self._look):
                    return True
            if clock.monotonic() > deadline:
                return False
            time.sleep(STEP_SECONDS)

    def _look(self, connection: PostgresConnection) -> bool:
        if connection.server != self._server:
            # Another server may have lost places, and has transactions of its own.
            self._server, self._candidate, self.settled = connection.server, None, 0
        if self._candidate is None:
            [(drawn,)] = connection.rows(LAST_DRAWN)
            if drawn == self.settled:
                return True
            self._candidate = drawn, _writing(connection)
        place, writing = self._candidate
        if writing and writing & _writing(connection):
            return False
        self.settled, self._candidate = place, None
        return True


def _writing(connection: PostgresConnection) -> set[str]:
    return {transaction for (transaction,) in connection.rows(WRITING)}
