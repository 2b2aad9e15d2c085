"""``hubbub verify``: what it says, and how it ends. Other tests define the faults."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import anyio
import apsw
import pytest
from typer.testing import CliRunner, Result

import hubbub
from hubbub.cli.app import app
from hubbub.journal.verify import FAULTS_MAX
from tests.cli.program import program


@pytest.fixture
def db(tmp_path: Path) -> Path:
    async def fill() -> None:
        async with hubbub.open(str(tmp_path / "hubbub.db")) as hub, hub.session("ann") as ann:
            room = await ann.chat.create_room("Lobby")
            for number in range(3):
                await ann.chat.send(room.id, f"message {number}", key=str(number))

    anyio.run(fill)
    return tmp_path / "hubbub.db"


def damage(db: Path, sql: str) -> None:
    connection = apsw.Connection(str(db))
    connection.execute(sql)
    connection.close()


def verified(db: Path) -> Result:
    return CliRunner().invoke(app, ["verify", str(db)])


def test_a_sound_database_is_reported(db: Path) -> None:
    result = verified(db)

    assert result.exit_code == 0
    assert result.stdout == f"{db}: 3 streams, 8 events, 0 snapshots, 3 keys: no fault.\n"


def test_faults_are_listed(db: Path) -> None:
    damage(
        db,
        "DELETE FROM event WHERE seq = 3"
        " AND stream = (SELECT number FROM stream WHERE name LIKE 'room/%')",
    )
    result = verified(db)
    fault, summary = result.stdout.splitlines()

    assert result.exit_code == 1
    assert fault.endswith(", event 4: event 3 is missing before it")
    assert summary == f"{db}: 3 streams, 7 events, 0 snapshots, 3 keys: 1 fault."


def test_of_very_many_faults_the_first_are_listed(db: Path) -> None:
    damage(
        db,
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)"
        " INSERT INTO used (by, key, fingerprint, places)"
        " SELECT 'eve', i, x'00', '[[\"room/0\",1]]' FROM n",
    )
    lines = verified(db).stdout.splitlines()

    assert len(lines) == FAULTS_MAX + 2
    assert lines[-2] == "… and 500 faults more"
    assert lines[-1].endswith("1,503 keys: 1,500 faults.")


def test_a_database_that_is_served_is_refused(db: Path) -> None:
    with program(db.parent, "serve", "--db", db, "--port", 0) as server:
        server.line_with("Hubbub serves")
        result = verified(db)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"The database {db} is already open")


def test_a_foreign_database_is_refused(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE something (x)")
    other.close()
    result = verified(tmp_path / "other.db")

    assert result.exit_code == 1
    assert "is not a hubbub database" in result.stderr


def test_an_empty_file_does_not_become_a_database(tmp_path: Path) -> None:
    (tmp_path / "empty.db").touch()
    result = verified(tmp_path / "empty.db")

    assert result.exit_code == 1
    assert result.stderr == f"{tmp_path / 'empty.db'} is empty, so it is not a Hubbub database.\n"
    assert (tmp_path / "empty.db").stat().st_size == 0


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    result = verified(tmp_path / "none.db")

    assert result.exit_code == 2
    assert not (tmp_path / "none.db").exists()
