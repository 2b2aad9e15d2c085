"""A whole Hubbub in one process, on one virtual clock, where everything fails that can fail."""

from __future__ import annotations

from ..extras import needs

with needs("simulate", "hubbub.simulator"):
    from .client import Client
    from .plan import PlannedFault
    from .run import RunOptions, run_seed, shortest_plan
    from .workload import Evidence, Workload
    from .world import Broken, Result

__all__ = [
    "Broken",
    "Client",
    "Evidence",
    "PlannedFault",
    "Result",
    "RunOptions",
    "Workload",
    "run_seed",
    "shortest_plan",
]
