"""The protocol class for uvicorn."""

from __future__ import annotations

import hubbub
from hubbub.server import Gateway, asyncio_socket
from hubbub.server.uvicorn_protocol import http_protocol


async def test_it_is_still_found_where_it_was() -> None:
    async with hubbub.open("memory://") as hub:
        made = getattr(asyncio_socket, "http_protocol")(Gateway(hub), "/ws")  # noqa: B009

        assert made.__mro__[1:] == http_protocol(Gateway(hub), "/ws").__mro__[1:]
