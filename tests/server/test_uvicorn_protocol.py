"""The protocol class for uvicorn."""

from __future__ import annotations

import anyio

import hubbub
from hubbub.server import Gateway, asyncio_socket
from hubbub.server.uvicorn_protocol import OpenTransports, UvicornProtocol, http_protocol


async def test_it_is_still_found_where_it_was() -> None:
    async with hubbub.open("memory://") as hub:
        made = asyncio_socket.http_protocol(Gateway(hub), "/ws")

        assert issubclass(made, UvicornProtocol)


async def test_each_gateway_has_a_class_of_its_own() -> None:
    async with hubbub.open("memory://") as hub:
        one, two = (http_protocol(Gateway(hub), path) for path in ("/ws", "/live/ws"))

    assert (one.path, two.path) == ("/ws", "/live/ws")
    assert one.transports is not two.transports


async def test_nothing_open_is_nothing_to_wait_for() -> None:
    with anyio.fail_after(1):
        await OpenTransports().end(60)
