"""An HTTP client of an application in the same process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx2
from starlette.applications import Starlette

import hubbub
from hubbub.server import create_app
from tests.server.running import SETTINGS

__all__ = ["Api", "api", "http_of"]


class Api(NamedTuple):
    """A hub, and a client of its application."""

    hub: hubbub.Hubbub
    http: httpx2.AsyncClient

    async def sign_in(self, nickname: str) -> dict[str, str]:
        """Sign a guest in; return the headers that say so."""
        answer = await self.http.post("/api/users/sign_in", json={"nickname": nickname})
        return {"Authorization": f"Bearer {answer.json()['token']}"}


@asynccontextmanager
async def api(settings: hubbub.Settings = SETTINGS) -> AsyncIterator[Api]:
    """Open a hub in memory, and its application."""
    async with (
        hubbub.open("memory://", settings=settings) as hub,
        http_of(create_app(hub)) as http,
    ):
        yield Api(hub, http)


def http_of(app: Starlette) -> httpx2.AsyncClient:
    """Make a client of an application."""
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")
