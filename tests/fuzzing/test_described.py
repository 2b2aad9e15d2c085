"""Which operations schemathesis tries, as which user, and for how long."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.fuzzing.described import ENDING, UNCHECKED, WAITING, commands
from tests.server.api import api

ADDRESS = "http://127.0.0.1:1"


def after(command: list[str], option: str) -> list[str]:
    return [word for before, word in pairwise(command) if before == option]


def test_each_user_asks_and_what_ends_a_session_comes_last() -> None:
    first, second, last = commands(ADDRESS, ["one", "two"], 0)

    assert [after(c, "--header") for c in (first, second, last)] == [
        ["Authorization: Bearer one"],
        ["Authorization: Bearer two"],
        ["Authorization: Bearer one"],
    ]
    assert after(first, "--exclude-operation-id") == [*ENDING, *WAITING]
    assert after(last, "--include-operation-id") == [*ENDING]


@pytest.mark.parametrize(("seconds", "phases"), [(0, ["coverage"] * 3), (1, ["coverage"] * 3)])
def test_a_short_run_draws_nothing(seconds: float, phases: list[str]) -> None:
    found = commands(ADDRESS, ["one", "two"], seconds)

    assert [phase for command in found for phase in after(command, "--phases")] == phases


def test_a_long_run_draws_as_each_user() -> None:
    found = commands(ADDRESS, ["one", "two"], 60)

    assert [limit for command in found for limit in after(command, "--max-time")] == ["30", "30"]


def test_all_is_checked_except_what_the_description_cannot_say() -> None:
    for command in commands(ADDRESS, ["one"], 9):
        assert after(command, "--checks") == ["all"]
        assert after(command, "--exclude-checks") == [",".join(UNCHECKED)]


async def test_the_operations_that_it_names_exist() -> None:
    async with api() as (_, http):
        paths = (await http.get("/openapi.json")).json()["paths"]

    known = {verb["operationId"] for verbs in paths.values() for verb in verbs.values()}
    assert {*ENDING, *WAITING} <= known
