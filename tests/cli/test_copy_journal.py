"""``hubbub copy``; what it does is tested in tests/journal."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner, Result

import hubbub
from hubbub.cli.app import app
from tests.journal.stores.kinds import emptied


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["copy", *map(str, arguments)])


def test_it_goes_to_postgresql_and_back(
    db: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url, back = emptied(request), tmp_path / "back.db"
    there, again, home = run(db, url), run(db, url), run(url, back)

    assert (there.exit_code, again.exit_code, home.exit_code) == (0, 0, 0)
    assert there.stdout.endswith("Both are equal.\n")
    assert "; 0 of the events are new." in again.stdout
    assert home.stdout == there.stdout
    assert CliRunner().invoke(app, ["verify", str(back)]).exit_code == 0


def test_another_journal_is_refused_in_one_line(db: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"

    async def fill() -> None:
        async with hubbub.open(str(other)) as hub, hub.session("bob") as bob:
            await bob.chat.create_room("Lobby")

    anyio.run(fill)
    refused = run(db, other)

    assert refused.exit_code == 1
    assert "another journal" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_source_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    refused = run(tmp_path / "none.db", tmp_path / "copy.db")

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("target", ["memory://", "hubbub.db"])
def test_a_target_that_is_none_is_refused(target: str) -> None:
    refused = run("hubbub.db", target)

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
