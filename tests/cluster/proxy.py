"""A network between nodes and a server, which delays, stands still, resets and cuts."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from random import Random

__all__ = ["Network", "network_to"]

CHUNK_BYTES = 65_536
# With it, closing sends a reset.
AT_ONCE = struct.pack("ii", 1, 0)


class Network:
    """
    Hands bytes on between nodes and one server.

    Args:
        target: the server's port.
        random: draws what is cut, and where.
    """

    def __init__(self, target: int, random: Random) -> None:
        # How long each piece is on its way, in seconds.
        self.delay = 0.0
        # "before": the next COMMIT does not reach the server, and its connection ends; or
        # "after": it does, and its answer is lost. Then everything is handed on again.
        self.cut_next = ""
        # The share of commits that reach the server, while their answers are lost.
        self.answers_lost = 0.0
        # The most bytes that a new connection carries towards the server; 0 for any number.
        self.bytes_max = 0
        # How many connections were cut, by what cut them.
        self.cuts = {"in doubt": 0, "after some bytes": 0, "reset": 0}
        self._flows = threading.Event()
        self._flows.set()
        self._random = random
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._open = set[tuple[socket.socket, socket.socket]]()

    def run(self) -> None:
        """Accept connections until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def stall(self) -> None:
        """Hand nothing on, in both directions; connections stay open, and new ones are accepted."""
        self._flows.clear()

    def flow(self) -> None:
        """Hand everything on again, also what has waited."""
        self._flows.set()

    def reset(self) -> None:
        """Reset all connections."""
        for client, server in list(self._open):
            self.cuts["reset"] += 1
            with suppress(OSError):
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
            end(client)
            end(server)

    def close(self) -> None:
        """Close everything."""
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.flow()
        self.reset()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            self._flows.wait()
            with socket.create_connection(("127.0.0.1", self._target)) as server:
                self._connect(client, server)

    def _connect(self, client: socket.socket, server: socket.socket) -> None:
        for one in (client, server):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open.add((client, server))
        lost = threading.Event()
        down = threading.Thread(target=self._downwards, args=(client, server, lost), daemon=True)
        down.start()
        try:
            self._upwards(client, server, lost)
        finally:
            end(client)
            end(server)
            down.join()
            self._open.discard((client, server))

    def _upwards(self, client: socket.socket, server: socket.socket, lost: threading.Event) -> None:
        left = self._random.randrange(self.bytes_max) + 1 if self.bytes_max else 0
        while data := client.recv(CHUNK_BYTES):
            self._pass()
            if left and len(data) >= left:
                self.cuts["after some bytes"] += 1
                server.sendall(data[:left])
                return
            left -= len(data) if left else 0
            if b"COMMIT" in data:
                cut, self.cut_next = self.cut_next, ""
                if cut == "before":
                    return
                if cut == "after" or self._random.random() < self.answers_lost:
                    lost.set()
            server.sendall(data)

    def _downwards(
        self, client: socket.socket, server: socket.socket, lost: threading.Event
    ) -> None:
        with suppress(OSError):
            while data := server.recv(CHUNK_BYTES):
                if lost.is_set() and b"COMMIT" in data:
                    self.cuts["in doubt"] += 1
                    break
                self._pass()
                client.sendall(data)
        end(client)
        end(server)

    def _pass(self) -> None:
        if self.delay:
            time.sleep(self.delay)
        self._flows.wait()


def end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def network_to(port: int, random: Random) -> Iterator[Network]:
    """Run a network to a server until the exit."""
    network = Network(port, random)
    thread = threading.Thread(target=network.run, daemon=True)
    thread.start()
    try:
        yield network
    finally:
        network.close()
        thread.join(5)
