"""``hubbub backup`` and ``hubbub restore``; what they do is tested in tests/journal."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
from typer.testing import CliRunner, Result

from hubbub.cli.app import app
from tests.cli.program import program, run_program


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_a_database_is_copied_and_put_back(db: Path, tmp_path: Path) -> None:
    copy, again = tmp_path / "copy.db", tmp_path / "again.db"
    copied, restored = run("backup", db, copy), run("restore", copy, again)

    assert (copied.exit_code, restored.exit_code) == (0, 0)
    assert copied.stdout == f"Copied {db} to {copy}: {copy.stat().st_size:,} bytes.\n"
    assert restored.stdout == f"Restored {again} from {copy}. Its journal_id is new.\n"
    assert run("verify", again).exit_code == 0


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_what_is_there_is_replaced_by_force_only(db: Path, tmp_path: Path, command: str) -> None:
    target = tmp_path / "target.db"
    target.write_text("precious")
    refused = run(command, db, target)
    forced = run(command, db, target, "--force")

    assert (refused.exit_code, forced.exit_code) == (1, 0)
    assert (
        refused.stderr == f"{target} exists already; use another name, or --force to replace it.\n"
    )


def test_what_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    missing = run("backup", tmp_path / "nothing.db", tmp_path / "copy.db")

    assert (missing.exit_code, missing.stderr.count("\n")) == (1, 1)


def test_a_served_database_is_copied_and_not_replaced(tmp_path: Path) -> None:
    with program(tmp_path, "serve", "--port", 0, "--demo") as server:
        address = server.line_with("Hubbub serves").split()[2]
        copied = run_program(tmp_path, "backup", "hubbub.db", "copy.db")
        refused = run_program(tmp_path, "restore", "--force", "copy.db", "hubbub.db")
        health = httpx2.get(f"{address}/health")
    verified = run_program(tmp_path, "verify", "copy.db")

    assert (copied.code, refused.code, verified.code) == (0, 1, 0)
    assert "is open; stop the server first." in refused.err
    assert health.status_code == 200
