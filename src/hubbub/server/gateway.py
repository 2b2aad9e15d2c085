"""The gateway: all connections of a server share it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from functools import partial
from typing import Protocol

import anyio
import msgspec

from ..addresses import networks_of
from ..clock import SystemClock, thaw
from ..hub import Hubbub
from ..journal.actor import Actor
from ..journal.event import Event
from ..method import Method
from ..ratelimit import TokenBucket
from ..users.events import RoleGiven, SignedOut, SignedOutEverywhere
from .access_log import AccessLog
from .address import client_address
from .auth.sign_in import SignIns
from .auth.tickets import Tickets, Visit
from .auth.tokens import Authenticator, KeepsFresh, Tokens
from .loop_watch import LoopWatch
from .places import Places
from .sends import Sends
from .sign_in_watch import SignInWatch
from .stop_signals import wait_for_stop_signal
from .websocket.handshake import Handshakes
from .websocket.socket import Socket
from .websocket.unsent import Unsent

__all__ = [
    "BUSY",
    "COME_BACK",
    "FAILED",
    "NOT_SIGNED_IN",
    "SIGNED_OUT",
    "STOPPING",
    "TOO_FAST",
    "Gateway",
    "Route",
]

logger = logging.getLogger("hubbub.server")

# Close codes: after 3000 to 3499 the client reconnects, after 3500 to 3999 it does not.
COME_BACK = 3000
BUSY = 3001
NOT_SIGNED_IN = 3500
SIGNED_OUT = 3501
# RFC 6455, section 7.4.1: "policy violation", "internal error".
TOO_FAST = 1008
FAILED = 1011
REASONS = {
    COME_BACK: "Your role has changed; reconnect.",
    BUSY: "You have too many connections; close one.",
    SIGNED_OUT: "You have signed out.",
}
# The events that end sign-ins; see _end_of.
ENDS = frozenset({SignedOut, SignedOutEverywhere, RoleGiven})
# The reason for COME_BACK if the server stops.
STOPPING = "The server is stopping; reconnect."

PING_SECONDS = 20.0
# The server checks the event loop so often between two pings.
LOOKS = 20
# A turn of the event loop that takes longer, in seconds, is the server's own fault.
BLOCKED_SECONDS = 1.0


class Route(msgspec.Struct, frozen=True):
    """A method, and the decoder of its arguments."""

    method: Method
    service: str
    decoder: msgspec.json.Decoder[msgspec.Struct]


class OpenStream(Protocol):
    """A response that sends events over HTTP as they come."""

    actor: Actor

    def end(self) -> None:
        """End it: its user has signed out, or the server stops."""


class Gateway:
    """
    The way into a hub from a network.

    Args:
        hub: an open hub.
        authenticator: tells which user a token of the application's names.
        watch_signals: whether SIGINT and SIGTERM :meth:`stop` the gateway. If your application
            stops its server in another way, call :meth:`stop` before.

    Raises:
        Invalid: the setting ``trusted_proxies`` has a value that is no address or network.
    """

    def __init__(
        self,
        hub: Hubbub,
        authenticator: Authenticator | None = None,
        *,
        watch_signals: bool = True,
    ) -> None:
        thaw()
        self.hub = hub
        self.settings = hub.settings
        self.monotonic = hub.settings.clock.monotonic
        secret = hub.settings.secret or hub.journal.store.secret
        # Every node reads the tokens of all nodes, although their clocks differ.
        settings = msgspec.structs.replace(hub.settings, clock=hub.journal.clock)
        self.tokens = Tokens(secret, settings)
        self.tickets = Tickets(secret, settings, hub.ids.new)
        self.sign_ins = SignIns(hub, self.tokens, authenticator)
        if isinstance(authenticator, KeepsFresh):
            hub.start(authenticator.keep_fresh)
        self.routes = {
            name: Route(method, name.partition(".")[0], msgspec.json.Decoder(method.arguments))
            for name, method in hub.features.methods.items()
        }
        self._proxies = networks_of(self.settings.trusted_proxies)
        self.access_log = AccessLog(self.address_of, self.monotonic)
        self.places = Places(self.settings)
        self.handshakes = Handshakes(self.settings)
        # Bytes that wait for clients that do not read.
        self.unsent = Unsent()
        # Messages that other servers than Hubbub's own are sending.
        self.sends = Sends()
        self.watch_signals = watch_signals
        self._begun = False
        self._stopping = False
        # Sockets whose answers have gathered: each is written to once for a batch.
        self.unflushed: list[Socket] = []
        hub.journal.after_batch.append(self.flush)
        # Where nodes share the store, a follower for each session: also for what others commit.
        self._watches: dict[object, SignInWatch] = {}
        if not hub.journal.store.shared:
            hub.journal.on_commit.append(self._end_sign_ins)
        # Open connections with their sockets, and streams that clients follow over HTTP.
        self.connections: dict[object, Socket] = {}
        self.event_streams: set[OpenStream] = set()
        # The sign-in and the socket of each session; sockets to close after their answers.
        self.sockets: dict[object, tuple[str | None, Socket]] = {}
        self._closing: list[tuple[Socket, int]] = []

    @property
    def full(self) -> bool:
        """True while the server takes no more connections, or stops."""
        count = len(self.connections) + len(self.event_streams)
        return self._stopping or count >= self.settings.connections_max

    def address_of(self, peer: str, headers: Iterable[tuple[bytes, bytes]]) -> str:
        """
        Return the address that a request comes from.

        Args:
            peer: the other end of the connection.
            headers: of the request, with names in lower case.
        """
        return client_address(peer, headers, self._proxies)

    async def use_ticket(self, ticket: str, cookies: Mapping[str, str]) -> Visit:
        """
        Use a ticket for events; see :meth:`Tickets.use`.

        Raises:
            NotAllowed: the server did not make it, or it was used or has expired.
        """
        if not self.hub.journal.store.shared:
            return self.tickets.use(ticket, cookies)
        return await self.tickets.use_on_any_node(ticket, cookies, self.hub.itself)

    def flush(self) -> None:
        """Send all answers that have gathered, then close the sockets that wait for it."""
        unflushed, self.unflushed = self.unflushed, []
        for socket in unflushed:
            try:
                socket.flush()
            except Exception:
                # The others still get their answers.
                logger.exception("The server could not write to a connection.")
        if self._closing:
            closing, self._closing = self._closing, []
            for socket, code in closing:
                socket.close(code, REASONS[code])

    def new_pace(self) -> TokenBucket:
        """Make the rate limit of one connection's requests, with a burst of two seconds."""
        burst = max(1, int(2 * self.settings.requests_per_second))
        return TokenBucket(burst, 2.0, what="requests")

    def close_soon(self, socket: Socket, code: int) -> None:
        """Close a socket after the answers that have gathered."""
        self._closing.append((socket, code))

    def close_all(self, code: int, reason: str) -> None:
        """Close every WebSocket; the code says whether the client should reconnect."""
        for socket in list(self.connections.values()):
            socket.close(code, reason)

    def stop(self) -> None:
        """
        Close every connection for good, because the server stops: clients reconnect to the next.

        An ASGI server waits for open responses, and a stream of events would hold it up.
        """
        self._stopping = True
        self.close_all(COME_BACK, STOPPING)
        for stream in list(self.event_streams):
            stream.end()

    def enter(self, connection: object, socket: Socket) -> None:
        """
        Count a WebSocket.

        Raises:
            WrongLoop: the hub was opened in another event loop.
        """
        self.hub.journal.check_home()
        self.connections[connection] = socket
        self._begin()

    def enter_stream(self, stream: OpenStream) -> None:
        """
        Count a stream of events.

        Raises:
            WrongLoop: the hub was opened in another event loop.
        """
        self.hub.journal.check_home()
        self.event_streams.add(stream)
        self._watch(stream, stream.actor)
        self._begin()

    def _begin(self) -> None:
        """With the first connection, begin to ping clients and to watch for signals."""
        if self._begun or not self.hub.is_open:
            return
        self._begun = True
        self.hub.start(self._keep_alive)
        if self.watch_signals:
            self.hub.start(self._stop_at_signal)

    async def _stop_at_signal(self) -> None:
        await wait_for_stop_signal()
        self.stop()

    async def _keep_alive(self) -> None:
        """Ping every client regularly, and disconnect clients that do not answer."""
        clock = self.settings.clock
        watch = LoopWatch(PING_SECONDS / LOOKS, BLOCKED_SECONDS, clock.monotonic)
        # With another clock the time of the event loop is perhaps not real.
        real = isinstance(clock, SystemClock)
        with watch.watching() if real else nullcontext():
            while True:
                if await self._pause(watch):
                    for socket in list(self.connections.values()):
                        socket.check_alive()

    async def _pause(self, watch: LoopWatch) -> bool:
        """Wait until the next ping; return False if the event loop was blocked meanwhile."""
        seconds, blocked = PING_SECONDS / LOOKS, 0.0
        for _ in range(LOOKS):
            began = anyio.current_time()
            await anyio.sleep(seconds)
            watch.beat()
            late = anyio.current_time() - began - seconds
            blocked = max(blocked, late)
            if late < BLOCKED_SECONDS:
                self.sends.look()
        if blocked < BLOCKED_SECONDS:
            return True
        # The server has not read yet what clients sent meanwhile, such as their pongs.
        logger.warning(
            "Something blocked the event loop for %.1f s. "
            "The server closes no connection for that.",
            blocked,
        )
        return False

    # Ends of sign-ins

    def enter_session(self, actor: Actor, session: str | None, socket: Socket) -> None:
        """Note the sign-in and the socket of a session."""
        self.sockets[actor] = (session, socket)
        self._watch(actor, actor)

    def leave_session(self, actor: Actor) -> None:
        """Forget a session."""
        self.sockets.pop(actor, None)
        self._unwatch(actor)

    def leave_stream(self, stream: OpenStream) -> None:
        """Uncount a stream of events."""
        self.event_streams.discard(stream)
        self._unwatch(stream)

    def _watch(self, what: Actor | OpenStream, actor: Actor) -> None:
        """Notice the ends of sign-ins that other nodes commit."""
        if self.hub.journal.store.shared:
            reset = SignInEnd(COME_BACK)
            self._watches[what] = SignInWatch(
                self.hub, actor, partial(self._look_at, what), partial(self._end, what, reset)
            )

    def _unwatch(self, what: object) -> None:
        if (watch := self._watches.pop(what, None)) is not None:
            watch.release()

    def _look_at(self, what: Actor | OpenStream, events: Sequence[Event]) -> None:
        for event in events:
            if (end := _end_of(event)) is not None:
                self._end(what, end)

    def _end_sign_ins(self, events: Sequence[Event]) -> None:
        for event in events:
            # Almost all events of a busy hub are others.
            if type(event.data) not in ENDS or (end := _end_of(event)) is None:
                continue
            user = event.stream.removeprefix("user/")
            for one in self.hub.presence.sessions(user):
                self._end(one, end)
            for stream in list(self.event_streams):
                if stream.actor.user == user:
                    self._end(stream, end)

    def _end(self, what: object, end: SignInEnd) -> None:
        """End a session, or a stream of events, if its sign-in has ended."""
        # A session in the process has no socket and no token.
        session, socket = self.sockets.get(what, (None, None))
        if socket is not None and end.ends(session):
            self.close_soon(socket, end.code)
        elif what in self.event_streams and end.ends(what.actor.session):
            what.end()


class SignInEnd(msgspec.Struct, frozen=True):
    """
    The end of some sign-ins of a user.

    Args:
        code: the code that closes their sockets.
        only: the sign-in that ends, if it is one.
        keep: otherwise the sign-in that does not end.
    """

    code: int
    only: str | None = None
    keep: str | None = None

    def ends(self, session: str | None) -> bool:
        """Return whether a sign-in ends."""
        if self.only is not None:
            return session == self.only
        return session is None or session != self.keep


def _end_of(event: Event) -> SignInEnd | None:
    match event.data:
        case SignedOut(session):
            return SignInEnd(SIGNED_OUT, only=session)
        case SignedOutEverywhere(keep):
            return SignInEnd(SIGNED_OUT, keep=keep)
        case RoleGiven():
            # The clients reconnect, with the role that they have from now on.
            return SignInEnd(COME_BACK)
    return None
