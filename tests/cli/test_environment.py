"""The environment's variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from hubbub import Invalid
from hubbub.cli.environment import first_line, unknown_variables, with_secret_files


def test_a_misspelt_variable_is_named_with_what_was_meant() -> None:
    found = unknown_variables({"HUBBUB_MESSAGE_LIMT": "5", "PATH": "/bin"}, [])

    assert found == (
        "HUBBUB_MESSAGE_LIMT is not a setting or option, and is ignored. "
        "Did you mean HUBBUB_MESSAGE_LIMIT?"
    )


def test_all_misspelt_variables_are_one_line() -> None:
    found = unknown_variables({"HUBBUB_PROT": "1", "HUBBUB_XYZZY": "2"}, ["HUBBUB_PORT"])

    assert "HUBBUB_PROT is not" in found
    assert "HUBBUB_XYZZY is not" in found
    assert "Did you mean HUBBUB_PORT?" in found
    assert "\n" not in found


@pytest.mark.parametrize(
    "name",
    [
        *["HUBBUB_PORT", "HUBBUB_PAGE_MAX", "HUBBUB_URL", "HUBBUB_TOKEN", "HUBBUB_SECRET"],
        *["HUBBUB_ADMIN_PASSWORD", "HUBBUB_SECRET_FILE", "HUBBUB", "PORT"],
    ],
)
def test_a_known_variable_is_not_named(name: str) -> None:
    assert unknown_variables({name: "1"}, ["HUBBUB_PORT"]) == ""


def test_a_secret_comes_from_the_file_that_a_variable_names(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("swordfish\n")
    found = with_secret_files({"HUBBUB_SECRET_FILE": str(tmp_path / "secret"), "A": "b"})

    assert found["HUBBUB_SECRET"] == "swordfish"
    assert found["A"] == "b"


def test_only_secrets_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "number").write_text("5")
    found = with_secret_files({"HUBBUB_PAGE_MAX_FILE": str(tmp_path / "number")})

    assert "HUBBUB_PAGE_MAX" not in found


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=r"^HUBBUB_SECRET_FILE: .* cannot be read"):
        with_secret_files({"HUBBUB_SECRET_FILE": str(tmp_path / "none")})


@pytest.mark.parametrize("content", ["", "\n", "  \n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content)
    with pytest.raises(Invalid, match="is empty"):
        first_line(tmp_path / "secret", "HUBBUB_SECRET_FILE")
