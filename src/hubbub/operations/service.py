"""Operations: statistics of the hub, for a session of an admin."""

from __future__ import annotations

from collections.abc import Sequence

from ..journal.actor import Actor
from ..journal.command import Command, nothing
from ..journal.decide.states import States
from ..journal.event import Event
from ..journal.stats import Meter, Stats
from ..service import Service, query

__all__ = ["Operations"]


class Operations(Service):
    """
    Statistics of the hub.

    Args:
        actor: the user of the session.
        meter: the statistics, which all sessions of the hub share.
    """

    name = "operations"

    __slots__ = ("_by", "_meter")

    def __init__(self, actor: Actor, meter: Meter) -> None:
        super().__init__(actor, meter)
        self._by = actor.user
        self._meter = meter

    @query
    def stats(self) -> Command[Stats]:
        """
        Return the hub's statistics: connections, commands, commits, followers. For admins.

        Raises:
            NotAllowed: you are not an admin.
        """

        def result(states: States, events: Sequence[Event]) -> Stats:
            return self._meter.stats()

        return Command(self._by, nothing, result)
