"""
Which pages may reach the hub from a browser. Pure.

A browser sends requests for any page that asks, also to a hub on the user's own
machine or on an intranet, which the page's author could not reach. It says in
``Origin`` which page asked, and in ``Host`` by what name it found the server.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from ...settings import Settings

__all__ = ["host_allowed", "is_loopback_host", "origin_allowed"]

EVERYBODY = "*"
DEFAULT_PORTS = {"http": 80, "https": 443}


def origin_allowed(origin: str | None, host: str | None, settings: Settings) -> bool:
    """
    Tell whether a page of this origin may use the hub.

    This protects a hub that only the user's browser can reach: one on localhost or on an
    intranet. Without the check a page of another site could sign in there as a guest, and
    read and write what any guest may. It does not protect accounts, and need not: nobody is
    signed in by a cookie, and the page of another site has no token. Programs that are not
    browsers send no ``Origin``, or any they like.

    Args:
        origin: the header ``Origin``, or None where there is none.
        host: the header ``Host``.
        settings: `allowed_origins`; a page that the hub itself served is always allowed.
    """
    if origin is None or EVERYBODY in settings.allowed_origins:
        return True
    origin = origin.strip().lower()
    if origin in {allowed.lower().rstrip("/") for allowed in settings.allowed_origins}:
        return True
    scheme, _, authority = origin.partition("://")
    port = DEFAULT_PORTS.get(scheme)
    if port is None or host is None:
        return False
    # A proxy ends TLS, so the scheme that the page was loaded by is not known here.
    asked, served = _split(authority), _split(host)
    return (
        asked is not None
        and served is not None
        and _with_port(asked, port) == _with_port(served, port)
    )


def host_allowed(host: str | None, settings: Settings) -> bool:
    """
    Tell whether the server may be called by this name.

    A page can give its own name the address of a server that only the user's browser can
    reach (DNS rebinding); for the browser both are then one origin, but ``Host`` names it.

    Args:
        host: the header ``Host``.
        settings: `allowed_hosts`; empty allows every name. This machine's own names are
            always allowed, because nobody else can be found by them.
    """
    if not settings.allowed_hosts or is_loopback_host(host):
        return True
    found = _split(host or "")
    return found is not None and found[0] in {name.lower() for name in settings.allowed_hosts}


def is_loopback_host(host: str | None) -> bool:
    """Tell whether a ``Host`` names the machine that the client is on."""
    found = _split(host or "")
    if found is None:
        return False
    if found[0] == "localhost":
        return True
    try:
        return ip_address(found[0]).is_loopback
    except ValueError:
        return False


def _split(authority: str) -> tuple[str, int | None] | None:
    """Take a name and a port apart; None if it is no authority."""
    try:
        parts = urlsplit(f"//{authority.strip()}")
        if parts.path or parts.query or parts.fragment or parts.username is not None:
            return None
        return (parts.hostname, parts.port) if parts.hostname else None
    except ValueError:
        return None


def _with_port(named: tuple[str, int | None], default: int) -> tuple[str, int]:
    name, port = named
    return name, default if port is None else port
