"""Errors as problem documents."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.errors import Banned, HubbubError, KeyReused, NotFound, RateLimited, StorageError
from hubbub.server.http.problem import problem_of


@pytest.mark.parametrize("kind", [NotFound, Banned, KeyReused, StorageError])
def test_an_error_has_its_status_and_code(kind: type[HubbubError]) -> None:
    problem = problem_of(kind("what to do"))
    shown = msgspec.json.decode(problem.body)

    assert problem.status_code == kind.http_status
    assert (shown["code"], shown.get("reason")) == (kind.code, kind.reason)
    assert shown["detail"] == "what to do"


@pytest.mark.parametrize(("wait", "header"), [(0.2, "1"), (1.0, "1"), (1.5, "2")])
def test_the_header_never_says_too_soon(wait: float, header: str) -> None:
    problem = problem_of(RateLimited("slower", retry_after=wait))

    assert problem.headers["retry-after"] == header
