"""``hubbub compact``; what it removes is tested in tests/journal."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from hubbub.journal.upgrade import upgrade
from tests.journal.golden.make import GOLDEN, renew_snapshots


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    upgrade(path, keeps_backup=False)
    renew_snapshots(path)
    database = apsw.Connection(str(path))
    database.execute("CREATE TABLE junk (x); INSERT INTO junk VALUES (zeroblob(1000000))")
    database.execute("DROP TABLE junk; UPDATE used SET at = 5 WHERE key = 'lobby'")
    # The keys of the release get older than any that expire, and these tests have the true time.
    database.execute("UPDATE used SET at = unixepoch() WHERE key != 'lobby'")
    database.close()
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compact", *map(str, arguments)])


def test_a_dry_run_changes_nothing(db: Path) -> None:
    before = db.read_bytes()
    result = run(db, "--dry-run")
    lines = result.stdout.splitlines()

    assert result.exit_code == 0
    assert lines[0].startswith(f"{db}: {db.stat().st_size:,} bytes")
    assert lines[1:3] == ["  expired keys: 1", "  outdated snapshots: 0 (0 bytes)"]
    assert lines[-1] == f"{db}: nothing was changed; run it without --dry-run to compact."
    assert db.read_bytes() == before


def test_it_tells_the_sizes_before_and_after(db: Path) -> None:
    before = db.stat().st_size
    result = run(db)
    after = db.stat().st_size
    saved = f"{1 - after / before:.0%}"

    assert result.exit_code == 0
    assert after < before / 5
    assert result.stdout.splitlines()[-1] == f"{db}: {after:,} bytes now, {saved} less."
    assert CliRunner().invoke(app, ["verify", str(db)]).exit_code == 0


def test_how_old_a_key_gets_is_an_option_or_the_setting(
    db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for_ever = run(db, "--dry-run", "--key-days", 100_000)
    monkeypatch.setenv("HUBBUB_KEY_DAYS", "100000")
    by_setting = run(db, "--dry-run")

    assert "expired keys: 0" in for_ever.stdout
    assert "expired keys: 0" in by_setting.stdout


def test_an_older_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    old = shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db")
    result = run(old)

    assert (result.exit_code, result.stderr) == (
        1,
        f"An older Hubbub made {old}; run `hubbub migrate {old}` first.\n",
    )
