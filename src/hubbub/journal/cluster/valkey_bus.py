"""A bus over Valkey or Redis: pub/sub, which is sharded in a cluster; nothing is kept there."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from contextvars import ContextVar
from functools import partial

import anyio
from coredis import Redis
from coredis.connection import TCPLocation
from coredis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    ClusterDownError,
    MovedError,
    PrimaryNotFoundError,
    ResponseError,
    StalePrimaryError,
)

from . import valkey_servers
from .bus import SHARDS
from .bus_address import BusAddress
from .frame_queue import FrameQueue
from .reconnecting import keep_connected
from .valkey_connection import ValkeyConnection
from .valkey_servers import ValkeyServers

__all__ = ["BUS_QUEUE_BYTES_MAX", "ValkeyBus"]

logger = logging.getLogger("hubbub.journal")

# Bytes of frames that wait to be sent; more are dropped.
BUS_QUEUE_BYTES_MAX = 16 * 1024 * 1024
# Frames that are sent together.
PIPELINE_FRAMES_MAX = 256

# Each channel carries the heartbeats of this node, one a second; whatever is silent for longer
# is broken, even if it does not look so.
SILENT_SECONDS_MAX = 5.0
# True in the tasks of a bus.
_in_bus = ContextVar("_in_bus", default=False)


class _Moved(Exception):
    """A channel belongs to another server now."""


class ValkeyBus:
    """
    Carries frames over a Valkey or Redis server, a cluster, or what sentinels watch.

    Args:
        address: where it is.
        journal_id: part of the channels' names, so that clusters do not hear one another.
    """

    frame_bytes_max = 1024 * 1024

    def __init__(self, address: BusAddress, journal_id: str) -> None:
        self.trouble = ""
        self._address = address
        self._servers = ValkeyServers(address)
        self._sharded = address.kind == "cluster"
        self._channels = [f"hubbub/{journal_id}/{shard}" for shard in range(SHARDS)]
        # The queue of each shard's server; none while there is no connection.
        self._queues: Sequence[FrameQueue] = ()

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame; see :class:`Bus`."""
        if self._queues:
            self._queues[shard].put(shard, frame)

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Connect and receive until cancelled; see :class:`Bus`."""
        # The relay logs that the bus is away; the client would log each attempt to connect.
        _in_bus.set(True)
        await keep_connected(partial(self._connect, heard, lost), self._ended)

    def _ended(self, error: Exception | None) -> bool:
        queues, self._queues = self._queues, ()
        self.trouble = self._trouble(error)
        return bool(queues)

    async def _connect(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        found = await self._servers.find(self._channels)
        places = list(dict.fromkeys(found.values()))
        queues = {place: FrameQueue(BUS_QUEUE_BYTES_MAX // len(places)) for place in places}
        left = set(self._channels)

        def subscribed(channel: str) -> None:
            left.discard(channel)
            if not left:
                self._queues = [queues[found[channel]] for channel in self._channels]
                self.trouble = ""
                lost()

        async with AsyncExitStack() as stack:
            opened = [(place, *await self._open(stack, place)) for place in places]
            async with anyio.create_task_group() as tasks:
                for place, client, connection in opened:
                    channels = [name for name in self._channels if found[name] == place]
                    tasks.start_soon(self._receive, connection, channels, heard, subscribed)
                    tasks.start_soon(connection.refusal)
                    tasks.start_soon(self._send, client, queues[place])

    async def _open(
        self, stack: AsyncExitStack, place: TCPLocation
    ) -> tuple[Redis[bytes], ValkeyConnection]:
        """Return a client of a server, and its connection that receives."""
        client = await stack.enter_async_context(self._servers.client(place))
        return client, await stack.enter_async_context(client.connection_pool.acquire())

    async def _receive(
        self,
        connection: ValkeyConnection,
        channels: Sequence[str],
        heard: Callable[[bytes], None],
        subscribed: Callable[[str], None],
    ) -> None:
        for channel in channels:
            connection.send_command(b"SSUBSCRIBE" if self._sharded else b"SUBSCRIBE", channel)
        while True:
            with anyio.fail_after(SILENT_SECONDS_MAX):
                messages = await connection.next_messages()
            for kind, channel, body in messages:
                if kind in (b"message", b"smessage"):
                    heard(body)
                elif kind in (b"subscribe", b"ssubscribe"):
                    subscribed(channel.decode())
                elif kind in (b"unsubscribe", b"sunsubscribe"):
                    raise _Moved(channel)

    async def _send(self, client: Redis[bytes], queue: FrameQueue) -> None:
        seconds = valkey_servers.ANSWER_SECONDS_MAX
        while True:
            frames = await queue.take(PIPELINE_FRAMES_MAX)
            async with client.pipeline(transaction=False, timeout=seconds) as sending:
                publish = sending.spublish if self._sharded else sending.publish
                for shard, frame in frames:
                    publish(self._channels[shard], frame)

    def _trouble(self, error: Exception | None) -> str:
        where, kind = self._address, self._address.kind
        match error:
            case AuthenticationError():
                return f"{where} refuses the sign-in: correct the user and password in its URL."
            case AuthorizationError():
                return f"{where} lets this user do too little: allow the channels hubbub/*."
            case PrimaryNotFoundError():
                return f"The sentinels at {where} know no {where.service}."
            case StalePrimaryError():
                return f"The sentinels at {where} name a server that is no primary."
            case _Moved() | MovedError():
                return f"A server of the cluster at {where} gave channels to another server."
            case ClusterDownError():
                return f"The cluster at {where} is down: it does not serve all its slots."
            case ResponseError():
                # The client's own words could show what was sent.
                return f"{where} refuses a command ({type(error).__name__}): is it a {kind}?"
        return f"{where} cannot be reached: start it, or correct its URL ({_why(error)})."


def _why(error: BaseException | None) -> str:
    # The client wraps the system's errors in its own.
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__
    told = error is not None and not isinstance(error, TimeoutError)
    return str(error) if told else "it does not answer"


def _is_of_others(_record: logging.LogRecord) -> bool:
    return not _in_bus.get()


logging.getLogger("coredis").addFilter(_is_of_others)
