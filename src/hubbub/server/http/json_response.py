"""What your own routes return: a response whose body is a result of Hubbub's."""

from __future__ import annotations

from starlette import responses

from ...wire.messages import encode

__all__ = ["JSONResponse"]


class JSONResponse(responses.JSONResponse):
    """
    Return results from a route of Starlette or FastAPI, as Hubbub's own HTTP interface does.

    It takes what Starlette's own takes, and every result of a session besides, by itself or
    anywhere in lists and dicts: users, messages, money, times.
    """

    def render(self, content: object) -> bytes:
        """Encode the content."""
        return encode(content)
