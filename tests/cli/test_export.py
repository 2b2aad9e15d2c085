"""``hubbub export``; what is in an export is tested in tests/journal."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from hubbub.journal.upgrade import plan_upgrade
from tests.cli.program import program
from tests.journal.golden.make import GOLDEN


@pytest.fixture
def db(tmp_path: Path) -> Path:
    return Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["export", *map(str, arguments)])


def test_a_user_is_exported_by_the_name_of_the_account_or_the_id(db: Path) -> None:
    by_name, by_id = run("ANN", db), run("bob", db)

    assert (by_name.exit_code, by_id.exit_code) == (0, 0)
    assert by_name.stderr == "ann: 282 events, 3 keys.\n"
    for result, user in ((by_name, "ann"), (by_id, "bob")):
        lines = [msgspec.json.decode(line) for line in result.stdout.splitlines()]
        assert (lines[0]["user"], lines[-1]["record"]) == (user, "end")


def test_a_file_is_for_its_owner_only_and_replaces_none(db: Path, tmp_path: Path) -> None:
    out = tmp_path / "ann.jsonl"
    written, refused = run("ann", db, "--out", out), run("bob", db, "--out", out)

    assert (written.exit_code, written.stdout) == (0, "")
    assert out.stat().st_mode & 0o777 == 0o600
    assert msgspec.json.decode(out.read_bytes().splitlines()[0])["user"] == "ann"
    assert (refused.exit_code, "use another name" in refused.stderr) == (1, True)


def test_half_an_export_is_not_left_behind(db: Path, tmp_path: Path) -> None:
    result = run("nobody", db, "--out", tmp_path / "nobody.jsonl")
    nowhere = run("ann", db, "--out", tmp_path / "none" / "ann.jsonl")

    assert (result.exit_code, result.stderr) == (1, "There is no user 'nobody'.\n")
    assert not (tmp_path / "nobody.jsonl").exists()
    assert (nowhere.exit_code, "cannot be written" in nowhere.stderr) == (1, True)


def test_an_old_database_stays_of_its_version(db: Path) -> None:
    run("ann", db)

    assert plan_upgrade(db).version == 3


def test_a_database_that_is_served_is_refused(tmp_path: Path) -> None:
    db = tmp_path / "served.db"
    with program(tmp_path, "serve", "--db", db, "--port", 0) as server:
        server.line_with("Hubbub serves")
        result = run("ann", db)

    assert (result.exit_code, "already open" in result.stderr) == (1, True)
