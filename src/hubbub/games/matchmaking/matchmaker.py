"""
Matchmaking: the users who wait at this node, and the queues that it owns.

A queue is a stream that all nodes follow. A search is a command, and so is cancelling it; a call
that waits finds out from the stream that its user was matched. As time passes, users accept
opponents whose ratings are further apart: the node that owns a queue starts their matches then.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import anyio

from ...errors import Closed, NoOpponent, Overloaded
from ...ids import Ids
from ...journal.actor import Actor
from ...journal.command import Call, Command, nothing
from ...journal.containment import keep_running
from ...journal.decide.states import States
from ...journal.event import Draft, Event
from ...journal.live.following_all import FollowingAll
from ...journal.schedule import HUB
from ...stream_names import user_stream
from ...wake_up import WakeUp
from ..events import Matched, SearchCancelled
from ..matches.match import Match, MatchState, match_of, match_stream
from . import commands as decisions
from .commands import MatchSearch, QueueTerms, widening_of
from .followed import FollowedQueue
from .pool import Ticket
from .queue import QueueState, queue_stream

__all__ = ["Matchmaker"]

logger = logging.getLogger("hubbub.games")

# How long to wait after a failure, or with a clock that is ahead of the store's, before the next
# look at a queue.
AGAIN_SECONDS = 1.0
# How often to look for searches at nodes that were never seen alive here.
LOST_SECONDS = 2.0
# Matches that one command starts: the commands of users take turns with it.
MATCHES_AT_ONCE_MAX = 8


class _Waiting:
    """A search that calls wait for here."""

    __slots__ = ("calls", "match", "wake_up")

    def __init__(self) -> None:
        # Calls that wait for it: a client that reconnects adds another call.
        self.calls = 0
        # The stream of the match that was found.
        self.match: str | None = None
        self.wake_up = anyio.Event()

    def look(self) -> None:
        """Wake the waiting calls to check again."""
        self.wake_up.set()
        self.wake_up = anyio.Event()


class Matchmaker:
    """
    The matchmaking queues of a hub, one for each game.

    Args:
        hub: the actor of the hub's own commands.
        ids: makes the ids of matches.
        terms: the terms of all queues.
        start: runs a task in the hub, from anywhere.
    """

    def __init__(self, hub: Actor, ids: Ids, terms: QueueTerms, start: Callable[..., None]) -> None:
        self.terms = terms
        self._hub = hub
        self._ids = ids
        self._start = start
        self._clock = hub.journal.clock
        self._names = {queue_stream(name): name for name in terms.games}
        # A queue, a user and the key of their search -> their calls.
        self._waiting: dict[tuple[str, str, str], _Waiting] = {}
        # The queues as they are followed.
        self._queues = {name: self._follow_queue(name, QueueState()) for name in terms.games}
        # When to look at a queue again; a queue that has changed is left out until that is known.
        self._due: dict[str, float | None] = {}
        self._closed = False
        self._wake_up = WakeUp()
        # Wakes what waits for a user who searches alone; no search pays for it otherwise.
        self._queues_changed = WakeUp()

    async def find(  # noqa: PLR0913
        self,
        queue: str,
        user: str,
        rating: float | None,
        key: str,
        seconds: float,
        begun_max: int | None = None,
        *,
        resumes: bool = False,
    ) -> Match:
        """
        Wait for a match.

        Args:
            queue: the name of a game.
            user: the user who searches.
            rating: the user's rating; None for the rating that they have.
            key: the idempotency key of the search.
            seconds: how long to wait.
            begun_max: the number of other matches that the user can have begun; None for any.
            resumes: True to find the running match that an earlier search has found.

        Raises:
            Conflict: this user is already searching, or has too many running matches.
            NoOpponent: there was no match in time.
            Overloaded: too many users are searching.
            Closed: the hub is closing.
        """
        search = (queue, user, key)
        if (waiting := self._waiting.get(search)) is None:
            waiting = self._waiting[search] = _Waiting()
        stream = match_stream(self._ids.new())
        wanted = MatchSearch(queue, user, key, stream, rating, begun_max, resumes)
        waiting.calls += 1
        searches = True
        try:
            match: Match | None = None
            with anyio.move_on_after(seconds):
                match = await self._find(wanted, waiting)
            if match is None and waiting.calls == 1:
                # It may be found at the last moment.
                match = await self._cancel(wanted)
            searches = match is None and waiting.calls > 1
        finally:
            waiting.calls -= 1
            if not waiting.calls:
                self._leave(wanted, cancel=searches)
        if match is None:
            raise NoOpponent(f"No opponent was found in {seconds:g} s; try again later.")
        return match

    async def until_alone(self, queue: str, seconds: float) -> Ticket:
        """
        Wait until a user has searched alone in a queue for some time, and return their ticket.

        A bot that then searches by :meth:`find`, with the rating of that ticket, plays with that
        user at once, and never takes the place of a person.

        Args:
            queue: the name of a game.
            seconds: how long the user has searched, at least.
        """
        while True:
            tickets = self._queues[queue].tickets
            wait = None
            if len(tickets) == 1:
                (ticket,) = tickets.values()
                wait = ticket.since + seconds - self._clock.now().timestamp()
                if wait <= 0 and await self._is_alone(queue, ticket):
                    return ticket
                # Otherwise an event of the queue is on its way here.
                wait = wait if wait > 0 else None
            with anyio.move_on_after(wait):
                await self._queues_changed.wait()

    async def run(self) -> None:
        """Match users until cancelled."""
        self._closed = False
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep_running, "following the queues", self._follow)
                tasks.start_soon(keep_running, "the timers of the queues", self._ring)
                if self._hub.journal.store.shared:
                    tasks.start_soon(keep_running, "the lost searches", self._look_for_lost)
        finally:
            self._closed = True
            for waiting in self._waiting.values():
                waiting.look()

    def nodes_changed(self) -> None:
        """Look at all queues: another node may have died."""
        self._wake_up.set()
        if owned := [queue for queue in self._queues if self._owns(queue)]:
            self._start(self._cancel_lost, owned)

    # Searching

    async def _find(self, wanted: MatchSearch, waiting: _Waiting) -> Match:
        while True:
            if self._closed:
                raise _closed()
            wake_up = waiting.wake_up
            if waiting.match is not None:
                return await self._show(waiting.match)
            if (match := await self._search(wanted)) is not None:
                return match
            if waiting.match is None and not self._closed:
                await wake_up.wait()

    async def _search(self, wanted: MatchSearch) -> Match | None:
        def decide(states: States) -> Sequence[Draft]:
            return decisions.search(states, wanted, self.terms)

        result = partial(decisions.search_result, wanted=wanted)
        reads = (user_stream(wanted.user), *self._names)
        return await self._hub.journal.execute(Command(wanted.user, decide, result, reads=reads))

    async def _show(self, stream: str) -> Match:
        def shown(states: States, events: Sequence[Event]) -> Match:
            return match_of(stream, states.of(MatchState, stream))

        return await self._hub.execute(Command(HUB, nothing, shown, reads=(stream,)))

    def _cancelling(self, wanted: MatchSearch) -> Command[Match | None]:
        def decide(states: States) -> Sequence[Draft]:
            return decisions.cancel_search(states, wanted, self.terms.node)

        result = partial(decisions.search_result, wanted=wanted)
        reads = (queue_stream(wanted.queue), user_stream(wanted.user))
        return Command(wanted.user, decide, result, reads=reads)

    async def _cancel(self, wanted: MatchSearch) -> Match | None:
        return await self._hub.journal.execute(self._cancelling(wanted))

    def _leave(self, wanted: MatchSearch, *, cancel: bool) -> None:
        """Forget a search that no call waits for any more; cancel it, but do not wait for that."""
        del self._waiting[wanted.queue, wanted.user, wanted.key]
        if not cancel:
            return
        try:
            # In its turn from now on: users who search later do not find this user.
            self._hub.journal.submit(Call(self._cancelling(wanted)))
        except Overloaded:
            self._start(self._cancel, wanted)
        except Closed:
            # The ticket is cancelled when this node is known to be gone.
            pass

    async def _is_alone(self, queue: str, ticket: Ticket) -> bool:
        stream = queue_stream(queue)

        def result(states: States, events: Sequence[Event]) -> bool:
            return list(states.of(QueueState, stream).tickets.values()) == [ticket]

        return await self._hub.execute(Command(HUB, nothing, result, reads=(stream,)))

    # Following the queues

    async def _follow(self) -> None:
        def read(states: States, events: Sequence[Event]) -> Mapping[str, tuple[int, QueueState]]:
            states.need(self._names)
            entries = {stream: states.entry(stream) for stream in self._names}
            return {
                stream: (entry.head, QueueState(dict(states.of(QueueState, stream).tickets)))
                for stream, entry in entries.items()
            }

        await self._cancel_lost(list(self._queues))
        command = Command(HUB, nothing, read, reads=tuple(self._names))
        queues = await self._hub.execute(command)
        for stream, (_, state) in queues.items():
            name = self._names[stream]
            self._queues[name] = self._follow_queue(name, state)
        self._due.clear()
        heads = {stream: head for stream, (head, _) in queues.items()}
        async with FollowingAll(self._hub.journal, HUB, heads) as following:
            for waiting in self._waiting.values():
                # The user may have been matched while this node did not follow.
                waiting.look()
            while True:
                self._tell()
                for event in await following.next():
                    self._take(event)

    def _tell(self) -> None:
        self._wake_up.set()
        self._queues_changed.set()

    def _take(self, event: Event) -> None:
        queue = self._names[event.stream]
        match event.data:
            case Matched(stream, players):
                for player in players:
                    if (waiting := self._waiting_for(queue, player)) is not None:
                        waiting.match = stream
                        waiting.look()
            case SearchCancelled(user):
                if (waiting := self._waiting_for(queue, user)) is not None:
                    # Another node took this node for dead, so the call searches again.
                    waiting.look()
        self._queues[queue].apply(event)
        self._due.pop(queue, None)

    def _follow_queue(self, queue: str, state: QueueState) -> FollowedQueue:
        return FollowedQueue(self.terms.games[queue].size, widening_of(queue, self.terms), state)

    def _waiting_for(self, queue: str, user: str) -> _Waiting | None:
        ticket = self._queues[queue].tickets.get(user)
        return None if ticket is None else self._waiting.get((queue, user, ticket.key))

    # The queues of this node

    async def _ring(self) -> None:
        while True:
            # Queues that are due again at once, for whatever reason, must not block the hub.
            await anyio.lowlevel.checkpoint()
            now = self._clock.now().timestamp()
            for queue in self._queues:
                if queue not in self._due:
                    self._due[queue] = self._queues[queue].next()
                due = self._due[queue]
                if due is not None and due <= now and self._owns(queue):
                    # Its events make the loop compute again when the next group is due.
                    self._due[queue] = now + AGAIN_SECONDS
                    await self._pair_all(queue)
            times = [due for name, due in self._due.items() if due is not None and self._owns(name)]
            wait = max(0.0, min(times) - now) if times else None
            with anyio.move_on_after(wait):
                await self._wake_up.wait()

    def _owns(self, queue: str) -> bool:
        return self._hub.journal.nodes.owns(queue_stream(queue))

    async def _pair_all(self, queue: str) -> None:
        """Start the matches of all groups that play by now, a few in each command."""
        taken: list[Ticket] = []
        try:
            while groups := self._take_groups(queue):
                taken += [ticket for group in groups for ticket in group]
                await self._start_all(queue, groups)
        finally:
            # Players with a match leave the queue again when its event arrives here.
            self._queues[queue].put_back(taken)

    def _take_groups(self, queue: str) -> list[list[Ticket]]:
        return self._queues[queue].take(self._clock.now().timestamp(), MATCHES_AT_ONCE_MAX)

    async def _start_all(self, queue: str, groups: Sequence[Sequence[Ticket]]) -> None:
        try:
            await self._pair(queue, groups)
        except Closed:
            raise
        except Exception:  # affects this group only; it is tried again
            if len(groups) == 1:
                logger.exception("a match of the queue %r could not be started", queue)
                return
            for group in groups:
                await self._start_all(queue, [group])

    async def _pair(self, queue: str, groups: Sequence[Sequence[Ticket]]) -> None:
        wanted = [(match_stream(self._ids.new()), group) for group in groups]

        def decide(states: States) -> Sequence[Draft]:
            return decisions.pair(states, queue, wanted, self.terms)

        users = [user_stream(ticket.user) for group in groups for ticket in group]
        reads, creates = (queue_stream(queue), *users), [stream for stream, _ in wanted]
        command = Command(HUB, decide, lambda states, events: None, reads=reads, creates=creates)
        await self._hub.execute(command)

    async def _look_for_lost(self) -> None:
        while True:
            # A node may have died before this node joined.
            await anyio.sleep(LOST_SECONDS)
            if lost := [queue for queue in self._queues if self._has_lost(queue)]:
                await self._cancel_lost(lost)

    def _has_lost(self, queue: str) -> bool:
        is_there, tickets = self.terms.is_live, self._queues[queue].tickets.values()
        return self._owns(queue) and any(not is_there(ticket.node) for ticket in tickets)

    async def _cancel_lost(self, queues: Sequence[str]) -> None:
        def decide(states: States) -> Sequence[Draft]:
            lost = (decisions.cancel_lost(states, queue, self.terms.is_live) for queue in queues)
            return [draft for drafts in lost for draft in drafts]

        reads = tuple(map(queue_stream, queues))
        await self._hub.execute(Command(HUB, decide, lambda states, events: None, reads=reads))


def _closed() -> Closed:
    return Closed("The hub is closing; search again after it restarts.")
