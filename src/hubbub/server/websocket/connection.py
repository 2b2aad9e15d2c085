"""
One client: frames in, frames out, without a task of its own.

The connection submits commands in the order in which they come, without waiting for earlier
ones, and answers them when their batch is durable. Only methods that wait for more than a
decision run as tasks, in the hub's task group.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import msgspec

from ...errors import Closed, Conflict, HubbubError, NotAllowed, Overloaded
from ...journal.command import Call, Verdict
from ...journal.live.attaching import check_command
from ...journal.live.topic import cut
from ...ratelimit import TokenBucket
from ...service import Service, check_limit, check_seq
from ...session import LocalSession
from ...users.signing_in import SignedIn
from ...wire.messages import Ended, Followed, error_object, signal_frame
from ...wire.peer import Malformed, Peer, Request, UnknownMethod, decode_params
from ..auth.sign_in import SignIn
from ..auth.tokens import Identity
from ..gateway import BUSY, REASONS, Gateway
from .follow import SocketFollow
from .in_flight import InFlight
from .request_tasks import RequestTasks
from .socket import Socket

__all__ = ["Connection"]

logger = logging.getLogger("hubbub.server")

# Characters of an unknown method that the error repeats.
METHOD_CHARS_MAX = 100


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


class Connection:
    """
    One client of a gateway.

    Args:
        gateway: the gateway that all connections share.
        socket: carries the frames.
    """

    __slots__ = (
        "_follows",
        "_gateway",
        "_pace",
        "_peer",
        "_signing_in",
        "_socket",
        "_tasks",
        "in_flight",
        "session",
    )

    def __init__(self, gateway: Gateway, socket: Socket) -> None:
        self.session: LocalSession | None = None
        self._gateway = gateway
        self._socket = socket
        self._peer = Peer(asks=False)
        self._follows: dict[str, SocketFollow] = {}
        requests_max = gateway.settings.requests_in_flight_max
        self.in_flight = InFlight(requests_max, self._take, socket.read_on)
        # Requests that came during the sign-in, which is not decided yet.
        self._signing_in: list[Request] | None = None
        self._tasks: RequestTasks | None = None
        # The rate limit of requests; a connection without requests needs none.
        self._pace: TokenBucket | None = None
        gateway.enter(self, socket)

    def receive(self, payload: bytes | str) -> None:
        """Take one frame in, and send the answers that are there."""
        self.take(payload)
        self._gateway.flush()

    def take(self, payload: bytes | str) -> None:
        """Take one frame in; answers gather until the gateway's next flush."""
        for message in self._peer.receive(payload):
            if isinstance(message, Request):
                self.in_flight.add(message)
            elif isinstance(message, Malformed) and message.frame is not None:
                self._socket.send(message.frame)

    def oversize(self) -> None:
        """Tell the client that a frame was too large to be read."""
        self._socket.send(self._peer.oversize(self._gateway.settings.frame_bytes_max))
        self._gateway.flush()

    @property
    def paused(self) -> bool:
        """True while the client does not read."""
        return self._socket.paused

    @property
    def full(self) -> bool:
        """True while requests wait for the answers to earlier ones: then read no more."""
        return self.in_flight.full

    def resume(self) -> None:
        """Start the tasks and the writes that waited for the socket."""
        if self._tasks is not None:
            self._tasks.begin()
        for follow in list(self._follows.values()):
            follow.flush()

    def release(self, *, lost: bool = True) -> None:
        """Release everything; ``lost`` is False if the client has closed the socket for good."""
        self._gateway.connections.pop(self, None)
        self.in_flight.release()
        for follow in self._follows.values():
            follow.release()
        self._follows.clear()
        if self._tasks is not None:
            self._tasks.release()
            self._tasks = None
        if self.session is not None:
            actor = self.session.actor
            self._gateway.leave_session(actor)
            self._gateway.places.leave_user(actor.user)
            self._gateway.hub.disconnect(actor, lost=lost)
            self.session = None

    def _take(self, request: Request) -> None:
        """Carry out a request, in its turn."""
        try:
            if self._pace is None:
                self._pace = self._gateway.new_pace()
            self._pace.charge(self._gateway.monotonic())
            self._dispatch(request)
        except Exception as error:  # the client gets it, and the log
            self.refuse(request, error)

    def _dispatch(self, request: Request) -> None:
        session = self.session
        if session is None or self._signing_in is not None:
            self._before_sign_in(request)
            return
        route = self._gateway.routes.get(request.method)
        if route is None:
            self._dispatch_session(request, session)
            return
        arguments = msgspec.structs.asdict(decode_params(request, route.decoder))
        service: Service = getattr(session, route.service)
        if service.waits(route.method):
            self._run(request, partial(service.begin, route.method, arguments))
            return
        decision = service.begin(route.method, arguments)
        if decision.before is not None:
            self._run(request, partial(session.actor.execute, decision))
        else:
            call = Call(decision, session.actor.queue, partial(self._done, request))
            self._gateway.hub.journal.submit(call)

    def _dispatch_session(self, request: Request, session: LocalSession) -> None:
        match request.method:
            case "session.sign_in":
                raise Conflict("You are already signed in; open another connection.")
            case "session.follow":
                self._follow(request, session)
            case "session.unfollow":
                params = self._stream_params(request)
                if (follow := self._follows.pop(params.stream, None)) is not None:
                    follow.release()
                self.answer(request, None)
            case "session.cancel":
                number = decode_params(request, _cancel_params).id
                if self._tasks is not None:
                    self._tasks.cancel(number)
                self.answer(request, None)
            case "session.read":
                params = self._stream_params(request)
                check_limit(params.limit, self._gateway.settings.page_max)
                self._run(request, partial(self._read, session, params))
            case _:
                shown = request.method[:METHOD_CHARS_MAX]
                raise UnknownMethod(f"There is no method {shown!r}; see /openapi.json.")

    def _done(self, request: Request, call: Call[Any]) -> None:
        verdict = call.command.verdict
        if call.error is not None:
            self.refuse(request, call.error)
        elif verdict is None:
            self.answer(request, call.value)
        else:
            # Not a task of the connection: a late verdict must not delay its other requests.
            verdict.on_settled(partial(self._judged, request, call, verdict))

    def _judged(self, request: Request, call: Call[Any], verdict: Verdict) -> None:
        if verdict.error is None:
            self.answer(request, call.value)
        else:
            self.refuse(request, verdict.error)
        self.flush()

    def _run(self, request: Request, work: Callable[[], Awaitable[object]]) -> None:
        if not self._gateway.hub.is_open:
            raise Closed("The hub is closing; reconnect.")
        if self._tasks is None:
            self._tasks = RequestTasks(self, self._gateway.hub.start)
        self._tasks.add(request, work)

    async def _read(self, session: LocalSession, params: StreamParams) -> list[msgspec.Raw]:
        journal, user = self._gateway.hub.journal, session.actor.user
        await session.actor.execute(check_command(user, params.stream))
        bodies = await journal.read(params.stream, params.after or 0, params.limit, by=user)
        return [msgspec.Raw(body) for body in cut(bodies, self._gateway.settings.page_bytes_max)]

    # Signing in

    def _before_sign_in(self, request: Request) -> None:
        if self._signing_in is not None:
            self._signing_in.append(request)
        elif request.method == "session.sign_in":
            self._sign_in(request)
        else:
            raise NotAllowed("Sign in first: call session.sign_in.")

    def _sign_in(self, request: Request) -> None:
        sign_in = decode_params(request, _sign_in)
        sign_ins = self._gateway.sign_ins
        if sign_ins.takes_time(sign_in):
            self._gateway.hub.start(self._sign_in_slowly, request, sign_in)
        else:
            self._submit_sign_in(request, sign_in, sign_ins.identify(sign_in))
        self._signing_in = []

    async def _sign_in_slowly(self, request: Request, sign_in: SignIn) -> None:
        try:
            address = self._socket.address
            identity = await self._gateway.sign_ins.identify_slowly(sign_in, address)
            self._submit_sign_in(request, sign_in, identity)
        except Exception as error:  # the client gets it, and the log
            self.refuse(request, error)
            self._go_on()
            self.flush()

    def _submit_sign_in(self, request: Request, sign_in: SignIn, identity: Identity) -> None:
        signed_in = partial(self._signed_in, request, sign_in, identity)
        address = self._socket.address
        call = self._gateway.sign_ins.call(sign_in, identity, address, signed_in)
        self._gateway.hub.journal.submit(call)

    def _signed_in(
        self,
        request: Request,
        sign_in: SignIn,
        identity: Identity,
        session: LocalSession,
        call: Call[SignedIn],
    ) -> None:
        gateway = self._gateway
        if self not in gateway.connections:
            return
        if call.error is not None:
            self.refuse(request, call.error)
        elif not gateway.places.enter_user(session.actor.user):
            self.refuse(request, Overloaded(REASONS[BUSY]))
            # Without a user it would still hold a place that another client could have.
            gateway.close_soon(self._socket, BUSY)
        else:
            gateway.hub.connect(session.actor)
            self.session = session
            self._socket.signed_in()
            gateway.enter_session(session.actor, identity.session, self._socket)
            signed_in = call.outcome()
            self.answer(request, gateway.sign_ins.answer(sign_in, identity, session, signed_in))
        self._go_on()

    def _go_on(self) -> None:
        """Take the requests that came during the sign-in."""
        waiting, self._signing_in = self._signing_in or (), None
        for later in waiting:
            try:
                self._dispatch(later)
            except Exception as error:  # the client gets it, and the log
                self.refuse(later, error)

    # Following

    def _follow(self, request: Request, session: LocalSession) -> None:
        params = self._stream_params(request)
        if params.stream in self._follows:
            raise Conflict(f"You already follow {params.stream!r}.")
        if len(self._follows) >= self._gateway.settings.follows_max:
            raise Overloaded("You follow too many streams; unfollow one.")
        user = session.actor.user
        follow = SocketFollow(self._gateway.hub, self._socket, params.stream, user, self._ended)
        follow.follower.signal = self._signal
        call = follow.call(params.after, partial(self._followed, request, follow))
        self._follows[params.stream] = follow
        try:
            self._gateway.hub.journal.submit(call)
        except HubbubError:
            del self._follows[params.stream]
            raise

    def _followed(self, request: Request, follow: SocketFollow, call: Call[int]) -> None:
        # The client may have unfollowed the stream meanwhile, and followed it again.
        current = self._follows.get(follow.stream) is follow
        if call.error is not None:
            if current:
                del self._follows[follow.stream]
            self.refuse(request, call.error)
            return
        self.answer(request, Followed(call.outcome()))
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
            self.flush()

    def _stream_params(self, request: Request) -> StreamParams:
        params = decode_params(request, _stream_params)
        if params.after is not None:
            check_seq(params.after)
        return params

    # Answers

    def answer(self, request: Request, result: object) -> None:
        """Answer a request, at the next flush at the latest."""
        try:
            frame = self._peer.answer(request, result)
        except Exception as error:  # the client gets it, and the log
            self.refuse(request, error)
            return
        if frame is not None:
            self._socket.send(frame)
        self.in_flight.answered(request)

    def refuse(self, request: Request, error: Exception) -> None:
        """Answer a request by an error; one that is no HubbubError is logged."""
        if not isinstance(error, HubbubError):
            logger.error("%s failed", request.method[:METHOD_CHARS_MAX], exc_info=error)
        frame = self._peer.refuse(request, error)
        if frame is not None:
            self._socket.send(frame)
        self.in_flight.answered(request)

    def flush(self) -> None:
        """Send the answers that have gathered."""
        self._gateway.flush()
