"""A response for routes of your own, whose body is a result of Hubbub's."""

from __future__ import annotations

from starlette import responses

from ...wire.messages import encode

__all__ = ["JSONResponse"]


class JSONResponse(responses.JSONResponse):
    """
    Return results from a route of Starlette or FastAPI, as Hubbub's own HTTP interface does.

    It takes everything that Starlette's own class takes, and every result of a session, alone or
    anywhere in lists and dicts: users, messages, money, times.
    """

    def render(self, content: object) -> bytes:
        """Encode the content."""
        return encode(content)
