"""
One client: frames in, frames out, without a task of its own.

Commands are submitted as they come, in order, without waiting for earlier ones, and
are answered when their batch is durable. Only methods that must wait for more than
a decision run as tasks, in the hub's task group.
"""

from __future__ import annotations

import logging
from functools import partial
from typing import Any, Protocol

import anyio
import msgspec

from ..errors import Closed, Conflict, HubbubError, Invalid, NotAllowed, Overloaded
from ..journal.command import Call
from ..journal.topic import Form
from ..ratelimit import TokenBucket
from ..service import check_limit
from ..session import LocalSession
from ..users.service import Known
from ..wire.messages import Ended, Followed, error_object, signal_frame
from ..wire.peer import Asked, Malformed, Peer, UnknownMethod, decode_params
from .auth import Identity
from .follow import Follow
from .gateway import Gateway
from .sign_in import SignIn

__all__ = ["Connection", "Socket"]

logger = logging.getLogger("hubbub.server")


class Socket(Protocol):
    """What carries the frames of one client."""

    # Where the client is.
    address: str
    # True while the socket asks for a pause; chunks wait, answers do not.
    paused: bool

    @property
    def form(self) -> Form:
        """Make what send_chunk takes: one function for all sockets of a kind."""

    def send(self, payload: bytes) -> None:
        """Send one text frame, at the latest when the gateway is flushed."""

    def flush(self) -> None:
        """Send what has gathered."""

    def send_chunk(self, chunk: bytes) -> None:
        """Send what ``form`` has made."""

    def close(self, code: int, reason: str) -> None:
        """Close with a code and a reason."""

    def check_alive(self) -> None:
        """Ping the client; hang up if nothing came since the last time."""


class StreamParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The params of ``session.follow``, ``session.unfollow`` and ``session.read``."""

    stream: str
    after: int | None = None
    limit: int = 100


class CancelParams(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The params of ``session.cancel``: the id of a request that is being answered."""

    id: int | str


_cancel_params = msgspec.json.Decoder(CancelParams)
_sign_in = msgspec.json.Decoder(SignIn)
_stream_params = msgspec.json.Decoder(StreamParams)


class _Running:
    """A request that is answered by a task, which may not have begun."""

    __slots__ = ("asked", "cancelled", "scope")

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.cancelled = False
        self.scope: anyio.CancelScope | None = None

    def cancel(self) -> None:
        self.cancelled = True
        if self.scope is not None:
            self.scope.cancel()


class Connection:
    """
    One client of a gateway.

    Args:
        gateway: what all connections share.
        socket: what carries the frames.
    """

    __slots__ = (
        "_follows",
        "_gateway",
        "_in_flight",
        "_limit",
        "_peer",
        "_running",
        "_signing_in",
        "_socket",
        "session",
    )

    def __init__(self, gateway: Gateway, socket: Socket) -> None:
        self.session: LocalSession | None = None
        self._gateway = gateway
        self._socket = socket
        self._peer = Peer(asks=False)
        self._follows: dict[str, Follow] = {}
        self._in_flight = 0
        # What came behind a sign-in that is not through yet.
        self._signing_in: list[Asked] | None = None
        self._running: dict[_Running, None] | None = None
        self._limit: TokenBucket | None = None
        gateway.connections[self] = socket

    def receive(self, payload: bytes | str) -> None:
        """Take one frame in."""
        for happening in self._peer.receive(payload):
            if isinstance(happening, Asked):
                self._take(happening)
            elif isinstance(happening, Malformed) and happening.frame is not None:
                self._socket.send(happening.frame)
        self._gateway.flush()

    def oversize(self) -> None:
        """Tell the client that a frame was too large to be read."""
        self._socket.send(self._peer.oversize(self._gateway.settings.frame_bytes_max))
        self._gateway.flush()

    def resume(self) -> None:
        """Go on with what waited for the socket."""
        for follow in list(self._follows.values()):
            follow.flush()

    def release(self, *, lost: bool = True) -> None:
        """Let go of everything: the socket is gone; not lost if the client has closed it."""
        self._gateway.connections.pop(self, None)
        for follow in self._follows.values():
            follow.release()
        self._follows.clear()
        for running in list(self._running or ()):
            running.cancel()
        if self.session is not None:
            caller = self.session.caller
            self._gateway.sockets.pop(caller, None)
            self._gateway.hub.disconnect(caller, lost=lost)
            self.session = None

    def _take(self, asked: Asked) -> None:
        try:
            self._check_pace()
        except HubbubError as error:
            self._refuse(asked, error)
        else:
            self._ask(asked)

    def _ask(self, asked: Asked) -> None:
        try:
            if self._signing_in is not None:
                self._signing_in.append(asked)
            elif asked.method == "session.sign_in":
                self._sign_in(asked)
            elif self.session is None:
                raise NotAllowed("Sign in first: call session.sign_in.")
            else:
                self._dispatch(asked, self.session)
        except Exception as error:  # it is told to the client, and logged
            self._refuse(asked, error)

    def _check_pace(self) -> None:
        settings = self._gateway.settings
        if self._in_flight + len(self._signing_in or ()) >= settings.requests_in_flight_max:
            raise Overloaded("Too many requests are waiting for their answer; wait for one.")
        if self._limit is None:
            burst = max(1, int(2 * settings.requests_per_second))
            self._limit = TokenBucket(burst, 2.0, what="requests")
        self._limit.charge(settings.clock.monotonic())

    def _dispatch(self, asked: Asked, session: LocalSession) -> None:
        route = self._gateway.routes.get(asked.method)
        if route is None:
            self._dispatch_session(asked, session)
            return
        arguments = msgspec.structs.asdict(decode_params(asked, route.decoder))
        service = getattr(session, route.service)
        if route.method.plain:
            decision = route.method.begin(service, arguments)
            self._submit(Call(decision, session.caller.lane, partial(self._done, asked)))
        else:
            self._run(asked, partial(route.method.begin, service, arguments))

    def _dispatch_session(self, asked: Asked, session: LocalSession) -> None:
        match asked.method:
            case "session.follow":
                self._follow(asked, session)
            case "session.unfollow":
                params = self._stream_params(asked)
                if (follow := self._follows.pop(params.stream, None)) is not None:
                    follow.release()
                self._answer(asked, None)
            case "session.cancel":
                self._cancel(decode_params(asked, _cancel_params).id)
                self._answer(asked, None)
            case "session.read":
                params = self._stream_params(asked)
                check_limit(params.limit, self._gateway.settings.page_max)
                self._run(asked, self._read, session, params)
            case _:
                raise UnknownMethod(f"There is no method {asked.method!r}; see /openapi.json.")

    def _submit(self, call: Call[Any]) -> None:
        self._gateway.hub.journal.submit(call)
        self._in_flight += 1

    def _done(self, asked: Asked, call: Call[Any]) -> None:
        self._in_flight -= 1
        if call.error is None:
            self._answer(asked, call.value)
        else:
            self._refuse(asked, call.error)

    # Methods that run as tasks

    def _run(self, asked: Asked, work: Any, *args: object) -> None:
        if not self._gateway.hub.is_open:
            raise Closed("The hub is closing; come back in a moment.")
        self._in_flight += 1
        running = _Running(asked)
        if self._running is None:
            self._running = {}
        self._running[running] = None
        self._gateway.hub.start(self._run_task, running, work, *args)

    async def _run_task(self, running: _Running, work: Any, *args: object) -> None:
        asked = running.asked
        try:
            with anyio.CancelScope() as running.scope:
                if running.cancelled:
                    running.scope.cancel()
                try:
                    self._answer(asked, await work(*args))
                except Exception as error:  # it is told to the client, and logged
                    self._refuse(asked, error)
            if running.scope.cancelled_caught and self.session is not None:
                self._refuse(asked, Conflict("You have cancelled this request."))
        finally:
            assert self._running is not None
            del self._running[running]
            self._in_flight -= 1
            self._gateway.flush()

    def _cancel(self, number: object) -> None:
        for running in list(self._running or ()):
            if running.asked.id == number:
                running.cancel()

    async def _read(self, session: LocalSession, params: StreamParams) -> list[msgspec.Raw]:
        journal, user = self._gateway.hub.journal, session.caller.user
        await session.caller.execute(journal.check_command(user, params.stream))
        bodies = await journal.read(params.stream, params.after or 0, params.limit, by=user)
        return [msgspec.Raw(body) for body in bodies]

    # Signing in

    def _sign_in(self, asked: Asked) -> None:
        if self.session is not None:
            raise Conflict("You are signed in already; open another connection.")
        sign_in = decode_params(asked, _sign_in)
        sign_ins = self._gateway.sign_ins
        if sign_ins.takes_time(sign_in):
            self._gateway.hub.start(self._sign_in_slowly, asked, sign_in)
            self._in_flight += 1
        else:
            self._submit_sign_in(asked, sign_in, sign_ins.identify(sign_in))
        self._signing_in = []

    async def _sign_in_slowly(self, asked: Asked, sign_in: SignIn) -> None:
        self._in_flight -= 1
        try:
            address = self._socket.address
            identity = await self._gateway.sign_ins.identify_slowly(sign_in, address)
            self._submit_sign_in(asked, sign_in, identity)
        except Exception as error:  # it is told to the client, and logged
            self._refuse(asked, error)
            self._go_on()
            self._gateway.flush()

    def _submit_sign_in(self, asked: Asked, sign_in: SignIn, identity: Identity) -> None:
        signed_in = partial(self._signed_in, asked, sign_in, identity)
        address = self._socket.address
        self._submit(self._gateway.sign_ins.call(sign_in, identity, address, signed_in))

    def _signed_in(
        self,
        asked: Asked,
        sign_in: SignIn,
        identity: Identity,
        session: LocalSession,
        call: Call[Known],
    ) -> None:
        self._in_flight -= 1
        gateway = self._gateway
        if self not in gateway.connections:
            return
        if call.error is None:
            gateway.hub.connect(session.caller)
            self.session = session
            gateway.sockets[session.caller] = (identity.session, self._socket)
            known = call.outcome()
            self._answer(asked, gateway.sign_ins.answer(sign_in, identity, session, known))
        else:
            self._refuse(asked, call.error)
        self._go_on()

    def _go_on(self) -> None:
        """Take what came behind the sign-in."""
        waiting, self._signing_in = self._signing_in or (), None
        for later in waiting:
            self._ask(later)

    # Following

    def _follow(self, asked: Asked, session: LocalSession) -> None:
        params = self._stream_params(asked)
        if params.stream in self._follows:
            raise Conflict(f"You follow {params.stream!r} already.")
        if len(self._follows) >= self._gateway.settings.follows_max:
            raise Overloaded("You follow too many streams; unfollow one.")
        user = session.caller.user
        follow = Follow(self._gateway.hub, self._socket, params.stream, user, self._ended)
        follow.follower.signal = self._signal
        call = follow.call(params.after, partial(self._followed, asked, follow))
        self._follows[params.stream] = follow
        try:
            self._submit(call)
        except HubbubError:
            del self._follows[params.stream]
            raise

    def _followed(self, asked: Asked, follow: Follow, call: Call[int]) -> None:
        self._in_flight -= 1
        # It may have been unfollowed, and followed anew, while this was under way.
        current = self._follows.get(follow.stream) is follow
        if call.error is not None:
            if current:
                del self._follows[follow.stream]
            self._refuse(asked, call.error)
            return
        self._answer(asked, Followed(call.outcome()))
        if current:
            follow.begin()
        else:
            follow.release()

    def _signal(self, body: bytes) -> None:
        if not self._socket.paused:
            self._socket.send(signal_frame(body))

    def _ended(self, stream: str, error: HubbubError) -> None:
        if (follow := self._follows.pop(stream, None)) is not None:
            follow.release()
            ended = Ended(stream, error_object(error))
            self._socket.send(self._peer.tell("unfollowed", ended))
            self._gateway.flush()

    def _stream_params(self, asked: Asked) -> StreamParams:
        params = decode_params(asked, _stream_params)
        if params.after is not None and params.after < 0:
            raise Invalid(f"A seq is a number from 0, not {params.after}.")
        return params

    # Answers

    def _answer(self, asked: Asked, result: object) -> None:
        if (frame := self._peer.answer(asked, result)) is not None:
            self._socket.send(frame)

    def _refuse(self, asked: Asked, error: Exception) -> None:
        if not isinstance(error, HubbubError):
            logger.error("%s failed", asked.method, exc_info=error)
        if (frame := self._peer.refuse(asked, error)) is not None:
            self._socket.send(frame)
