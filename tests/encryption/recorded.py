"""Connections whose frames are written down, and a search for secrets in what there is."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

from hubbub.client.dial import Dial, Transport
from hubbub.client.transport import dialer, socket_url

__all__ = ["files_in", "forms_of", "found_in", "recording_dialer"]


class RecordingTransport:
    """
    A connection that writes down what passes.

    Args:
        transport: the connection.
        frames: takes the frames of both directions.
    """

    def __init__(self, transport: Transport, frames: list[bytes]) -> None:
        self._transport = transport
        self._frames = frames

    async def send(self, frame: bytes) -> None:
        self._frames.append(frame)
        await self._transport.send(frame)

    async def receive(self) -> str:
        frame = await self._transport.receive()
        self._frames.append(str(frame).encode())
        return str(frame)


def recording_dialer(frames: list[bytes]) -> Callable[[str], Dial]:
    """Return what opens connections to a server over a socket, and writes frames down."""

    def make(url: str) -> Dial:
        dial = dialer(socket_url(url))

        @asynccontextmanager
        async def recorded() -> AsyncGenerator[Transport]:
            async with dial() as transport:
                yield RecordingTransport(transport, frames)

        return recorded

    return make


def forms_of(secret: bytes | str) -> set[bytes]:
    """Return the forms in which a secret may be written somewhere."""
    if isinstance(secret, str):
        wide = {secret.encode("utf-16-le"), secret.encode("utf-16-be")}
        secret = secret.encode()
    else:
        wide = set()
    hexadecimal = secret.hex().encode()
    forms = {secret, hexadecimal, hexadecimal.upper(), *wide}
    for offset in range(3):
        # The characters at either end depend on what is beside the secret.
        padded = base64.b64encode(bytes(offset) + secret)
        inner = padded[4 if offset else 0 : len(secret) * 4 // 3 - 1]
        forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return forms


def found_in(places: dict[str, bytes], secrets: Iterable[bytes | str]) -> list[tuple[str, bytes]]:
    """Return where which form of which secret is."""
    forms = {form for secret in secrets for form in forms_of(secret)}
    return [(name, form) for name, content in places.items() for form in forms if form in content]


def files_in(directory: Path) -> dict[str, bytes]:
    """Return the content of all files in a directory."""
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
