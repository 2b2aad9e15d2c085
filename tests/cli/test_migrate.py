"""``hubbub migrate``; what it does is tested in tests/journal."""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw
import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from hubbub.journal.stores.migrations import MIGRATIONS, SCHEMA_VERSION, pending
from tests.cli.program import program
from tests.journal.golden.make import GOLDEN


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_a_dry_run_shows_what_would_be_done(old: Path) -> None:
    before = old.read_bytes()
    result = run("migrate", old, "--dry-run")
    lacking = pending(3)

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"{old}: version 3; this Hubbub needs version {SCHEMA_VERSION}.",
        *(f"  {one.version} (Hubbub {one.release}): {one.what}" for one in lacking),
        f"{old}: nothing was changed; run it without --dry-run to migrate.",
    ]
    assert lacking[-1] == MIGRATIONS[-1]
    assert old.read_bytes() == before


def test_it_migrates_after_a_backup_and_says_where_that_is(old: Path) -> None:
    result, again = run("migrate", old), run("migrate", old)

    assert (result.exit_code, again.exit_code) == (0, 0)
    assert result.stdout.splitlines()[-2:] == [
        f"{old}.v3: a backup from before the migration.",
        f"{old}: migrated to version {SCHEMA_VERSION}.",
    ]
    assert again.stdout == (
        f"{old}: version {SCHEMA_VERSION}, which this Hubbub needs; nothing to do.\n"
    )
    assert run("verify", old).exit_code == 0


def test_without_a_backup_none_is_made(old: Path) -> None:
    result = run("migrate", old, "--no-backup")

    assert result.exit_code == 0
    assert "from before the migration" not in result.stdout
    assert not Path(f"{old}.v3").exists()


def test_a_backup_from_before_is_verified_and_stays_of_its_version(old: Path) -> None:
    run("migrate", old)
    verified = run("verify", f"{old}.v3")

    assert verified.exit_code == 0
    assert verified.stdout.endswith("no fault.\n")
    assert "version 3;" in run("migrate", f"{old}.v3", "--dry-run").stdout


def test_a_database_that_is_served_is_refused_with_what_to_do(tmp_path: Path, old: Path) -> None:
    with program(tmp_path, "serve", "--db", old, "--port", 0) as server:
        server.line_with("Hubbub serves")
        database = apsw.Connection(str(old))
        database.pragma("user_version", 3)
        database.close()
        result = run("migrate", old)

    assert result.exit_code == 1
    assert result.stderr.startswith(f"The database {old} is already open")


def test_a_file_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    result = run("migrate", tmp_path / "none.db")

    assert (result.exit_code, result.stderr) == (1, f"There is no database {tmp_path}/none.db.\n")
