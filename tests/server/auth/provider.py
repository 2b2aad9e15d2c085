"""An identity provider: a real HTTP server that publishes keys, and signs tokens with them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import anyio
import jwt
from anyio.abc import SocketAttribute, SocketStream
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from hubbub.clock import Clock
from hubbub.task_group import open_task_group

__all__ = ["Provider", "providing"]

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Provider:
    """Publishes the keys that the test chooses; it can also fail, or not answer."""

    def __init__(self) -> None:
        self.url = ""
        self.requests = 0
        self.status = "200 OK"
        self.headers = "Cache-Control: public, max-age=600\r\n"
        self.body: bytes | None = None
        self.silent = False
        self.asked = anyio.Event()
        self.answers = anyio.Event()
        self._private: dict[str, ec.EllipticCurvePrivateKey] = {}

    def publish(self, *key_ids: str) -> None:
        """Publish these keys and no others; a new one is made."""
        old = self._private
        self._private = {
            one: old.get(one) or ec.generate_private_key(ec.SECP256R1()) for one in key_ids
        }

    def token(self, key_id: str, clock: Clock, **headers: Any) -> str:
        """Sign a token of Ann's."""
        claims = {"sub": "ann", "exp": clock.now().timestamp() + 60}
        return jwt.encode(
            claims, self._private[key_id], algorithm="ES256", headers={"kid": key_id, **headers}
        )

    async def serve(self, stream: SocketStream) -> None:
        """Answer one request."""
        async with stream:
            await stream.receive()
            self.requests += 1
            self.asked.set()
            if self.silent:
                await self.answers.wait()
            body = self._set() if self.body is None else self.body
            head = f"HTTP/1.1 {self.status}\r\nContent-Length: {len(body)}\r\n{self.headers}\r\n"
            try:
                await stream.send(head.encode() + body)
            except anyio.BrokenResourceError:
                return

    def _set(self) -> bytes:
        keys = [
            {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": one}
            for one, key in self._private.items()
        ]
        return json.dumps({"keys": keys}).encode()


@asynccontextmanager
async def providing(*key_ids: str) -> AsyncIterator[Provider]:
    """Run a provider on this machine."""
    provider = Provider()
    provider.publish(*key_ids)
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    port = listener.extra(SocketAttribute.local_port)  # noqa: S610  # it is not Django's
    provider.url = f"http://127.0.0.1:{port}/.well-known/jwks.json"
    async with listener, open_task_group() as tasks:
        tasks.start_soon(listener.serve, provider.serve)
        yield provider
        tasks.cancel_scope.cancel()
