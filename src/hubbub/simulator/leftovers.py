"""Finds whatever a server still holds when all its users have gone."""

from __future__ import annotations

from collections.abc import Iterator

from ..server.gateway import Gateway

__all__ = ["leftovers"]


def leftovers(gateway: Gateway, where: str = "") -> Iterator[str]:
    """
    Yield a sentence for everything that is left of users who have gone.

    Args:
        gateway: of a server without a connection, some time after the last has gone.
        where: what the sentences say of the server, like ``on node 1``.
    """
    stats = gateway.hub.meter.stats()
    counts = {
        "connections of the gateway": len(gateway.connections),
        "sessions of sockets": len(gateway.sockets),
        "streams of events over HTTP": len(gateway.event_streams),
        "sockets with answers that were not sent": len(gateway.unflushed),
        "places of connections": gateway.places.count,
        "connected sessions": stats.connections,
        "users who are online": stats.users,
        "followers of streams": stats.followers,
        "calls that wait": stats.calls_queued,
    }
    for what, count in counts.items():
        if count:
            yield f"All users have gone, and {count} {what} are left{where and f' {where}'}."
