"""
Byte streams between named hosts, in one process and in the event loop's time.

The network draws latencies, and where it splits writes, from one generator. Faults happen only when
you ask for them: draw them from a generator of your own.
"""

from __future__ import annotations

import errno
import math
from dataclasses import asdict, dataclass
from random import Random

import anyio

from .fence import check_fence
from .link import Link
from .listener import NetworkListener
from .pipe import Pipe
from .route import Conditions, Counts, Route
from .stream import Address, NetworkStream

__all__ = ["WINDOW_BYTES", "Network", "NetworkStats"]

# Bytes under way and unread in one direction before `send` waits.
WINDOW_BYTES = 65_536
# Ports of the ends that connect begin here.
EPHEMERAL_PORT = 49_152
# When connecting to a port whose backlog is full is tried again.
RETRY_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class NetworkStats:
    """
        Counts of events and faults, so that a run can prove that its faults took place.

    Args:
        connections: connections that were made.
        refused: attempts to connect where nothing listens.
        bytes_sent: bytes that were written.
        bytes_received: bytes that were read.
        bytes_lost: bytes that nobody will read.
        partitions: calls of ``partition``.
        holds: calls of ``hold``.
        heals: calls of ``heal``.
        cuts: connections that were cut.
        half_open: connections of which one end believes that they live.
        slowed: calls of ``slow``.
        handlers_failed: handlers of connections that raised an exception.
    """

    connections: int
    refused: int
    bytes_sent: int
    bytes_received: int
    bytes_lost: int
    partitions: int
    holds: int
    heals: int
    cuts: int
    half_open: int
    slowed: int
    handlers_failed: int


class Network:
    """
    A network of hosts, which are only names.

    Args:
        random: draws latencies, and where writes are split.
        latency: the least and the greatest seconds that bytes take in one direction.
        split: how often, from 0 to 1, a write arrives in several pieces.
        window: bytes under way and unread in one direction before ``send`` waits.
        connect_timeout: seconds after which connecting fails; by default it waits however long.
    """

    def __init__(
        self,
        random: Random,
        *,
        latency: tuple[float, float] = (0.001, 0.05),
        split: float = 0.05,
        window: int = WINDOW_BYTES,
        connect_timeout: float = math.inf,
    ) -> None:
        self._random = random
        self._conditions = Conditions(latency, split, window)
        self._connect_timeout = connect_timeout
        self._counts = Counts()
        self._routes: dict[tuple[str, str], Route] = {}
        self._links: dict[NetworkStream, Link] = {}
        self._listeners: dict[Address, NetworkListener] = {}
        self._ports = EPHEMERAL_PORT
        self._off: set[str] = set()
        # Set, and replaced, whenever tasks that wait to connect should try again.
        self._changed = anyio.Event()

    @property
    def stats(self) -> NetworkStats:
        """The counts so far."""
        return NetworkStats(**asdict(self._counts))

    @property
    def links(self) -> list[Link]:
        """The connections of which at least one end is open, the oldest first."""
        return list(dict.fromkeys(self._links.values()))

    async def connect(self, from_host: str, to_host: str, port: int) -> NetworkStream:
        """
        Connect to a port; there and back it takes the latency twice.

        While the network is partitioned it waits.

        Raises:
            ConnectionRefusedError: nothing listens there.
            ConnectionAbortedError: the calling task belongs to a host that has crashed.
            TimeoutError: there was no answer within ``connect_timeout``.
        """
        check_fence()
        with anyio.fail_after(None if self._connect_timeout == math.inf else self._connect_timeout):
            await self._travel(from_host, to_host)
            listener = await self._listener_at(from_host, to_host, port)
            check_fence()
            link = self._linked(from_host, (to_host, port), listener)
            try:
                await self._travel(to_host, from_host)
            except BaseException:
                link.client.reset()
                raise
        return link.client

    def listen(self, host: str, port: int = 0) -> NetworkListener:
        """
        Open a port of a host; 0 chooses a free one.

        Raises:
            OSError: the port is in use.
            ConnectionAbortedError: the calling task belongs to a host that has crashed.
        """
        check_fence()
        if port == 0:
            port = self._next_port()
        if (host, port) in self._listeners:
            raise OSError(errno.EADDRINUSE, f"Something listens to {host}:{port} already.")
        listener = NetworkListener((host, port), self._counts, self._forget_listener)
        self._listeners[host, port] = listener
        return listener

    def partition(self, a: str, b: str) -> None:
        """Let nothing arrive between two hosts, either way, until it is healed."""
        self._counts.partitions += 1
        self._block(a, b)
        self._block(b, a)

    def hold(self, from_host: str, to_host: str) -> None:
        """Let nothing arrive in one direction until it is healed."""
        self._counts.holds += 1
        self._block(from_host, to_host)

    def slow(self, from_host: str, to_host: str, bytes_per_second: float) -> None:
        """Limit how fast bytes written from now on pass in one direction, until it is healed."""
        self._counts.slowed += 1
        self._route(from_host, to_host).bytes_per_second = bytes_per_second

    def heal(self, a: str | None = None, b: str | None = None) -> None:
        """
        End what is wrong between two hosts; without arguments, between all.

        Bytes that were held back arrive after a new latency. A connection that is half open breaks
        as soon as the end that believes in it has written something.
        """
        self._counts.heals += 1
        pairs = list(self._routes) if a is None or b is None else [(a, b), (b, a)]
        healed = {route: route.blocked_since for pair in pairs if (route := self._route(*pair))}
        for route in healed:
            route.heal()
        for link in self.links:
            self._revive(link, healed)
        self._wake()

    def cut(self, a: str, b: str) -> int:
        """Reset all connections between two hosts; return how many there were."""
        return self._cut([link for link in self.links if set(link.hosts) == {a, b}])

    def cut_host(self, host: str) -> int:
        """Reset all connections of a host; return how many there were."""
        return self._cut([link for link in self.links if host in link.hosts])

    def half_open(self, gone: str, believing: str) -> int:
        """
        Let a host forget its connections to another host, which believes that they live.

        The bytes that the other host writes vanish without an error until you heal or cut; both
        hosts can make new connections. As with TCP, only a timeout or a ping notices it.

        Returns:
            How many connections there were.
        """
        return self._forget(gone, [k for k in self.links if set(k.hosts) == {gone, believing}])

    def power_off(self, host: str, *, silently: bool = False) -> None:
        """
        Let a host crash: it closes its ports and resets its connections, and bytes are lost.

        Args:
            host: its name.
            silently: the whole machine is gone. The other ends notice nothing, as with
                ``half_open``, and a client that connects gets no answer until ``power_on``.
        """
        self._close_ports(host)
        links = [link for link in self.links if host in link.hosts]
        if silently:
            self._off.add(host)
            self._forget(host, links)
        else:
            self._counts.cuts += len(links)
            for link in links:
                link.end_at(host).reset()

    def close_host(self, host: str) -> None:
        """Close the ports and the connections of a host, as when its program ends."""
        self._close_ports(host)
        for link in self.links:
            if host in link.hosts:
                link.end_at(host).close()

    def power_on(self, host: str) -> None:
        """Let a host that crashed be reached again; nothing listens there yet."""
        self._off.discard(host)
        for link in self.links:
            if host in link.hosts:
                self._answer(link)
        self._wake()

    async def _travel(self, from_host: str, to_host: str) -> None:
        route = self._route(from_host, to_host)
        await anyio.sleep(route.latency())
        while route.is_blocked or to_host in self._off:
            await self._changed.wait()
            await anyio.sleep(route.latency())

    async def _listener_at(self, from_host: str, to_host: str, port: int) -> NetworkListener:
        while listener := self._listeners.get((to_host, port)):
            if not listener.is_full:
                return listener
            await anyio.sleep(RETRY_SECONDS)
        self._counts.refused += 1
        await self._travel(to_host, from_host)
        raise ConnectionRefusedError(
            errno.ECONNREFUSED, f"Nothing listens to {to_host}:{port}; start it there first."
        )

    def _linked(self, from_host: str, to: Address, listener: NetworkListener) -> Link:
        local = from_host, self._next_port()
        upward = Pipe(self._route(from_host, to[0]), self._counts)
        downward = Pipe(self._route(to[0], from_host), self._counts)
        client = NetworkStream(downward, upward, local, to, self._ended)
        server = NetworkStream(upward, downward, to, local, self._ended)
        link = Link(client, server, upward, downward)
        client.peer, server.peer = server, client
        self._links[client] = self._links[server] = link
        self._counts.connections += 1
        listener.offer(server)
        return link

    def _ended(self, end: NetworkStream) -> None:
        if (link := self._links[end]).is_over:
            del self._links[link.client], self._links[link.server]

    def _close_ports(self, host: str) -> None:
        for listener in [own for own in self._listeners.values() if own.address[0] == host]:
            listener.close()

    def _forget_listener(self, listener: NetworkListener) -> None:
        del self._listeners[listener.address]

    def _route(self, from_host: str, to_host: str) -> Route:
        route = self._routes.get((from_host, to_host))
        if route is None:
            route = self._routes[from_host, to_host] = Route(self._conditions, self._random)
        return route

    def _block(self, from_host: str, to_host: str) -> None:
        route = self._route(from_host, to_host)
        route.blocked_since = min(route.blocked_since, anyio.current_time())

    def _cut(self, links: list[Link]) -> int:
        for link in links:
            link.cut()
        self._counts.cuts += len(links)
        return len(links)

    def _forget(self, gone: str, links: list[Link]) -> int:
        for link in links:
            link.half_open(gone)
        self._counts.half_open += len(links)
        return len(links)

    def _revive(self, link: Link, healed: dict[Route, float]) -> None:
        now = anyio.current_time()
        for pipe in (link.upward, link.downward):
            if healed.get(pipe.route, math.inf) != math.inf:
                pipe.delay(healed[pipe.route], now)
                link.client.look_again()
                link.server.look_again()
        if link.upward.route in healed:
            self._answer(link)

    def _answer(self, link: Link) -> None:
        if self._off.isdisjoint(link.hosts):
            link.client.answer()
            link.server.answer()

    def _next_port(self) -> int:
        self._ports += 1
        return self._ports

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()
