"""The server: an ASGI application, and what runs it."""

from __future__ import annotations

from .app import create_app
from .gateway import Gateway

__all__ = ["Gateway", "create_app"]
