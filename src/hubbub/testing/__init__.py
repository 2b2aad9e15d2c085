"""Virtual time for tests, fixtures for every plugin, and connections without a network."""

from __future__ import annotations

from ..extras import needs

with needs("testing", "hubbub.testing"):
    from .faulty_bus import FaultyBus
    from .faulty_store import FaultPlan, FaultyStore, InjectedFault, StoreFault, drawn_faults
    from .hosted import hosted
    from .in_memory import ASGIApplication, in_memory
    from .load import Latencies, LoadResult, Stopwatch, load
    from .manual_clock import ManualClock
    from .sessions import Sessions
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
    "ASGIApplication",
    "FaultPlan",
    "FaultyBus",
    "FaultyStore",
    "InjectedFault",
    "Latencies",
    "LoadResult",
    "ManualClock",
    "Sessions",
    "Stopwatch",
    "StoreFault",
    "VirtualClock",
    "VirtualLoop",
    "drawn_faults",
    "hosted",
    "in_memory",
    "load",
    "run_in_virtual_time",
]
