"""Directories that servers can reach: as root they run as another user, which pytest's keep out."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["reachable"]


@contextmanager
def reachable() -> Iterator[Path]:
    """Make a directory until the exit."""
    with tempfile.TemporaryDirectory(prefix="hubbub-") as made:
        Path(made).chmod(0o755)
        yield Path(made)
