"""
Finds out whether a commit whose answer was lost was made.

Each writer has a row with the number of its last commit, which is written by the same
transaction. A new connection updates that row too, so it waits until the lost transaction is
over, and then reads the number that is certain.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg
from psycopg.types.numeric import Int8

from ....clock import SystemClock
from ....errors import HubbubError, StorageError
from .connection import PostgresConnection

__all__ = ["DOUBT_SECONDS_MAX", "was_committed"]

# How long a commit may be in doubt.
DOUBT_SECONDS_MAX = 15.0
RETRY_SECONDS = 0.05
# It inserts the row if there is none, which waits as well for a transaction that does so.
LAST_COMMIT = """
INSERT INTO writer VALUES (%b, 0, clock_timestamp())
ON CONFLICT (id) DO UPDATE SET at = clock_timestamp() RETURNING number
"""


def was_committed(
    connect: Callable[[], PostgresConnection],
    writer: int,
    number: int,
    seconds: float = DOUBT_SECONDS_MAX,
) -> bool:
    """
    Return whether a writer's commit was made; then it is durable.

    Args:
        connect: makes a new connection.
        writer: the writer's id.
        number: the commit's number.
        seconds: how long to try.

    Raises:
        StorageError: it cannot be found out yet.
    """
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while True:
        try:
            connection = connect()
            try:
                [(last,)] = connection.rows(LAST_COMMIT, Int8(writer))
            finally:
                connection.close()
            return bool(last == number)
        except (psycopg.Error, HubbubError) as error:
            if clock.monotonic() > deadline:
                raise StorageError(
                    "The database does not answer, and it is not known yet whether this command "
                    "was written; send it again with the same idempotency key."
                ) from error
        # The server may be starting, and the lost transaction times out soon.
        time.sleep(RETRY_SECONDS)
