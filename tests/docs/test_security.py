"""The page on security names limits and tests that exist, and leaves no limit of a client out."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from hubbub import Settings
from tests.docs import limits_table
from tests.docs.examples import ROOT

PAGE = ROOT / "docs" / "explanation" / "security.md"
SETTINGS = set(Settings.__struct_fields__)

# How the settings that limit somebody are called.
LIMITS = re.compile(r"_(max|min|limit|attempts|per_second|per_user|per_address)$")
# These limit no client: how long stopping takes, and how matchmaking widens.
NO_CLIENTS = {"drain_seconds_max", "rating_range_per_second"}


def promises() -> Iterator[list[str]]:
    """Yield each row of the tables: a promise, its limits, its tests."""
    for line in PAGE.read_text().splitlines():
        if line.startswith("| ") and not line.startswith(("| promise", "| ---")):
            yield [cell.strip() for cell in line.strip("|").split("|")]


def quoted(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def is_limit(name: str) -> bool:
    """Tell whether there is such a setting, or such a constant in that module."""
    if name in SETTINGS:
        return True
    module, _, constant = name.rpartition(".")
    path = limits_table.SOURCE / f"{module.replace('.', '/')}.py"
    defined = re.compile(rf"^{constant}(:.*)? = ", re.MULTILINE)
    return path.exists() and defined.search(path.read_text()) is not None


def is_test(name: str) -> bool:
    """Tell whether there is such a test in that file."""
    file, _, function = name.partition("::")
    path = ROOT / "tests" / file
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return (
        function.startswith("test_")
        and path.exists()
        and any(
            isinstance(n, kinds) and n.name == function for n in ast.parse(path.read_text()).body
        )
    )


ROWS = list(promises())


def test_there_are_promises() -> None:
    assert len(ROWS) > 50


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_promise_has_limits_and_tests_that_are_there(row: list[str]) -> None:
    _, limits, tests = row

    assert quoted(tests)
    assert not [test for test in quoted(tests) if not is_test(test)]
    assert not [limit for limit in quoted(limits) if not is_limit(limit)]


def test_every_setting_that_limits_a_client_is_on_the_page() -> None:
    named = {limit for _, limits, _ in ROWS for limit in quoted(limits)}

    assert {name for name in SETTINGS if LIMITS.search(name)} - named == NO_CLIENTS


def test_the_settings_of_the_prose_are_there() -> None:
    prose = "\n".join(line for line in PAGE.read_text().splitlines() if not line.startswith("|"))
    named = {name for name in quoted(prose) if re.fullmatch(r"[a-z]+(_[a-z]+)+", name)}

    assert named
    assert not named - SETTINGS
