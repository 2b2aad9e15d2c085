"""
Events over HTTP as they come: server-sent events.

See https://html.spec.whatwg.org/multipage/server-sent-events.html. The ``id`` is the seq, so a
browser that reconnects by itself resumes after the last event that it has.
"""

from __future__ import annotations

import anyio
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from ...errors import Closed, HubbubError, Overloaded
from ...journal.actor import Actor
from ...journal.live.following import Events, Following
from ...wire.messages import encode, error_object
from ..gateway import Gateway

__all__ = ["EventStream"]

# Without events the server sends a comment so often, in seconds, for proxies in between.
PING_SECONDS = 15.0
# How long a client can take to make room for the end of the response, in seconds.
END_SECONDS_MAX = 3.0
PING = b": nothing new\n\n"
HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class EventStream(Response):
    """
    A response that continues as long as the client stays. Enter it, then send it.

    Args:
        gateway: counts it as one of its connections.
        following: the stream's events, not entered yet.
        actor: the user who follows.
    """

    media_type = "text/event-stream"

    _events: Events

    def __init__(self, gateway: Gateway, following: Following, actor: Actor) -> None:
        super().__init__()
        self.actor = actor
        self._scope = anyio.CancelScope()
        self._gateway = gateway
        self._following = following
        self._disconnected = False
        self._over = False

    async def enter(self) -> None:
        """
        Begin to follow.

        Raises:
            Overloaded: there are too many connections, in all or of this user.
            HubbubError: the user cannot follow the stream.
        """
        gateway = self._gateway
        if gateway.full:
            raise Overloaded("Too many connections; try again later.")
        if not gateway.places.enter_socket(self.actor.address):
            raise Overloaded("Your address has too many connections; close one first.")
        if not gateway.places.enter_user(self.actor.user):
            gateway.places.leave_socket(self.actor.address)
            raise Overloaded("You have too many connections; close one first.")
        gateway.enter_stream(self)
        try:
            self._events = await self._following.__aenter__()
        except BaseException:
            self._forget()
            raise

    def end(self) -> None:
        """End the response: its user has signed out, or the server stops."""
        self._over = True
        self._scope.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the client disconnects, loses its right to read, or the hub closes."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._end_at_disconnect, receive, tasks.cancel_scope)
                self._scope = tasks.cancel_scope
                cookies = [one for one in self.raw_headers if one[0] == b"set-cookie"]
                headers = HEADERS + cookies
                await send({"type": "http.response.start", "status": 200, "headers": headers})
                if scope["method"] != "HEAD" and not self._over:
                    await self._send_events(send)
                tasks.cancel_scope.cancel()
            if not self._disconnected:
                with anyio.move_on_after(END_SECONDS_MAX):
                    await send({"type": "http.response.body", "body": b""})
        finally:
            self._forget()
            # It waits for nothing; the shield is for a later change to that.
            with anyio.CancelScope(shield=True):
                await self._following.__aexit__(None, None, None)

    def drop(self) -> None:
        """End the response without a last part: the client does not read."""
        self._disconnected = True
        self._scope.cancel()
        self._forget()

    def _forget(self) -> None:
        if self in self._gateway.event_streams:
            self._gateway.leave_stream(self)
            self._gateway.places.leave_socket(self.actor.address)
            self._gateway.places.leave_user(self.actor.user)

    async def _end_at_disconnect(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._disconnected = True
        scope.cancel()

    async def _send_events(self, send: Send) -> None:
        try:
            await self._send_text(send, b": follows\n\n")
            while True:
                await self._send_text(send, await self._next())
        except Closed:
            # A browser reconnects by itself.
            return
        except HubbubError as error:
            shown = encode(error_object(error))
            await self._send_text(send, b"event: unfollowed\ndata: %b\n\n" % shown)

    async def _send_text(self, send: Send, text: bytes) -> None:
        self._gateway.sends.begin(self)
        try:
            await send({"type": "http.response.body", "body": text, "more_body": True})
        finally:
            self._gateway.sends.end(self)

    async def _next(self) -> bytes:
        with anyio.move_on_after(PING_SECONDS):
            seq, bodies = await self._events.batch()
            return b"".join(
                b"id: %d\ndata: %b\n\n" % (number, body) for number, body in enumerate(bodies, seq)
            )
        return PING
