"""The server: an ASGI application, and what runs it."""

from __future__ import annotations

from ..extras import needs

with needs("server", "hubbub.server"):
    from .app import create_app
    from .auth.jwt_authenticator import JwtAuthenticator
    from .auth.tokens import Authenticator, Identity
    from .gateway import Gateway
    from .http.json_response import JSONResponse
    from .http.problem import on_hubbub_error

__all__ = [
    "Authenticator",
    "Gateway",
    "Identity",
    "JSONResponse",
    "JwtAuthenticator",
    "create_app",
    "on_hubbub_error",
]
