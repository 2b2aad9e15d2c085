"""
A migration that will be killed: it says when each statement is about to run.

Run as ``python doomed_migration.py PATH``; a line is the number of a statement, and 0 at the
end. It continues when it has read a line.
"""

from __future__ import annotations

import os
import sys
from itertools import count

import apsw

from hubbub.journal.stores.migrations import migrate


def announce(number: int) -> None:
    """Write a line, and wait for one: the test decides when."""
    os.write(1, f"{number}\n".encode())
    os.read(0, 1)


def run(path: str) -> None:
    """Migrate a database, statement by statement."""
    database = apsw.Connection(path)
    version = int(database.pragma("user_version"))
    database.pragma("journal_mode", "wal")
    numbers = count(1)

    def traced(cursor: object, sql: str, bindings: object) -> bool:
        announce(next(numbers))
        return True

    database.exec_trace = traced
    migrate(database, version)
    database.exec_trace = None
    database.close()
    announce(0)


if __name__ == "__main__":
    run(sys.argv[1])
