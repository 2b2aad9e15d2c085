"""PostgreSQL and Valkey servers on this machine, from wheels, for tests and to try things."""

from __future__ import annotations

from .postgres import postgres_server
from .server_process import ServerProcess
from .valkey import valkey_server

__all__ = ["ServerProcess", "postgres_server", "valkey_server"]
