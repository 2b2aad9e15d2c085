"""The tables of a PostgreSQL database, and the migrations that bring it to this release's."""

from __future__ import annotations

from contextlib import suppress
from random import Random

import msgspec
from psycopg import Connection
from psycopg.errors import (
    DuplicateObject,
    DuplicateTable,
    UndefinedColumn,
    UndefinedTable,
    UniqueViolation,
)

from ....errors import StorageError
from ..contract import new_journal_id, new_secret

__all__ = [
    "PARTITIONS",
    "POSTGRES_MIGRATIONS",
    "POSTGRES_SCHEMA_VERSION",
    "PostgresMigration",
    "migrate_postgres",
]

# Each has indexes of its own, which stay small, and is vacuumed by itself.
PARTITIONS = 16

# Others cannot keep every text.
ENCODING = "UTF8"

# Nodes that open a new database at the same time may both try to make the first table.
_TRIES_MAX = 5
META = 'CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value text NOT NULL)'

# A stream's row is only a lock: it never changes, so nothing is left for VACUUM. A place is
# drawn while the locks are held. ``writer`` has the number of each connection's last commit.
_FIRST = """
CREATE TABLE stream (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE
);
CREATE SEQUENCE event_place;
CREATE TABLE event (
    stream bigint NOT NULL, seq bigint NOT NULL,
    place bigint NOT NULL DEFAULT nextval('event_place'), type text COLLATE "C" NOT NULL,
    by text COLLATE "C" NOT NULL, ref bigint, body bytea NOT NULL, words tsvector,
    PRIMARY KEY (stream, seq)
) PARTITION BY HASH (stream);
{partitions}
CREATE INDEX event_by_place ON event (place);
CREATE INDEX event_by_ref ON event (stream, ref, seq) WHERE ref IS NOT NULL;
CREATE INDEX event_deleted ON event (stream, ref) WHERE type = 'deleted';
CREATE TABLE used (
    by text COLLATE "C", key text COLLATE "C", fingerprint bytea NOT NULL, places bytea NOT NULL,
    at bigint NOT NULL, PRIMARY KEY (by, key)
);
CREATE INDEX used_by_at ON used (at);
CREATE TABLE snapshot (
    stream text COLLATE "C", seq bigint, part int, at text NOT NULL, body bytea NOT NULL,
    PRIMARY KEY (stream, seq, part)
);
CREATE UNLOGGED TABLE charged (
    limited text COLLATE "C", by text COLLATE "C", state bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(), PRIMARY KEY (limited, by)
);
CREATE TABLE node (
    id text COLLATE "C" PRIMARY KEY, name text NOT NULL, version text NOT NULL,
    seen timestamptz NOT NULL, leaving boolean NOT NULL
);
CREATE SEQUENCE writer_id;
CREATE TABLE writer (id bigint PRIMARY KEY, number bigint NOT NULL, at timestamptz NOT NULL);
"""
_PARTITION = """
CREATE TABLE event_{n} PARTITION OF event FOR VALUES WITH (MODULUS {all}, REMAINDER {n});
CREATE INDEX event_words_{n} ON event_{n} USING gin (words) WITH (gin_pending_list_limit = 256);
"""


class PostgresMigration(msgspec.Struct, frozen=True):
    """
    One step to a newer version. A released step never changes.

    Args:
        version: what the database is afterwards.
        release: the first release of Hubbub that knows this version.
        sql: what is executed.
    """

    version: int
    release: str
    sql: str


def _first() -> str:
    made = [_PARTITION.format(n=number, all=PARTITIONS) for number in range(PARTITIONS)]
    return _FIRST.replace("{partitions}", "".join(made))


POSTGRES_MIGRATIONS = (PostgresMigration(1, "0.3.0", _first()),)
POSTGRES_SCHEMA_VERSION = POSTGRES_MIGRATIONS[-1].version


def migrate_postgres(connection: Connection, random: Random, name: str) -> tuple[str, str]:
    """
    Make the tables, or bring them to the present version; nodes that do so wait for each other.

    Args:
        connection: in autocommit.
        random: where the id and the secret of a new journal come from.
        name: of the database, for the operator.

    Returns:
        The journal's id and its secret.

    Raises:
        StorageError: the database belongs to a newer release, is somebody else's, or cannot
            keep every text.
    """
    # Every sentence begins with it.
    name = name[:1].upper() + name[1:]
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != ENCODING:
        raise StorageError(
            f"{name} has the encoding {encoding}; make one with createdb --template=template0 "
            f"--encoding={ENCODING}."
        )
    _make_meta(connection)
    try:
        with connection.transaction():
            return _migrate(connection, random, name)
    except (DuplicateTable, UndefinedColumn, UndefinedTable) as error:
        raise StorageError(
            f"{name} has tables that are not Hubbub's; give Hubbub a database of its own."
        ) from error


def _migrate(connection: Connection, random: Random, name: str) -> tuple[str, str]:
    new = {
        "schema_version": "0",
        "journal_id": new_journal_id(random),
        "secret": new_secret(random),
    }
    insert = "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (name) DO NOTHING"
    for row in sorted(new.items()):
        connection.execute(insert, row)
    rows = connection.execute("SELECT name, value FROM meta ORDER BY name FOR UPDATE").fetchall()
    meta: dict[str, str] = dict(rows)
    version = int(meta["schema_version"])
    if version > POSTGRES_SCHEMA_VERSION:
        wanted = meta.get("needs_hubbub")
        release = "a newer Hubbub" if wanted is None else f"Hubbub {wanted} or newer"
        raise StorageError(
            f"{name} is a Hubbub database of version {version}, and this Hubbub knows versions up "
            f"to {POSTGRES_SCHEMA_VERSION}. Install {release}."
        )
    for migration in POSTGRES_MIGRATIONS:
        if migration.version > version:
            connection.execute(migration.sql)
            _note(connection, "schema_version", str(migration.version))
            _note(connection, "needs_hubbub", migration.release)
    return meta["journal_id"], meta["secret"]


def _note(connection: Connection, name: str, value: str) -> None:
    upsert = (
        "INSERT INTO meta VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    )
    connection.execute(upsert, (name, value))


def _make_meta(connection: Connection) -> None:
    for _ in range(_TRIES_MAX):
        # Without the right to create tables, to create an existing table fails, too.
        if connection.execute("SELECT to_regclass('meta')").fetchone() != (None,):
            return
        # Which of these errors it is depends on how far the other node is.
        with suppress(DuplicateObject, DuplicateTable, UniqueViolation):
            connection.execute(META)
