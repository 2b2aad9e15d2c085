"""
An erasure that will be killed: it says when each statement is about to run.

Run as ``python doomed_erasure.py PATH USER``; a line is the number of a statement, and 0 at the
end.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from itertools import count

import apsw

from hubbub.journal.erase import erase, plan_erasure
from hubbub.journal.event import Streams
from hubbub.journal.stores.sqlite import SQLiteStore
from tests.features import ALL, STREAMS
from tests.journal.test_export import PRIVATE


def announce(number: int) -> None:
    """Write a line that is there for the reader even if this process ends right now."""
    os.write(1, f"{number}\n".encode())


def run(path: str, user: str) -> None:
    """Erase a user, statement by statement."""
    streams, numbers = Streams(STREAMS), count(1)
    with closing(SQLiteStore(path)) as store:
        plan = plan_erasure(store, streams, PRIVATE, ALL.erasures, ALL.renamed, user)

    def traced(cursor: object, sql: str, bindings: object) -> bool:
        announce(next(numbers))
        return True

    def trace(connection: apsw.Connection) -> None:
        connection.exec_trace = traced

    apsw.connection_hooks.append(trace)
    erase(path, streams, plan)
    announce(0)


if __name__ == "__main__":
    run(*sys.argv[1:])
