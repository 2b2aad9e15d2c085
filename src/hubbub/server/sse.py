"""
Events over HTTP as they come: server-sent events.

See https://html.spec.whatwg.org/multipage/server-sent-events.html. The ``id`` is the
seq, so a browser that reconnects by itself goes on after the last one it got.
"""

from __future__ import annotations

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ..errors import Closed, HubbubError
from ..journal.follow import Events, Following
from ..wire.messages import encode, error_object

__all__ = ["EventStream"]

# A comment is sent when nothing happens, so that proxies keep the connection.
PING_SECONDS = 15.0
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """
    The answer that goes on as long as the client stays.

    Args:
        following: a follow that was entered; it is left at the end.
        events: what it gave.
    """

    media_type = "text/event-stream"

    def __init__(self, following: Following, events: Events) -> None:
        super().__init__()
        self._following = following
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client goes, or its right to read ends, or the hub closes."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_cancel_at_disconnect, receive, tasks.cancel_scope)
                await self._send_events(send)
                tasks.cancel_scope.cancel()
        finally:
            await self._following.__aexit__(None, None, None)

    async def _send_events(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        text: bytes | None = b": follows\n\n"
        while text is not None:
            await send({"type": "http.response.body", "body": text, "more_body": True})
            text = await self._next()
        await send({"type": "http.response.body", "body": b""})

    async def _next(self) -> bytes | None:
        try:
            with anyio.move_on_after(PING_SECONDS):
                seq, bodies = await self._events.chunk()
                return b"".join(
                    b"id: %d\ndata: %b\n\n" % (number, body)
                    for number, body in enumerate(bodies, seq)
                )
        except Closed:
            return None
        except HubbubError as error:
            self._events = _Ended()
            return b"event: unfollowed\ndata: %b\n\n" % encode(error_object(error))
        return b": nothing new\n\n"


class _Ended(Events):
    """What comes after the end: nothing."""

    def __init__(self) -> None:
        pass

    async def chunk(self) -> tuple[int, list[bytes]]:
        raise Closed("The follow has ended.")


async def _cancel_at_disconnect(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
