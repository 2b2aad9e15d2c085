"""
The check of the pages that use the hub from a browser. Pure.

A browser sends requests for any page, also to a hub on the user's own machine or on an
intranet, which the page's author cannot reach. The header ``Origin`` names the site of the
page, and ``Host`` the name by which the browser found the server.
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

    This protects a hub that only the user's browser can reach, on localhost or on an intranet.
    Without the check a page of another site could sign in there as a guest, and read and write
    whatever a guest can. Accounts need no such protection: no cookie alone signs anybody in, and
    the page of another site has no token. Programs that are not browsers send no ``Origin``, or
    any that they like.

    Args:
        origin: the header ``Origin``, or None if there is none.
        host: the header ``Host``.
        settings: `allowed_origins`; the hub's own page is always allowed.
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
    # A proxy may end TLS, so the server does not know the scheme of the page.
    asked, served = _split(authority), _split(host)
    return (
        asked is not None
        and served is not None
        and _with_port(asked, port) == _with_port(served, port)
    )


def host_allowed(host: str | None, settings: Settings) -> bool:
    """
    Tell whether a client can call the server by this name.

    A page can give its own name the address of a server that only the user's browser can reach
    (DNS rebinding). The browser then takes both for the same origin, but ``Host`` has the name.

    Args:
        host: the header ``Host``.
        settings: `allowed_hosts`; empty allows every name. This machine's own names are
            always allowed, because they lead to no other machine.
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
    """Split a name from a port; return None if the text is no authority."""
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
