"""What all connections of a server share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import anyio
import msgspec

from ..chat.service import Chat
from ..games.service import Games
from ..hub import Hubbub
from ..journal.command import Call
from ..service import Method, methods_of
from ..session import LocalSession
from ..users.service import Users
from ..users.user import User
from .auth import Identity, Tokens

if TYPE_CHECKING:
    from .connection import Connection, Socket
    from .sse import EventStream

__all__ = ["Gateway", "Route", "SignIn"]

logger = logging.getLogger("hubbub.server")

GUEST = "user"
PING_SECONDS = 20.0


class SignIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The params of ``session.sign_in``: a token, or for a guest a nickname.

    Who was a guest before gives that token as well, as ``guest``: the cart comes along.
    """

    token: str | None = None
    nickname: str | None = None
    guest: str | None = None


class Route(msgspec.Struct, frozen=True):
    """A method, and what reads its arguments."""

    method: Method
    service: str
    decoder: msgspec.json.Decoder[msgspec.Struct]


class Gateway:
    """
    The way into a hub from a network.

    Args:
        hub: an open hub.
    """

    def __init__(self, hub: Hubbub) -> None:
        self.hub = hub
        self.settings = hub.settings
        self.tokens = Tokens(hub.settings.secret or hub.journal.store.secret, hub.settings)
        self.routes = {
            name: Route(method, kind.name, msgspec.json.Decoder(method.arguments))
            for kind in (Chat, Games, hub.shopfront.kind, Users)
            for name, method in methods_of(kind).items()
        }
        # Sockets whose answers have gathered: a batch's go out as one write each.
        self.unflushed: list[Socket] = []
        hub.journal.after_batch.append(self.flush)
        # Open connections, and what carries each; and what is followed over HTTP.
        self.connections: dict[Connection, Socket] = {}
        self.event_streams: set[EventStream] = set()

    @property
    def full(self) -> bool:
        """True when no more connections may be opened."""
        count = len(self.connections) + len(self.event_streams)
        return count >= self.settings.connections_max

    def identify(self, sign_in: SignIn) -> Identity:
        """
        Tell who signs in.

        Raises:
            NotAllowed: the token is not good.
        """
        if sign_in.token is not None:
            return self.tokens.verify(sign_in.token)
        return Identity(self.hub.ids.new(), GUEST, 0.0)

    def sign_in_call(
        self, sign_in: SignIn, on_done: Callable[[LocalSession, Call[User]], None]
    ) -> Call[User]:
        """
        Make the call that a session begins with.

        Args:
            sign_in: who signs in.
            on_done: is given the session, which counts as connected if there is no error.

        Raises:
            NotAllowed: the token is not good.
            Closed: the hub has been left.
        """
        identity = self.identify(sign_in)
        caller = self.hub.caller(identity.user, identity.role)
        nickname = sign_in.nickname
        if sign_in.token is None and nickname is None:
            nickname = "Guest"
        guest = None if sign_in.guest is None else self.tokens.verify(sign_in.guest).user
        command = self.hub.sign_in_command(caller, nickname, guest)
        session = self.hub.session_of(caller)
        return Call(command, on_done=partial(_signed_in, session, on_done))

    def flush(self) -> None:
        """Send all answers that have gathered."""
        unflushed, self.unflushed = self.unflushed, []
        for socket in unflushed:
            socket.flush()

    def shown(self, session: LocalSession) -> User:
        """Show a session's user as he is now, online."""
        user = session.user
        return msgspec.structs.replace(user, status=self.hub.presence.status(user.id))

    def close_all(self, code: int, reason: str) -> None:
        """Close every connection: told to come back, or not to."""
        for socket in list(self.connections.values()):
            socket.close(code, reason)

    async def keep_alive(self) -> None:
        """Ping every client from time to time, and let go of those who do not answer."""
        while True:
            await anyio.sleep(PING_SECONDS)
            for socket in list(self.connections.values()):
                socket.check_alive()


def _signed_in(
    session: LocalSession,
    on_done: Callable[[LocalSession, Call[User]], None],
    call: Call[User],
) -> None:
    if call.error is None:
        session.user = call.outcome()
    on_done(session, call)
