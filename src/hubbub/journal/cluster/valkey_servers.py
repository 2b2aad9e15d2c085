"""Finds the Valkey or Redis servers that carry a bus's channels."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from ssl import create_default_context
from typing import Any, TypeVar

from coredis import Redis
from coredis.connection import TCPLocation
from coredis.exceptions import (
    AuthenticationError,
    ClusterDownError,
    PrimaryNotFoundError,
    RedisError,
)
from coredis.exceptions import ConnectionError as Disconnected
from coredis.pool import ConnectionPool

from .bus_address import BusAddress
from .reconnecting import first_of
from .valkey_connection import PrimaryConnection, ValkeyConnection

__all__ = ["ANSWER_SECONDS_MAX", "CONNECT_SECONDS_MAX", "ValkeyServers", "slot_of"]

# How long connecting to a host can take.
CONNECT_SECONDS_MAX = 2.0
# How long the server can take to answer.
ANSWER_SECONDS_MAX = 2.0

# The slots of a cluster's keyspace.
CLUSTER_SLOTS = 16_384

_T = TypeVar("_T")


class ValkeyServers:
    """
    Finds servers, and opens clients.

    Args:
        address: a server, some servers of a cluster, or some sentinels.
    """

    def __init__(self, address: BusAddress) -> None:
        self._address = address
        self._tls = create_default_context() if address.tls else None
        self._given = [TCPLocation(host, port) for host, port in address.hosts]
        # The servers of a cluster that carried the channels, and their replicas. The given ones
        # may be gone when the bus breaks.
        self._learned: list[TCPLocation] = []
        self._asked = 0

    async def find(self, channels: Sequence[str]) -> Mapping[str, TCPLocation]:
        """
        Return the server of each channel.

        Raises:
            RedisError, OSError: no host knows them.
        """
        if self._address.kind == "cluster":
            read = partial(self._of_slots, channels)
            return await self._ask_each(read, b"CLUSTER SLOTS")
        primary = self._given[0]
        if self._address.kind == "sentinel":
            service = self._address.service
            read_primary = partial(_of_primary, service)
            primary = await self._ask_each(
                read_primary, b"SENTINEL GET-MASTER-ADDR-BY-NAME", service.encode()
            )
        return dict.fromkeys(channels, primary)

    def client(self, place: TCPLocation) -> Redis[bytes]:
        """Return a client of a server that :meth:`find` has found; it must be entered."""
        primary = self._address.kind == "sentinel"
        return Redis(connection_pool=self._pool(place, PrimaryConnection if primary else None))

    def _pool(
        self,
        place: TCPLocation,
        connection: type[ValkeyConnection] | None = None,
        *,
        signs_in: bool = True,
    ) -> ConnectionPool[Any]:
        return ConnectionPool(
            connection_class=connection or ValkeyConnection,
            location=place,
            username=(self._address.user or None) if signs_in else None,
            password=(self._address.password or None) if signs_in else None,
            ssl_context=self._tls,
            connect_timeout=CONNECT_SECONDS_MAX,
            stream_timeout=ANSWER_SECONDS_MAX,
        )

    async def _ask_each(self, read: Callable[[TCPLocation, Any], _T], *question: bytes) -> _T:
        """Ask all hosts in turn until a host can answer; read its answer."""
        hosts = list(dict.fromkeys([*self._given, *self._learned]))
        # A host can know an old state, so the next attempt begins with another host.
        first, self._asked = self._asked % len(hosts), self._asked + 1
        errors: list[Exception] = []
        for host in [*hosts[first:], *hosts[:first]]:
            try:
                return read(host, await self._ask(host, question))
            except (RedisError, OSError) as error:
                errors.append(error)
        # If a host answers, its error says more than that other hosts do not answer.
        raise min(errors, key=lambda error: isinstance(error, OSError | Disconnected))

    async def _ask(self, host: TCPLocation, question: Sequence[bytes]) -> Any:
        if self._address.kind == "sentinel":
            # Sentinels have a password only if they were given it as well.
            try:
                return await _answer(self._pool(host, signs_in=False), question)
            except AuthenticationError:
                if not self._address.password:
                    raise
        return await _answer(self._pool(host), question)

    def _of_slots(
        self, channels: Sequence[str], host: TCPLocation, answer: Any
    ) -> Mapping[str, TCPLocation]:
        slots = {channel: slot_of(channel) for channel in channels}
        found, learned = dict[str, TCPLocation](), list[TCPLocation]()
        for first, last, *nodes in answer:
            served = [channel for channel, slot in slots.items() if first <= slot <= last]
            places = [_place(node, host) for node in nodes]
            found.update(dict.fromkeys(served, places[0]))
            learned += places if served else []
        if len(found) < len(channels):
            raise ClusterDownError("not all slots are served")
        self._learned = learned
        return found


def slot_of(channel: str) -> int:
    """Return the slot of a cluster that a channel without braces belongs to."""
    return crc_hqx(channel.encode(), 0) % CLUSTER_SLOTS


async def _answer(pool: ConnectionPool[Any], question: Sequence[bytes]) -> Any:
    try:
        async with pool, pool.acquire() as connection:
            return await connection.create_request(*question)
    except ExceptionGroup as group:
        raise first_of(group) from group


def _of_primary(service: str, host: TCPLocation, answer: Any) -> TCPLocation:
    if not answer:
        raise PrimaryNotFoundError(service)
    return _place(answer, host)


def _place(told: Sequence[Any], asked: TCPLocation) -> TCPLocation:
    """Return the place of a server that the asked server names."""
    host = (told[0] or b"").decode()
    # A server that does not know its own name leaves it out.
    return TCPLocation(asked.host if host in ("", "?") else host, int(told[1]))
