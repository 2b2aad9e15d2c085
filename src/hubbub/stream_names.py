"""The names of streams that several features write. Pure."""

from __future__ import annotations

__all__ = ["user_stream"]


def user_stream(user_id: str) -> str:
    """Return the name of a user's own stream."""
    return f"user/{user_id}"
