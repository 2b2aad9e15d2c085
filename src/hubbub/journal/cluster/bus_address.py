"""Where a bus is."""

from __future__ import annotations

import msgspec

__all__ = ["BusAddress"]


class BusAddress(msgspec.Struct, frozen=True):
    """
    Where a bus is.

    Args:
        kind: ``server``, ``cluster`` or ``sentinel``.
        hosts: the hosts, each with its port; of a cluster and of sentinels, some of them.
        tls: True if the connections are encrypted.
        user, password: what to sign in with, if not empty.
        service: the service that the sentinels watch.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...]
    tls: bool = False
    user: str = ""
    password: str = ""
    service: str = ""

    def __str__(self) -> str:
        return ", ".join(f"{host}:{port}" for host, port in self.hosts)
