"""The runtime of games: the match supervisor runs while the hub is open."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

from ..feature import Host
from .matches.arithmetic import ARITHMETIC
from .matches.game import Game
from .matches.supervisor import MatchSupervisor

__all__ = ["DEFAULT_GAMES", "supervising"]

# The games of a hub that is opened without games of its own.
DEFAULT_GAMES: Mapping[str, Game] = {"default": Game(), "arithmetic": ARITHMETIC}


@asynccontextmanager
async def supervising(hub: Host) -> AsyncGenerator[MatchSupervisor]:
    """Run the matches of a hub; its option ``games`` has the games."""
    games: Mapping[str, Game] = hub.options.get("games") or DEFAULT_GAMES  # type: ignore[assignment]
    supervisor = MatchSupervisor(
        hub.journal,
        hub.settings,
        hub.ids,
        games,
        hub.is_connected,
        hub.start,
        lambda: hub.knows_presence,
    )
    hub.keep_running("the match supervisor", supervisor.run)
    yield supervisor
