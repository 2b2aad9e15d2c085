"""An application that embeds the library: ``uvicorn tests.cluster.embedding:app --workers 2``."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

import hubbub
from hubbub.chat.events import Said

__all__ = ["DATABASE", "app"]

# The environment variable with the URL of the journal.
DATABASE = "EMBEDDING_DATABASE"


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the hub of this worker."""
    async with hubbub.open(os.environ[DATABASE]) as hub:
        app.state.hub = hub
        yield


async def create(request: Request) -> JSONResponse:
    """Make a room; return its id."""
    async with request.app.state.hub.session("host", role="admin") as host:
        return JSONResponse((await host.chat.create_room("Lounge", key="Lounge")).id)


async def say(request: Request) -> JSONResponse:
    """Say something in a room; return the process that does so."""
    room, text = request.path_params["room"], request.query_params["text"]
    async with request.app.state.hub.session("host", role="admin") as host:
        await host.chat.send(room, text)
    return JSONResponse(os.getpid())


async def hear(request: Request) -> StreamingResponse:
    """Return this process, and then the messages of a room, each as a line."""
    room = request.path_params["room"]

    async def lines() -> AsyncIterator[str]:
        yield f"{os.getpid()}\n"
        async with (
            request.app.state.hub.session("host", role="admin") as host,
            host.follow(f"room/{room}", after=0) as events,
        ):
            async for event in events:
                if isinstance(event.data, Said):
                    yield f"{event.data.text}\n"

    return StreamingResponse(lines())


app = Starlette(
    routes=[
        Route("/rooms", create, methods=["POST"]),
        Route("/rooms/{room}/say", say, methods=["POST"]),
        Route("/rooms/{room}/hear", hear),
    ],
    lifespan=lifespan,
)
