"""The server: an ASGI application, and what runs it."""

from __future__ import annotations

from .app import create_app
from .auth import Authenticator, Identity
from .gateway import Gateway
from .jwt_authenticator import JwtAuthenticator

__all__ = ["Authenticator", "Gateway", "Identity", "JwtAuthenticator", "create_app"]
