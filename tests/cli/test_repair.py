"""``hubbub repair``: what it says, and how it ends. Other tests define what is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from tests.cli.test_verify import damage, db

__all__ = ["db"]

HOLE = """
DELETE FROM event WHERE seq = 3
AND stream = (SELECT number FROM stream WHERE name LIKE 'room/%')
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "repaired.db"


def repaired(db: Path, copy: Path) -> Result:
    return CliRunner().invoke(app, ["repair", str(db), str(copy)])


def test_a_sound_database_is_copied(db: Path, copy: Path) -> None:
    result = repaired(db, copy)

    assert result.exit_code == 0
    assert result.stdout == f"{copy}: 3 streams, 8 events, 3 keys. Its journal_id is new.\n"


def test_it_lists_what_is_left_out(db: Path, copy: Path) -> None:
    damage(db, HOLE)
    result = repaired(db, copy)
    dropped, keys, summary = result.stdout.splitlines()

    assert result.exit_code == 1
    assert dropped.startswith("room/")
    assert dropped.endswith(": events 3 to 5 are left out: event 3: it is missing")
    assert keys.startswith("3 idempotency keys left out")
    assert summary == f"{copy}: 3 streams, 5 events, 0 keys. Its journal_id is new."


def test_a_lost_secret_is_told(db: Path, copy: Path) -> None:
    damage(db, "DELETE FROM meta WHERE name = 'secret'")

    assert "all users must sign in again" in repaired(db, copy).stdout


def test_a_page_that_cannot_be_read_is_told(db: Path, copy: Path) -> None:
    data = db.read_bytes()
    db.write_bytes(bytes(4096) + data[4096:])
    result = repaired(db, copy)

    assert "1 page of the file cannot be decoded." in result.stdout
    assert "8 events" in result.stdout


def test_an_existing_file_is_kept(db: Path, copy: Path) -> None:
    copy.write_text("mine")
    result = repaired(db, copy)

    assert result.exit_code == 1
    assert "exists already" in result.stderr
    assert copy.read_text() == "mine"
