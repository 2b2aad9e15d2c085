"""Errors over HTTP: problem documents, RFC 9457."""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ...errors import HubbubError, NotAllowed
from ...wire.messages import encode

__all__ = [
    "MalformedRequest",
    "Misdirected",
    "OtherOrigin",
    "Problem",
    "TooLarge",
    "Unknown",
    "on_http_exception",
    "on_hubbub_error",
    "problem_of",
]

logger = logging.getLogger("hubbub.server")

# Characters of the path that a problem document repeats.
PATH_CHARS_MAX = 200


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """
    The body of a response that has no result.

    Args:
        title: the status in words.
        status: the HTTP status.
        detail: the problem, and the way to solve it.
        code: the error's stable name, as on the WebSocket.
        reason: which error of that code, if there are several.
        retry_after: seconds after which the same request can succeed.
    """

    title: str
    status: int
    detail: str
    code: str
    reason: str | None = None
    retry_after: float | None = None
    type: str = "about:blank"


class Unknown(HubbubError):
    """The client is not signed in."""

    code, http_status, rpc_code = "not_allowed", 401, -32003


class TooLarge(HubbubError):
    """The body is larger than the limit."""

    code, http_status, rpc_code = "invalid", 413, -32600


class MalformedRequest(HubbubError):
    """The request cannot be read."""

    code, http_status, rpc_code = "invalid", 400, -32600


class Misdirected(HubbubError):
    """The server does not have this name."""

    code, http_status, rpc_code = "not_allowed", 421, -32003


class OtherOrigin(NotAllowed):
    """The request is from a page of another site."""

    reason = "other_origin"


def problem_of(error: Exception) -> Response:
    """Make a response for an error; if it is no HubbubError, log it and hide its text."""
    if isinstance(error, (RecursionError, UnicodeError)):
        # A client can cause it wherever the server reads its text, so it is the client's fault.
        logger.warning("a request could not be read: %s", type(error).__name__)
        error = MalformedRequest("The request is nested too deeply, or has text that is not UTF-8.")
    if not isinstance(error, HubbubError):
        logger.error("a request failed", exc_info=error)
        return _response(_problem(500, "The server failed; it is not your fault.", "internal"))
    problem = _problem(error.http_status, error.message, error.code)
    problem = msgspec.structs.replace(problem, reason=error.reason, retry_after=error.retry_after)
    return _response(problem)


async def on_hubbub_error(request: Request, error: Exception) -> Response:
    """
    Answer a request with a problem document (RFC 9457) for an error of a hub.

    It is for routes of your own: ``app.add_exception_handler(hubbub.HubbubError,
    on_hubbub_error)`` gives them the statuses and the bodies of Hubbub's own.
    """
    return problem_of(error)


async def on_http_exception(request: Request, error: Exception) -> Response:
    """Make a response for an unknown path or a wrong verb."""
    assert isinstance(error, HTTPException)
    code = {404: "not_found", 405: "invalid"}.get(error.status_code, "error")
    path = request.scope["path"][:PATH_CHARS_MAX]
    detail = f"{request.method} {path}: {error.detail}; see /openapi.json."
    return _response(_problem(error.status_code, detail, code), dict(error.headers or {}))


def _problem(status: int, detail: str, code: str) -> Problem:
    return Problem(HTTPStatus(status).phrase, status, detail, code)


def _response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    headers = headers or {}
    if problem.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if problem.retry_after is not None:
        # The header has whole seconds only; rounded down, the retry would be refused again.
        headers["Retry-After"] = str(int(-(-problem.retry_after // 1)))
    return Response(encode(problem), problem.status, headers, "application/problem+json")
