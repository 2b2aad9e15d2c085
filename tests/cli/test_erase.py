"""``hubbub erase``; what it overwrites is tested in tests/journal."""

from __future__ import annotations

import shutil
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

import hubbub
from hubbub.cli.app import app
from hubbub.errors import NotAllowed
from hubbub.journal.upgrade import upgrade
from tests.journal.golden.make import GOLDEN, PASSWORD


@pytest.fixture
def db(tmp_path: Path) -> Path:
    path = Path(shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "hubbub.db"))
    upgrade(path, keeps_backup=False)
    return path


def run(*arguments: object, typed: str | None = None) -> Result:
    return CliRunner().invoke(app, ["erase", *map(str, arguments)], input=typed)


def test_a_dry_run_and_a_no_change_nothing(db: Path) -> None:
    before = db.read_bytes()
    dry, no = run("Ann", db, "--dry-run"), run("Ann", db, typed="n\n")

    assert (dry.exit_code, no.exit_code) == (0, 1)
    assert dry.stdout.startswith(f"{db}: 26")
    assert "events of ann have texts or names of the user." in dry.stdout
    assert "nothing was changed" in dry.stdout
    assert "cannot be undone" in no.stderr
    assert db.read_bytes() == before


def test_an_erased_user_has_no_text_no_name_and_no_way_in(db: Path) -> None:
    result = run("ANN", db, "--yes")
    verified = CliRunner().invoke(app, ["verify", str(db)])

    async def come_in() -> None:
        async with hubbub.open(str(db)) as hub:
            with pytest.raises(NotAllowed):
                await hub.accounts.sign_in("Ann", PASSWORD, "here")
            with pytest.raises(NotAllowed, match="disabled"):
                async with hub.session("ann"):
                    pass

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == (
        f"{db}: ann is erased. Erase the user from your backups, too."
    )
    assert verified.exit_code == 0
    assert b"only for Bob" not in db.read_bytes()
    anyio.run(come_in)


def test_a_user_who_is_not_there_and_an_older_database_are_refused(
    db: Path, tmp_path: Path
) -> None:
    old = shutil.copy(GOLDEN / "0.1.0.db", tmp_path / "old.db")

    assert run("nobody", db, "--yes").stderr == "There is no user 'nobody'.\n"
    assert run("ann", old, "--yes").stderr.endswith(f"run `hubbub migrate {old}` first.\n")
