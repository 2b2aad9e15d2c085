"""Where ``http_protocol`` was in earlier versions."""

from __future__ import annotations

from .uvicorn_protocol import http_protocol

__all__ = ["http_protocol"]
