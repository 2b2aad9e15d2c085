"""
Simulation of asynchronous code, on asyncio and on trio.

It imports nothing of hubbub, and tests whatever is written with anyio: virtual time, an order of
tasks that a seed draws, cancellation at every place, a network, hosts and disks that fail, and
histories of concurrent calls.
"""

from __future__ import annotations

from .cancel import cancel_everywhere
from .checks import always, eventually
from .counterexample import Counterexample
from .disk import Disk
from .explore import explore
from .history import History
from .host import Host
from .linearizability import Model
from .listener import NetworkListener
from .network import Network
from .programs import Program, programs, run_program
from .run import Deadlock, current_random, simulate
from .stream import NetworkStream
from .waiting import waiting_places

__all__ = [
    "Counterexample",
    "Deadlock",
    "Disk",
    "History",
    "Host",
    "Model",
    "Network",
    "NetworkListener",
    "NetworkStream",
    "Program",
    "always",
    "cancel_everywhere",
    "current_random",
    "eventually",
    "explore",
    "programs",
    "run_program",
    "simulate",
    "waiting_places",
]
