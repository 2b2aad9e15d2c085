"""The database or the server of an operator's command; tests/cli/test_users.py has more."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from hubbub.cli.administered import Administered, administer, first_line_of
from hubbub.cli.first_admin import PASSWORD_VARIABLE
from hubbub.errors import Invalid
from hubbub.features import ServiceAttributes


async def count(session: ServiceAttributes) -> int:
    return len(await session.users.list_users())


def test_a_failure_is_one_line_and_the_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended:
        administer(Administered(str(tmp_path / "none.db"), None, None), count)

    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == f"There is no database {tmp_path}/none.db.\n"


def test_without_a_sign_in_no_server_is_asked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HUBBUB_TOKEN", raising=False)
    with pytest.raises(typer.Exit):
        administer(Administered(None, "http://127.0.0.1:9", None), count)

    assert "HUBBUB_TOKEN" in capsys.readouterr().err


def test_without_a_terminal_an_admin_s_password_is_not_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    with pytest.raises(typer.Exit):
        administer(Administered(None, "http://127.0.0.1:9", "root"), count)

    assert PASSWORD_VARIABLE in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "secret"), [("secret", "secret"), ("two words \r\nmore\n", "two words ")]
)
def test_a_secret_is_the_first_line_of_its_file(tmp_path: Path, text: str, secret: str) -> None:
    (tmp_path / "file").write_bytes(text.encode())

    assert first_line_of(tmp_path / "file") == secret


@pytest.mark.parametrize("content", [b"", b"\nsecret", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(Invalid, match="file"):
        first_line_of(tmp_path / "file")
