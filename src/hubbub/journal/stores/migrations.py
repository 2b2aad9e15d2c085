"""
Migrations: they bring a SQLite database of an earlier version to the present version.

A database's version is a number in its header (``PRAGMA user_version``). Each migration is
one transaction that ends with the next number, so a process that is killed at any moment
leaves a whole database of one version or of the other. A released migration never changes:
each change of the tables is a new migration at the end.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Sequence

import apsw
import msgspec

__all__ = [
    "MIGRATIONS",
    "OLDEST_VERSION",
    "SCHEMA_VERSION",
    "Migration",
    "migrate",
    "needed_release",
    "note_release",
    "pending",
]

logger = logging.getLogger("hubbub.journal")

# The release that a database needs, for releases that do not know its version.
NEEDED = "INSERT OR REPLACE INTO meta VALUES ('needs_hubbub', ?)"


class Migration(msgspec.Struct, frozen=True):
    """
    One step to a newer version.

    Args:
        version: what the database is afterwards.
        release: the first release of Hubbub that knows this version.
        what: what changes and why, in a sentence for the operator.
        apply: changes the database, inside a transaction.
    """

    version: int
    release: str
    what: str
    apply: Callable[[apsw.Connection], None]


def _give_keys_a_time(database: apsw.Connection) -> None:
    # The time of the last event is not too early for any of the keys, and is in the file.
    database.execute("""
ALTER TABLE used ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
UPDATE used SET at = coalesce((
    SELECT CAST(strftime('%s', json_extract(CAST(body AS TEXT), '$.at')) AS INTEGER)
    FROM event ORDER BY id DESC LIMIT 1
), 0);
CREATE INDEX used_by_at ON used (at);
""")


def _index_deleted_events(database: apsw.Connection) -> None:
    # Release 0.1 made it whenever it opened a database, so most have it.
    database.execute(
        "CREATE INDEX IF NOT EXISTS event_deleted ON event (stream, ref) WHERE type = 'deleted'"
    )


def _let_snapshots_be_written_in_parts(database: apsw.Connection) -> None:
    database.execute("""
ALTER TABLE snapshot RENAME TO old_snapshot;
CREATE TABLE snapshot (
    stream TEXT NOT NULL, seq INTEGER NOT NULL, part INTEGER NOT NULL, at TEXT NOT NULL,
    body BLOB NOT NULL, UNIQUE (stream, seq, part)
) STRICT;
INSERT INTO snapshot (stream, seq, part, at, body)
    SELECT stream, seq, part, at, body FROM old_snapshot;
DROP TABLE old_snapshot;
""")


MIGRATIONS: Sequence[Migration] = (
    Migration(
        3,
        "0.1.0",
        "Idempotency keys get a time, so that they can expire.",
        _give_keys_a_time,
    ),
    Migration(
        4,
        "0.2.0",
        "Deleted messages have an index, and users can be disabled, which Hubbub 0.1 ignores.",
        _index_deleted_events,
    ),
    Migration(
        5,
        "0.3.0",
        "Large snapshots are written part by part, with commands in between.",
        _let_snapshots_be_written_in_parts,
    ),
)
# The oldest version that can be migrated.
OLDEST_VERSION = MIGRATIONS[0].version - 1
# The version of a new database, and of one after all migrations.
SCHEMA_VERSION = MIGRATIONS[-1].version


def pending(version: int) -> Sequence[Migration]:
    """Return the migrations that a database of some version lacks, in order."""
    return [one for one in MIGRATIONS if one.version > version]


def migrate(database: apsw.Connection, version: int, *, log_level: int = logging.WARNING) -> None:
    """
    Bring a database to the present version, one transaction for each migration.

    Args:
        database: opened for writing.
        version: what it is now, from ``OLDEST_VERSION`` on.
        log_level: of the line for each migration.
    """
    for migration in pending(version):
        with database:
            migration.apply(database)
            note_release(database, migration.release)
            database.pragma("user_version", migration.version)
        logger.log(
            log_level, "migrated the database to version %d: %s", migration.version, migration.what
        )


def note_release(database: apsw.Connection, release: str = MIGRATIONS[-1].release) -> None:
    """Write down which release a database needs, for older releases to say so."""
    database.execute(NEEDED, (release,))


def needed_release(database: apsw.Connection) -> str | None:
    """Return the release that a database of a newer version says it needs, if it does."""
    try:
        rows = database.execute("SELECT value FROM meta WHERE name = 'needs_hubbub'").fetchall()
    except apsw.SQLError:
        # Its version is so new that there is no such table.
        return None
    release = str(rows[0][0]) if rows else ""
    return release if re.fullmatch(r"[0-9]+(\.[0-9]+){1,3}", release) else None
