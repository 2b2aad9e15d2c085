"""
The matches of a hub, which all its sessions share: clocks, presence, queues and handlers.

Every match that needs attention is in the schedule, written in the transaction that started it.
The supervisor follows that stream like a client follows a room, so it handles a match from before
a restart of the process in the same way as a match that starts now.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import anyio

from ...errors import Closed, StorageError
from ...ids import Ids
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.containment import keep_running
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.journal import Journal
from ...journal.link import Links
from ...journal.live.following_all import FollowingAll
from ...journal.retries import Retries
from ...journal.schedule import (
    HUB,
    Scheduled,
    TimerQueue,
    Unscheduled,
    schedule_entry,
)
from ...journal.schedule_entries import read_schedule
from ...settings import Settings
from ...stream_names import user_stream
from ...wake_up import WakeUp
from ..boards import commands as board_decisions
from ..boards.stream import is_board
from ..known_nodes import KnownNodes
from ..matchmaking.commands import QueueTerms
from ..matchmaking.matchmaker import Matchmaker
from ..matchmaking.pool import Widening
from . import commands as decisions
from .ending import MATCH_SCHEDULE
from .game import Game, check_games
from .match import is_match
from .running import Running
from .terms import MatchTerms

__all__ = ["MatchSupervisor"]

logger = logging.getLogger("hubbub.games")

Drafts = Sequence[Draft]

# How long to wait after a failure before a timer fires again, or a user's matches are looked at.
RETRY_SECONDS = 5.0
# How long to wait before the next look at a stream that is still due after a look.
LOOK_AGAIN_SECONDS = 1.0
# Streams that are brought up to date concurrently when the hub opens.
LOOKS_MAX = 100
# How late the node that has to look at a stream can be before the other nodes look at it as well.
LATE_LOOK_SECONDS = 5.0


class MatchSupervisor:
    """
    The games of a hub.

    Args:
        journal: executes the commands.
        settings: the limits.
        ids: makes new ids.
        games: the games of the application, by name.
        online: returns whether a user is connected now.
        start: runs a task in the hub, from anywhere.
        knows_presence: returns whether this node knows the users of all nodes.
    """

    def __init__(  # noqa: PLR0913
        self,
        journal: Journal,
        settings: Settings,
        ids: Ids,
        games: Mapping[str, Game],
        online: Callable[[str], bool],
        start: Callable[..., None],
        knows_presence: Callable[[], bool] = lambda: True,
    ) -> None:
        check_games(games)
        self.games = games
        self.terms = MatchTerms(
            games,
            online,
            timedelta(seconds=settings.match_grace_seconds),
            settings.match_win_points,
            timedelta(seconds=settings.match_idle_seconds),
            settings.rated_matches_max,
            settings.name_chars_max,
            journal.nodes.me,
            knows_presence=knows_presence,
        )
        widening = Widening(settings.rating_range, settings.rating_range_per_second)
        self._journal = journal
        self._settings = settings
        self._ids = ids
        self._start = start
        self._hub = Actor(journal, settings, ids, HUB, "user")
        monotonic, alone = settings.clock.monotonic, not journal.store.shared
        self._nodes = KnownNodes(journal.nodes, monotonic, alone=alone)
        queues = QueueTerms(self.terms, widening, settings.searches_max, self._nodes.is_there)
        self.matchmaker = Matchmaker(self._hub, ids, queues, start)
        self.running = Running(self._hub, games, self.terms, self._nodes, start)
        self._timers = TimerQueue()
        # Streams that are due, and that another node has to look at.
        self._elsewhere: set[str] = set()
        # The matches that were looked at since the hub opened; None once all were. The first look
        # knows that no player could reconnect before.
        self._looked: set[str] | None = set()
        # Users whose matches the store could not read.
        self._unread = Retries(self._look_at_matches, RETRY_SECONDS, start)
        self._wake_up = WakeUp()

    async def run(self) -> None:
        """Handle everything in the schedule until cancelled."""
        changed = self._journal.nodes.changed
        changed.append(self._nodes_changed)
        try:
            await self._run()
        finally:
            changed.remove(self._nodes_changed)

    async def _run(self) -> None:
        async with anyio.create_task_group() as tasks:
            for schedule in (MATCH_SCHEDULE, board_decisions.BOARD_SCHEDULE):
                follow = partial(self._follow, schedule)
                tasks.start_soon(keep_running, f"following {schedule}", follow)
            tasks.start_soon(keep_running, "the timers of games", self._ring)
            tasks.start_soon(keep_running, "matchmaking", self.matchmaker.run)

    def _nodes_changed(self) -> None:
        """Look at everything again: work that another node had may belong to this node now."""
        self._nodes.look()
        for stream in self._elsewhere:
            self._timers.set(stream, self._journal.clock.now())
        self._elsewhere.clear()
        self._wake_up.set()
        self.running.nodes_changed()
        self.matchmaker.nodes_changed()

    def presence_changed(self, user: str) -> None:
        """Look at the matches of a user who has just connected or disconnected."""
        links = self._journal.peek(user_stream(user))
        if not isinstance(links, Links) or any(map(is_match, links.links)):
            self._start(self._look_at_matches, user)

    # Schedule

    async def _follow(self, schedule: str) -> None:
        entries = await self._hub.execute(read_schedule(schedule))
        while entries.left:
            entries = await self._hub.execute(read_schedule(schedule, move=True))
        async with FollowingAll(self._journal, HUB, entries.heads) as following:
            if len(self._journal.nodes.live()) > 1:
                self._join(entries.due)
            else:
                await self._look_at_all(list(entries.due))
            if schedule == MATCH_SCHEDULE:
                self._looked = None
            while True:
                for event in await following.next():
                    self._take(event)

    def _join(self, due: Mapping[str, datetime | None]) -> None:
        """Look at streams when they are due: other nodes have kept them up to date."""
        for stream, at in due.items():
            self._timers.set(stream, at)
            if is_match(stream):
                self.running.look_at(stream)
        self._wake_up.set()

    async def _look_at_all(self, streams: Sequence[str]) -> None:
        limiter = anyio.CapacityLimiter(LOOKS_MAX)

        async def look_at(stream: str) -> None:
            async with limiter:
                await self._look(stream, run=True)

        async with anyio.create_task_group() as tasks:
            for stream in streams:
                tasks.start_soon(look_at, stream)

    def _take(self, event: Event) -> None:
        match event.data:
            case Scheduled(to, due):
                self._elsewhere.discard(to)
                self._set_timer(to, due)
                others = len(self._journal.nodes.live()) > 1
                if is_match(to) and (others or to not in self.running):
                    self.running.look_at(to)
            case Unscheduled(to):
                self._elsewhere.discard(to)
                self._timers.set(to, None)
                self.running.end(to)

    async def _ring(self) -> None:
        clock = self._journal.clock
        while True:
            # Streams that are due again at once, for whatever reason, must not block the hub.
            await anyio.lowlevel.checkpoint()
            now = clock.now()
            for stream in list(self._timers.ring(now)):
                if self._journal.nodes.owns(stream) or stream in self._elsewhere:
                    # Its owner is late: to look at a stream twice is harmless.
                    self._elsewhere.discard(stream)
                    self._start(self._look, stream)
                else:
                    self._elsewhere.add(stream)
                    self._timers.set(stream, now + timedelta(seconds=LATE_LOOK_SECONDS))
            due = self._timers.next()
            wait = None if due is None else max(0.0, (due - clock.now()).total_seconds())
            with anyio.move_on_after(wait):
                await self._wake_up.wait()

    async def _look_at_matches(self, user: str) -> None:
        stream = user_stream(user)

        def found(states: States, events: Sequence[Event]) -> list[str]:
            return _matches(states.of(Links, stream))

        try:
            streams = await self._hub.execute(Command(HUB, nothing, found, reads=(stream,)))
        except Closed:
            return
        except StorageError:
            self._unread.later(user)
            return
        except Exception:  # their clocks still run; only the dropping of this user is missed
            logger.exception("the matches of %s are not looked at", user)
            return
        for match in streams:
            await self._look(match)

    async def _look(self, stream: str, *, run: bool = False) -> None:
        def decide(states: States) -> Drafts:
            if is_board(stream):
                return board_decisions.look_at_board(states, stream)
            return self._look_at_match(states, stream)

        now = self._journal.clock.now
        try:
            due = await self._hub.execute(
                Command(HUB, decide, partial(_scheduled, stream), reads=(stream,))
            )
        except Closed:
            return
        except Exception as error:  # includes a bug in the application's own rules
            self._look_later(stream, error)
        else:
            if stream not in self._timers:
                # There is no event of it if it was scheduled before this process, or is unchanged.
                if due is not None and due <= now():
                    due = now() + timedelta(seconds=LOOK_AGAIN_SECONDS)
                self._set_timer(stream, due)
        if run and is_match(stream):
            self.running.look_at(stream)

    def _look_later(self, stream: str, error: Exception) -> None:
        if self._looked is not None:
            self._looked.discard(stream)
        if not isinstance(error, StorageError):
            # The health of the store logs its failures, and not those of each stream.
            logger.error("%s could not be looked at", stream, exc_info=error)
        self._set_timer(stream, self._journal.clock.now() + timedelta(seconds=RETRY_SECONDS))

    def _look_at_match(self, states: States, stream: str) -> Drafts:
        # A player who reconnects at once must not be faster than the look at the opening.
        first = self._looked is not None and stream not in self._looked
        drafts = decisions.look_at_match(states, stream, self.terms, opening=first)
        if self._looked is not None:
            self._looked.add(stream)
        return drafts

    def _set_timer(self, stream: str, due: datetime | None) -> None:
        self._timers.set(stream, due)
        self._wake_up.set()


def _matches(links: Links) -> list[str]:
    return [stream for stream in links.links if is_match(stream)]


def _scheduled(stream: str, states: States, events: Sequence[Event]) -> Any:
    schedule = board_decisions.BOARD_SCHEDULE if is_board(stream) else MATCH_SCHEDULE
    return schedule_entry(states, schedule, stream)[1]
