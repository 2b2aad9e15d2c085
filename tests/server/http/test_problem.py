"""Errors as problem documents."""

from __future__ import annotations

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hubbub.errors import Banned, HubbubError, KeyReused, NotFound, RateLimited, StorageError
from hubbub.server import on_hubbub_error
from hubbub.server.http.problem import problem_of
from tests.server.api import http_of


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


async def test_an_application_answers_for_an_error_in_its_own_route() -> None:
    async def fail(request: Request) -> Response:
        raise NotFound("There is no room 7.")

    app = Starlette(
        routes=[Route("/fail", fail)], exception_handlers={HubbubError: on_hubbub_error}
    )
    async with http_of(app) as http:
        answer = await http.get("/fail")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"] == "There is no room 7."
