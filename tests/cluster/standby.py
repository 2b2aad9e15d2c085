"""A synchronous standby of PostgreSQL, which can take the primary's place."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from hubbub.local_servers.postgres import _wheel, postgres_server
from hubbub.local_servers.server_process import ServerProcess, _owner, give_away

__all__ = ["Pair", "postgres_pair"]


class Pair:
    """
    Two servers: what the first commits, the second has.

    Args:
        primary: accepts writes until it is killed.
        standby: accepts them after :meth:`promote`.
    """

    def __init__(self, primary: ServerProcess, standby: ServerProcess) -> None:
        self.primary = primary
        self.standby = standby
        self.is_promoted = False
        one = urlsplit(primary.url)
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        self.url = (
            f"postgresql://{one.username}:{one.password}@{hosts}{one.path}"
            "?target_session_attrs=read-write"
        )

    def fail_over(self) -> None:
        """Kill the primary for good, and promote the standby."""
        self.is_promoted = True
        self.primary.kill()
        with psycopg.connect(self.standby.url, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")


@contextmanager
def postgres_pair(directory: Path) -> Iterator[Pair]:
    """Run a primary and its standby until the exit."""
    waits = {"synchronous_standby_names": "*", "wal_sender_timeout": "3s"}
    with postgres_server(directory / "primary") as empty:
        _copy(empty, directory)
    # Nothing commits until the standby has it as well, so the standby is started at once.
    with (
        postgres_server(directory / "primary", port=empty.port, settings=waits) as primary,
        postgres_server(directory / "standby") as standby,
    ):
        yield Pair(primary, standby)


def _copy(server: ServerProcess, directory: Path) -> None:
    standby, owner = directory / "standby", _owner()
    standby.mkdir()
    give_away(standby)
    one = urlsplit(server.url)
    program = [str(_wheel() / "pg_basebackup"), "--pgdata", str(standby / "data"), "-R", "-X"]
    subprocess.run(
        [*program, "stream", "--checkpoint=fast", "--no-sync", "--dbname", server.url],
        cwd="/",
        check=True,
        capture_output=True,
        env={**os.environ, "PGPASSWORD": one.password or ""},
        user=owner.user,
        group=owner.group,
        extra_groups=owner.extra_groups,
    )
    # The data has the primary's password.
    shutil.copy(directory / "primary" / "password", standby / "password")
    give_away(standby / "password")
