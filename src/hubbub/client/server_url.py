"""The address of a server, with or without ``http://``. Pure."""

from __future__ import annotations

import re

from ..addresses import parse_address

__all__ = ["is_plainly_address", "server_url"]

HOST = re.compile(r"\[[^\]/?#]*\]|[^:/?#]*")
PORT = re.compile(r":[0-9]{1,5}")


def server_url(address: str) -> str:
    """
    Return the URL that an address stands for.

    ``localhost`` and the other names and addresses of this machine stand for http, every
    other host for https: ``localhost:8000`` is ``http://localhost:8000``, and
    ``chat.example.org`` is ``https://chat.example.org``.

    Args:
        address: with a scheme, it stays unchanged.
    """
    address = address.strip()
    if "://" in address or not address:
        return address
    return f"{'http' if _is_this_machine(_host_of(address)) else 'https'}://{address}"


def is_plainly_address(text: str) -> bool:
    """Tell whether a text can be nothing but an address: it has a scheme or a port, or is local."""
    if "://" in text:
        return True
    host = _host_of(text)
    port = text[len(host) :].partition("/")[0]
    if not host or (port and PORT.fullmatch(port) is None):
        return False
    return bool(port) or _is_this_machine(host)


def _host_of(address: str) -> str:
    found = HOST.match(address)
    return found[0] if found is not None else ""


def _is_this_machine(host: str) -> bool:
    if host.lower() == "localhost" or host.lower().endswith(".localhost"):
        return True
    parsed = parse_address(host)
    # A server at 0.0.0.0 prints that as its address.
    return parsed is not None and (parsed.is_loopback or parsed.is_unspecified)
