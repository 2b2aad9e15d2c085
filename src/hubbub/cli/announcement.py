"""The first lines of ``hubbub serve``, and its error if it cannot listen."""

from __future__ import annotations

import errno
from pathlib import Path
from urllib.parse import urlsplit

from .databases import is_url

__all__ = ["announcement", "cannot_listen", "describe_database"]

MEMORY = "memory://"
# Only an administrator of the machine may listen at the ports below it.
FREE_PORT_FIRST = 1024
UNITS = ("bytes", "kB", "MB", "GB", "TB")


def announcement(address: str, database: str, backend: str) -> str:
    """
    Return what to show when the server accepts connections.

    Args:
        address: its URL.
        database: what :func:`describe_database` has returned.
        backend: the event loop.
    """
    return (
        f"Hubbub serves {address}\n"
        f"  Database: {database}\n"
        f"  Backend:  {backend}\n"
        "  Press Ctrl+C to stop."
    )


def describe_database(db: str) -> str:
    """
    Say where a database is, and whether it is new or how large it is.

    Call it before the database is opened: opening makes a new one.

    Args:
        db: the path of a file, ``postgresql://…`` or ``memory://``.
    """
    if db == MEMORY:
        return "in memory, lost when the server stops"
    if is_url(db):
        # Without the user and the password.
        where = urlsplit(db)
        return f"PostgreSQL, {where.path.strip('/')} at {where.netloc.rpartition('@')[2]}"
    path = Path(db).absolute()
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    return f"{path} ({_shown(size) if size else 'new'})"


def cannot_listen(host: str, port: int, error: OSError) -> str:
    """Say why the server cannot listen at an address, and what to do."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} of {host} is in use, perhaps by another hubbub serve. Stop that "
            f"program, or choose another port: --port {port + 1 if port < 65535 else 0}."
        )
    if error.errno in (errno.EACCES, errno.EPERM) and port < FREE_PORT_FIRST:
        return (
            f"Only an administrator may listen at port {port}; choose one from {FREE_PORT_FIRST}."
        )
    # create_server adds the address, which is in the line already.
    reason = (error.strerror or str(error)).partition(" (while")[0]
    return (
        f"Cannot listen at {host}, port {port}: {reason}. Choose an address of this machine "
        "with --host, such as 127.0.0.1 or 0.0.0.0."
    )


def _shown(size: float) -> str:
    unit = 0
    while size >= 1000 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    return f"{size:.1f} {UNITS[unit]}" if unit else f"{size:.0f} {UNITS[unit]}"
