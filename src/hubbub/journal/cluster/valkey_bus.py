"""A bus over Valkey or Redis: pub/sub, which is sharded in a cluster; nothing is kept there."""

from __future__ import annotations

import logging
from binascii import crc_hqx
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from functools import partial
from ssl import create_default_context
from typing import Any

import anyio
from coredis import Redis, RedisCluster, Sentinel
from coredis.connection import BaseConnection, TCPLocation
from coredis.exceptions import AuthenticationError, AuthorizationError, PrimaryNotFoundError

from .bus import SHARDS
from .bus_address import BusAddress
from .frame_queue import FrameQueue
from .reconnecting import keep_connected

__all__ = ["BUS_QUEUE_BYTES_MAX", "ValkeyBus"]

logger = logging.getLogger("hubbub.journal")

# Bytes of frames that wait to be sent; more are dropped.
BUS_QUEUE_BYTES_MAX = 16 * 1024 * 1024
# Frames that are sent together.
PIPELINE_FRAMES_MAX = 256

# Each channel carries the heartbeats of this node, one a second; whatever is silent for longer
# is broken, even if it does not look so.
SILENT_SECONDS_MAX = 5.0
# How long connecting to a host can take.
CONNECT_SECONDS_MAX = 2.0
# How long the server can take to answer.
ANSWER_SECONDS_MAX = 2.0

# The slots of a cluster's keyspace.
CLUSTER_SLOTS = 16_384

# True in the tasks of a bus.
_in_bus = ContextVar("_in_bus", default=False)

_Client = Redis[bytes] | RedisCluster[bytes]


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
        self._tls = create_default_context() if address.tls else None
        self._channels = [f"hubbub/{journal_id}/{shard}" for shard in range(SHARDS)]
        # None while there is no connection.
        self._queue: FrameQueue | None = None
        # A node of a cluster -> its connection; without a cluster there is one for None.
        self._subscribers: dict[Any, BaseConnection] = {}

    def publish(self, shard: int, frame: bytes) -> None:
        """Send a frame; see :class:`Bus`."""
        if self._queue is not None:
            self._queue.put(shard, frame)

    async def run(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        """Connect and receive until cancelled; see :class:`Bus`."""
        # The relay logs that the bus is away; the client would log each attempt to connect.
        _in_bus.set(True)
        await keep_connected(partial(self._connect, heard, lost), self._ended)

    def _ended(self, error: Exception | None) -> bool:
        queue, self._queue = self._queue, None
        self.trouble = self._trouble(error)
        return queue is not None

    async def _connect(self, heard: Callable[[bytes], None], lost: Callable[[], None]) -> None:
        if self._tls is None:
            # A server with TLS would log a handshake that failed.
            await self._find()
        async with self._client() as client, AsyncExitStack() as stack:
            connections: dict[BaseConnection, list[str]] = defaultdict(list)
            for channel in self._channels:
                connections[await self._subscriber(client, stack, channel)].append(channel)
            left, queue = set(self._channels), FrameQueue(BUS_QUEUE_BYTES_MAX)

            def subscribed(channel: str) -> None:
                left.discard(channel)
                if not left:
                    self._queue, self.trouble = queue, ""
                    lost()

            async with anyio.create_task_group() as tasks:
                for connection, channels in connections.items():
                    tasks.start_soon(self._receive, client, connection, channels, heard, subscribed)
                tasks.start_soon(self._send, client, queue)

    async def _find(self) -> None:
        """Look whether any of the hosts can be reached; the client says less about why not."""
        error: OSError | None = None
        for host, port in self._address.hosts:
            try:
                with anyio.fail_after(CONNECT_SECONDS_MAX):
                    await (await anyio.connect_tcp(host, port)).aclose()
            except OSError as failed:
                error = failed
            else:
                return
        assert error is not None
        raise error

    async def _subscriber(
        self, client: _Client, stack: AsyncExitStack, channel: str
    ) -> BaseConnection:
        """Return the connection that receives a channel; in a cluster each node has its own."""
        node: Any = None
        pool: Any = client.connection_pool
        if isinstance(client, RedisCluster):
            slot = crc_hqx(channel.encode(), 0) % CLUSTER_SLOTS
            node = client.connection_pool.cluster_layout.node_for_slot(slot)
        if node not in self._subscribers:
            acquired = pool.acquire() if node is None else pool.acquire(node=node)
            self._subscribers[node] = await stack.enter_async_context(acquired)
            stack.callback(self._subscribers.pop, node)
        return self._subscribers[node]

    async def _receive(
        self,
        client: _Client,
        connection: BaseConnection,
        channels: Sequence[str],
        heard: Callable[[bytes], None],
        subscribed: Callable[[str], None],
    ) -> None:
        sharded = isinstance(client, RedisCluster)
        for channel in channels:
            connection.send_command(b"SSUBSCRIBE" if sharded else b"SUBSCRIBE", channel)
        while True:
            with anyio.fail_after(SILENT_SECONDS_MAX):
                messages = await _next_messages(connection)
            for kind, channel, body in messages:
                if kind in (b"message", b"smessage"):
                    heard(body)
                elif kind in (b"subscribe", b"ssubscribe"):
                    subscribed(channel.decode())
                elif kind in (b"unsubscribe", b"sunsubscribe"):
                    raise ConnectionError(f"{channel.decode()} has moved to another server")

    async def _send(self, client: _Client, queue: FrameQueue) -> None:
        sharded = isinstance(client, RedisCluster)
        while True:
            frames = await queue.take(PIPELINE_FRAMES_MAX)
            async with client.pipeline(transaction=False, timeout=ANSWER_SECONDS_MAX) as sending:
                publish = sending.spublish if sharded else sending.publish
                for shard, frame in frames:
                    publish(self._channels[shard], frame)

    @asynccontextmanager
    async def _client(self) -> AsyncGenerator[_Client]:
        address = self._address
        hosts = [TCPLocation(host, port) for host, port in address.hosts]
        options: dict[str, Any] = {
            "username": address.user or None,
            "password": address.password or None,
            "connect_timeout": CONNECT_SECONDS_MAX,
            "stream_timeout": ANSWER_SECONDS_MAX,
        }
        if self._tls is not None:
            options["ssl_context"] = self._tls
        match address.kind:
            case "cluster":
                cluster: RedisCluster[bytes] = RedisCluster(startup_nodes=hosts, **options)
                async with cluster:
                    yield cluster
            case "sentinel":
                own = {**options, "username": None, "password": None}
                async with (
                    Sentinel(hosts, sentinel_kwargs=own, **options) as sentinels,
                    sentinels.primary_for(address.service) as client,
                ):
                    yield client
            case _:
                async with Redis(*address.hosts[0], **options) as client:
                    yield client

    def _trouble(self, error: Exception | None) -> str:
        if isinstance(error, AuthenticationError | AuthorizationError):
            return f"{self._address} refuses the sign-in: correct the user and password in its URL."
        if isinstance(error, PrimaryNotFoundError):
            return f"The sentinels at {self._address} know no {self._address.service}."
        # The client's own words could show what was sent.
        told = isinstance(error, OSError) and not isinstance(error, TimeoutError)
        why = error if told else "it does not answer"
        return f"{self._address} cannot be reached: start it, or correct its URL ({why})."


async def _next_messages(connection: BaseConnection) -> list[list[Any]]:
    """Wait for messages, and return all that have come."""
    # The client's iterator returns a message in each turn of the event loop, and reads many: a
    # busy node would fall behind, and its memory would grow.
    waiting: Any = connection._push_message_buffer_out  # noqa: SLF001
    messages = [await waiting.receive()]
    while waiting.statistics().current_buffer_used:
        messages.append(waiting.receive_nowait())
    return messages


def _is_of_others(_record: logging.LogRecord) -> bool:
    return not _in_bus.get()


logging.getLogger("coredis").addFilter(_is_of_others)
