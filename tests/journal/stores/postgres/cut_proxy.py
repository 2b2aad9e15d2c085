"""A TCP proxy that cuts the connection at the moment of a commit."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["CutProxy", "cut_proxy"]


class CutProxy:
    """
    Hands everything on, unless ``cut`` is set.

    ``cut`` is "before": the next COMMIT does not reach the server; or "after": it does, and its
    answer is lost. Then the proxy hands everything on again.
    """

    def __init__(self, target: int) -> None:
        self.cut = ""
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open = list[socket.socket]()

    def run(self) -> None:
        """Accept connections until closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                self._open += [client, server]
                for work in (self._upwards, self._downwards):
                    threading.Thread(target=work, args=(client, server), daemon=True).start()

    def close(self) -> None:
        """Close everything."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            end(one)
            one.close()

    def _upwards(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := client.recv(65_536):
                if b"COMMIT" in data and self.cut == "before":
                    self.cut = ""
                    break
                if b"COMMIT" in data and self.cut == "after":
                    self.cut = "answer"
                server.sendall(data)
        end(client)
        end(server)

    def _downwards(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(65_536):
                if self.cut == "answer" and b"COMMIT" in data:
                    self.cut = ""
                    break
                client.sendall(data)
        end(client)
        end(server)


def end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cut_proxy(target: int) -> Iterator[CutProxy]:
    """Run a proxy to a port until the exit."""
    proxy = CutProxy(target)
    thread = threading.Thread(target=proxy.run, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
