"""A connection that reconnects by itself, and the calls that wait for responses on it."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from random import Random
from typing import Protocol

import anyio
import msgspec
from anyio.abc import TaskStatus

from ..errors import Closed, HubbubError
from ..journal.home import Home
from ..wake_up import WakeUp
from ..wire.connection_lost import ConnectionLost
from ..wire.follower import RemoteFollower
from ..wire.messages import SignInResult
from ..wire.resumption import Resumption
from .dial import Dial, Transport
from .reconnect import Backoff, comes_back
from .same_sign_in import is_of_same_sign_in

__all__ = ["AskToken", "ReconnectingConnection", "RemoteTail", "TokenStore"]

# Requests that wait for their response; a further request waits for a place.
REQUESTS_MAX = 1_000

# Attempts to reach a server that was never reached before.
TRIES_MAX = 5
# How long all attempts for the first connection may take, in seconds.
CONNECT_SECONDS_MAX = 10.0
# How long a sign-in may take, in seconds: less than what a server permits.
SIGN_IN_SECONDS_MAX = 8.0
# After this time a connection counts as stable, and the back-off starts again.
STABLE_SECONDS = 10.0

ADVICE = "Is the server running there?"
MESSAGE_TOO_BIG = 1009
NO_ANSWER = 1006


# Returns the token for the next sign-in, or raises a HubbubError if there will be none.
AskToken = Callable[[], Awaitable[str]]


class TokenStore(Protocol):
    """Stores the newest refresh token of a user, for other connections of the same user too."""

    async def load(self) -> str | None:
        """Return the newest stored token, or None."""

    async def save(self, token: str) -> None:
        """Store a token: earlier ones are used up."""


class ReconnectingConnection:
    """
    A client's connection to a server, which reconnects until it is cancelled.

    Args:
        where: the name of the server, for messages.
        dial: opens a connection.
        sign_in: the params of the first sign-in.
        random: the source of the back-off's jitter.
        ask_token: called before each sign-in, if given.
        token_store: loaded before each sign-in; gets the newest refresh token after it.
    """

    def __init__(  # noqa: PLR0913
        self,
        where: str,
        dial: Dial,
        sign_in: dict[str, object],
        random: Random,
        ask_token: AskToken | None = None,
        token_store: TokenStore | None = None,
    ) -> None:
        self._where = where
        self._dial = dial
        self._sign_in = sign_in
        self._ask_token = ask_token
        self._token_store = token_store
        self._backoff = Backoff(random)
        self._to_send = WakeUp()
        self._resumption = Resumption(self._to_send.set)
        self._places = anyio.Semaphore(REQUESTS_MAX, fast_acquire=True)
        self._patience = anyio.CancelScope(deadline=math.inf)
        # Why the last connection ended.
        self._lost: ConnectionLost | None = None
        # Whether any connection has signed in, and when this one did.
        self._was_reached = False
        self._since = math.inf
        self._home: Home | None = None

    @property
    def signed_in(self) -> SignInResult:
        """The newest result of a sign-in."""
        assert self._resumption.signed_in is not None
        return self._resumption.signed_in

    async def run(self, *, task_status: TaskStatus[None]) -> None:
        """
        Connect, again and again.

        Args:
            task_status: is notified of the first sign-in.

        Raises:
            HubbubError: the first sign-in was refused.
            Closed: the server could not be reached for the first connection.
        """
        self._home = Home("session")
        error: HubbubError | None = None
        self._patience.deadline = anyio.current_time() + CONNECT_SECONDS_MAX
        with self._patience:
            error = await self._keep_up(task_status)
        error = error or Closed(self._unreachable())
        if not self._was_reached:
            raise error
        self._resumption.fail(error)

    async def call(self, method: str, params: object) -> msgspec.Raw:
        """
        Send a request, and wait for its response, over as many connections as it takes.

        Cancelling it abandons the request, which the server may have executed.

        Raises:
            HubbubError: the server has refused the request.
            Closed: the session has ended.
            WrongLoop: the session was opened in another event loop.
        """
        self.check_home()
        async with self._places:
            waiting = _Waiting()
            number = self._resumption.ask(method, params, waiting.done)
            try:
                await waiting.response.wait()
            finally:
                self._resumption.forget(number)
        if waiting.error is not None:
            raise waiting.error
        return waiting.result

    @asynccontextmanager
    async def follow(
        self, stream: str, after: int | None, signal: Callable[[bytes], None] | None = None
    ) -> AsyncGenerator[RemoteTail]:
        """
        Follow a stream, over as many connections as it takes.

        Args:
            stream: its name.
            after: the last seq that you have; None follows only new events.
            signal: called with each encoded signal, if given.

        Raises:
            HubbubError: the server has refused it.
            WrongLoop: the session was opened in another event loop.
        """
        self.check_home()
        tail = RemoteTail(self.check_home)
        tail.follower = follower = self._resumption.follow(stream, after, tail.wake)
        follower.signal = signal
        try:
            await tail.joined()
            yield tail
        finally:
            follower.leave()

    def check_home(self) -> None:
        """Raise WrongLoop in another event loop than the session's."""
        if self._home is not None:
            self._home.check()

    def end(self) -> None:
        """Fail all waiting calls: the session has ended."""
        self._resumption.fail(Closed("The session has ended; connect again."))

    async def _keep_up(self, task_status: TaskStatus[None]) -> HubbubError:
        """Reconnect until the client must not; return why."""
        tries = 0
        while True:
            ended = await self._connect(task_status)
            if isinstance(ended, HubbubError):
                return ended
            try:
                self._resumption.disconnected(too_big=ended.code == MESSAGE_TOO_BIG)
            except HubbubError as error:
                # The sign-in itself was too large.
                return error
            if not comes_back(ended.code):
                return Closed(f"{self._where} has ended the session: {ended}.")
            tries += 1
            self._lost = ended
            if not self._was_reached and (ended.final or tries == TRIES_MAX):
                return Closed(self._unreachable())
            if anyio.current_time() - self._since >= STABLE_SECONDS:
                self._backoff.reset()
            await anyio.sleep(self._backoff.next())

    async def _connect(self, task_status: TaskStatus[None]) -> ConnectionLost | HubbubError:
        """Connect once; return how it ended."""
        self._since = math.inf
        try:
            if self._ask_token is not None:
                self._sign_in = {**self._sign_in, "token": await self._ask_token()}
            await self._take_newest_token()
            async with self._dial() as transport:
                return await self._converse(transport, task_status)
        except (ConnectionLost, HubbubError) as end:
            return end

    async def _converse(
        self, transport: Transport, task_status: TaskStatus[None]
    ) -> ConnectionLost | HubbubError:
        # Return its end instead of raising it: a task group would wrap the error in a group.
        ends: list[ConnectionLost | HubbubError] = []

        async def until_it_ends(work: Callable[[], Awaitable[None]]) -> None:
            try:
                await work()
            except (ConnectionLost, HubbubError) as end:
                ends.append(end)
                tasks.cancel_scope.cancel()

        self._resumption.connected(self._sign_in)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(until_it_ends, partial(self._send, transport))
            tasks.start_soon(until_it_ends, partial(self._receive, transport, task_status))
        return ends[0]

    async def _send(self, transport: Transport) -> None:
        while True:
            for frame in self._resumption.outgoing():
                await transport.send(frame)
            await self._to_send.wait()

    async def _receive(self, transport: Transport, task_status: TaskStatus[None]) -> None:
        resumption = self._resumption
        with anyio.move_on_after(SIGN_IN_SECONDS_MAX):
            while not resumption.is_signed_in:
                resumption.receive(await transport.receive())
        if not resumption.is_signed_in:
            raise ConnectionLost(NO_ANSWER, "the sign-in was not answered")
        self._since = anyio.current_time()
        # A client with a token of the application reconnects with the same token.
        given = self._sign_in.get("token", self.signed_in.token)
        self._sign_in = {"token": self.signed_in.refresh_token or given}
        if self._token_store is not None and self.signed_in.refresh_token is not None:
            await self._token_store.save(self.signed_in.refresh_token)
        if not self._was_reached:
            self._was_reached = True
            self._patience.deadline = math.inf
            task_status.started()
        while True:
            resumption.receive(await transport.receive())

    async def _take_newest_token(self) -> None:
        # Another connection of the same sign-in may have used up the token that is known here.
        known = self._sign_in.get("token")
        if self._token_store is None or not isinstance(known, str):
            return
        newest = await self._token_store.load()
        if newest is not None and is_of_same_sign_in(newest, known):
            self._sign_in = {**self._sign_in, "token": newest}

    def _unreachable(self) -> str:
        lost = self._lost
        if lost is None:
            return f"{self._where} cannot be reached: it does not answer. {ADVICE}"
        if not lost.advice:
            return f"{self._where} cannot be reached: {lost.reason}. {ADVICE}"
        return f"{self._where} {lost.reason}. {lost.advice}"


class RemoteTail:
    """
    A follower's view of a stream, for a task that can wait.

    Args:
        check_home: raises WrongLoop in another event loop than the session's.
    """

    follower: RemoteFollower

    def __init__(self, check_home: Callable[[], None]) -> None:
        self._check_home = check_home
        self._wake_up = WakeUp()

    def wake(self) -> None:
        """Check again."""
        self._wake_up.set()

    async def joined(self) -> None:
        """
        Wait until the server has accepted the follower.

        Raises:
            HubbubError: the server has refused it.
        """
        while not self.follower.joined:
            if self.follower.error is not None:
                raise self.follower.error
            await self._wake_up.wait()

    async def next(self) -> bytes:
        """
        Wait for the next event, encoded.

        Raises:
            HubbubError: the reason why no more events follow.
            WrongLoop: the session was opened in another event loop.
        """
        while (body := self.follower.take()) is None:
            self._check_home()
            await self._wake_up.wait()
        return body


class _Waiting:
    """A call that waits for a response."""

    __slots__ = ("error", "response", "result")

    def __init__(self) -> None:
        self.response = anyio.Event()
        self.result = msgspec.Raw(b"")
        self.error: HubbubError | None = None

    def done(self, result: msgspec.Raw, error: HubbubError | None) -> None:
        self.result, self.error = result, error
        self.response.set()
