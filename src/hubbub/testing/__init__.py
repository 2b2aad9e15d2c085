"""Virtual time for tests, and async fixtures that serve every plugin."""

from __future__ import annotations

from .hosted import hosted
from .virtual_time import (
    EPOCH,
    THREAD_SECONDS_MAX,
    VirtualClock,
    VirtualLoop,
    run_in_virtual_time,
)

__all__ = [
    "EPOCH",
    "THREAD_SECONDS_MAX",
    "VirtualClock",
    "VirtualLoop",
    "hosted",
    "run_in_virtual_time",
]
