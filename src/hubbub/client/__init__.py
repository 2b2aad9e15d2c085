"""The client: a session over a network."""

from __future__ import annotations

from .connect import connect

__all__ = ["connect"]
