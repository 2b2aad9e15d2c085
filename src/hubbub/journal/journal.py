"""The journal: it takes commands and produces events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Self, TypeVar

import anyio
import anyio.lowlevel
import msgspec
from anyio import AsyncContextManagerMixin

from ..errors import Closed, Overloaded
from ..ids import Ids
from ..ratelimit import RateLimit
from ..settings import Settings
from ..task_group import open_task_group
from .cluster.bus import Bus
from .cluster.nodes import Nodes
from .cluster.sharing import Sharing
from .command import Call, Command, SessionQueue
from .containment import keep_running, tell_each
from .decide.cache_entries import Name, StreamEntry
from .decide.committer import Committer
from .decide.key_reader import KeyReader
from .decide.loader import Loader
from .decide.states import States
from .decide.writer import Writer
from .event import Event, Signal, State, Streams
from .health import Health
from .home import Home
from .live.attaching import Attacher
from .live.feed import Feeds
from .live.following import Following, check_open
from .live.signals import Signals
from .live.topic import Follower, Topic
from .live.topics import Topics
from .reading import Reading
from .stores.contract import Record, Store

__all__ = ["Journal"]

R = TypeVar("R")

DAY_SECONDS = 24 * 3600.0


class Journal(AsyncContextManagerMixin):
    """
    Runs the committer, the loader and the topics; use it with ``async with``.

    Leaving the block finishes accepted commands. Any later use raises Closed.

    Args:
        store: the store; the caller closes it.
        streams: the known kinds of stream.
        settings: limits and the clock.
        new_limit: makes a rate limit for a name.
        bus: carries what is committed to the other nodes of a store that is shared.
    """

    def __init__(
        self,
        store: Store,
        streams: Streams,
        settings: Settings,
        new_limit: Callable[[str], RateLimit],
        bus: Bus | None = None,
    ) -> None:
        self.store = store
        self.streams = streams
        self.nodes = Nodes(Ids(settings.clock, settings.random).new(), store, settings.clock)
        self._settings = settings
        self._calls_queued_max = settings.calls_queued_max
        self._health = Health(settings.clock.monotonic)
        self._states = States(settings.states_max, new_limit, settings.states_bytes_max)
        self._reading = Reading(store, streams, self._health)
        self.feeds = Feeds(store, streams, self._reading.feed, self.check_home)
        self._topics = Topics()
        writer = Writer(store, self._health, settings.commit_seconds_max)
        self._sharing = self._share(store, writer, bus) if store.shared else None
        # The store's, if nodes share it.
        self.clock = settings.clock if self._sharing is None else self._sharing.clock
        self._committer = self._new_committer(writer)
        self.measures = self._committer.measures
        keys_max = settings.key_chars_max
        self._loader = Loader(store, self._states, streams, self._health, self._loaded, keys_max)
        self._attacher = Attacher(self._states, self._topics)
        self._home: Home | None = None
        # Called after a batch or a signal, when collected output can be sent.
        self.after_batch: list[Callable[[], None]] = []
        # Called with the events of each batch once they are durable.
        self.on_commit: list[Callable[[Sequence[Event]], None]] = [self.feeds.tell]
        self._closed = False

    def _share(self, store: Store, writer: Writer, bus: Bus | None) -> Sharing:
        return Sharing(
            store,
            writer,
            self._states,
            self.streams,
            self._topics,
            self.feeds,
            self._reading,
            self._settings,
            self._after_batch,
            self.nodes,
            bus,
        )

    def _new_committer(self, writer: Writer) -> Committer:
        settings = self._settings
        return Committer(
            writer,
            self._states,
            self.streams,
            self.clock,
            publish=self._publish,
            load=self._load,
            after_batch=self._after_batch,
            batch_calls_max=settings.batch_calls_max,
            key_seconds=settings.key_days * DAY_SECONDS,
            holder=None if self._sharing is None else self._sharing.holder,
        )

    @asynccontextmanager
    async def __asynccontextmanager__(self) -> AsyncGenerator[Self]:
        self._home = Home()
        await self.nodes.beat()
        # Cancelling the hub closes it: accepted commands are still finished.
        work = anyio.CancelScope(shield=True)
        async with open_task_group() as tasks:
            tasks.start_soon(self._work, work)
            try:
                yield self
            finally:
                with anyio.CancelScope(shield=True):
                    await self.drain()
                self._abandon()
                work.cancel()

    async def _work(self, scope: anyio.CancelScope) -> None:
        with scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(keep_running, "the loader", self._loader.run)
                tasks.start_soon(keep_running, "the committer", self._committer.run)
                if self._sharing is not None:
                    tasks.start_soon(self._sharing.run)
                else:
                    keys = KeyReader(self.store, self._states.known_keys, self.clock)
                    tasks.start_soon(keep_running, "the look at used keys", keys.run)

    # Commands

    def execute(
        self, command: Command[R], queue: SessionQueue | None = None
    ) -> Coroutine[Any, Any, R]:
        """
        Decide a command, and return when its events are durable.

        It waits for a place when the queue is full. Cancelling it abandons the
        wait: a command that was not yet taken is withdrawn, any other is committed.

        Raises:
            HubbubError: the error of the decision.
            StorageError: the store could not write it.
            Closed: the hub is closed or closing.
            WrongLoop: the hub was opened in another event loop.
        """
        # A plain function, not `async def`: it saves a coroutine for each command.
        return self.wait_for(Call(command, queue, waits=True))

    async def wait_for(self, call: Call[R]) -> R:
        """Queue a call that waits, and return its outcome; see :meth:`execute`."""
        if self._home is not None:
            self._home.check()
        while self.full and not self._closed:
            await self._committer.progress()
        self._put(call)
        try:
            while not call.done:
                assert call.wake is not None
                await call.wake.wait()
        except anyio.get_cancelled_exc_class():
            self._withdraw(call)
            raise
        if call.error is not None:
            raise call.error
        return call.value  # type: ignore[return-value]

    def submit(self, call: Call[Any]) -> None:
        """
        Queue a call without waiting.

        Raises:
            Overloaded: the queue is full.
            Closed: the hub is closed or closing.
            Invalid: the key is too long.
        """
        if self.full and not self._closed:
            raise Overloaded("Too many commands are waiting; try again in a few seconds.")
        self._put(call)

    def _put(self, call: Call[Any]) -> None:
        if self._closed:
            raise Closed("The hub is closed; open it again.")
        command = call.command
        names: Sequence[Name] = self._states.missing_of(command.reads, command.looks)
        if names or command.key is not None or command.creates:
            names = self._loader.checked(command, names)
        if call.queue is not None:
            call.place = call.queue.enter()
        if names:
            self._loader.put(call, names)
        else:
            self._committer.put(call)

    @property
    def full(self) -> bool:
        """True if the queue is full."""
        return len(self._committer.queue) + self._loader.waiting >= self._calls_queued_max

    def _withdraw(self, call: Call[Any]) -> None:
        self._loader.withdraw(call)
        self._committer.withdraw(call)

    def check_home(self) -> None:
        """Raise WrongLoop in another event loop than the journal's."""
        if self._home is not None:
            self._home.check()

    def _load(self, call: Call[Any], names: Sequence[Name]) -> None:
        self._loader.put(call, names)

    def _loaded(self, call: Call[Any]) -> None:
        if call.error is None:
            self._committer.put(call)
        else:
            self._committer.refuse(call, call.error)
            # No batch will send this response.
            self._after_batch()

    # Reading

    async def read(self, stream: str, after: int, limit: int, *, by: str = "") -> list[bytes]:
        """
        Return encoded events after a seq, as readers of the stream see them.

        The caller has checked the user's access.

        Args:
            stream: a stream's name.
            after: the seq before the first event that you want.
            limit: the greatest number of events.
            by: the user for whom it reads: each user's reads wait for their turn.

        Raises:
            Invalid: ``after`` is not a seq, or ``limit`` is not at least 1.
            Overloaded: too many reads wait.
            StorageError: the store cannot be read.
        """
        self.check_home()
        return await self._reading.read(by, stream, after, limit)

    async def searching(self, work: Callable[..., R], *args: object, by: str = "") -> R:
        """Run a search in a worker thread, with any store, once all texts are indexed."""
        self._check_open()
        if not self.store.shared:
            # A shared store indexes as it writes.
            await self._committer.caught_up()
            self._check_open()
        return await self._reading.search(by, work, *args)

    async def query(self, work: Callable[..., R], *args: object, by: str = "") -> R:
        """Run a function that reads the store in a thread, in a user's turn; see :meth:`read`."""
        self._check_open()
        return await self._reading.query(by, work, *args)

    def _check_open(self) -> None:
        self.check_home()
        if self._closed:
            raise Closed("The hub is closed; open it again.")

    # Following

    def follow_call(
        self,
        user: str,
        stream: str,
        after: int | None,
        follower: Follower,
        on_done: Callable[[Call[int]], None] | None = None,
    ) -> Call[int]:
        """
        Make a call that checks a user's access, then attaches a follower.

        Its result is the stream's head. The follower is attached before ``on_done``.

        Raises:
            Invalid: ``after`` is not a seq.
        """
        return self._attacher.call(user, stream, after, follower, on_done)

    def topic(self, stream: str) -> Topic | None:
        """Return a stream's topic, or None."""
        return self._topics.get(stream)

    def follow(
        self,
        user: str,
        stream: str,
        after: int | None,
        signal: Callable[[bytes], None] | None = None,
    ) -> Following:
        """Follow a stream as a user: an iterator of its events after a seq, without end."""
        return Following(self, stream, after, Follower(user, 0, signal=signal))

    @asynccontextmanager
    async def signals(self, user: str, stream: str) -> AsyncGenerator[Signals]:
        """Listen to a stream's signals as a user, from now on."""
        follower = Follower(user, 0)

        def check() -> None:
            self.check_home()
            topic = self._topics[stream]
            # Skip the events.
            follower.cursor = topic.head
            check_open(topic, follower)

        signals = Signals(check)
        follower.signal = signals.put
        follower.flush = follower.closed = signals.look
        async with Following(self, stream, None, follower):
            yield signals

    def detach(self, stream: str, follower: Follower) -> None:
        """Detach a follower."""
        self._topics.detach(stream, follower)

    def signal(self, signal: Signal) -> None:
        """Send an ephemeral signal to the followers of a stream."""
        topic = self._topics.get(signal.stream)
        if topic is None and self._sharing is None:
            return
        body = msgspec.json.encode(signal)
        if topic is not None:
            topic.signal(body)
            self._after_batch()
        if self._sharing is not None:
            self._sharing.signal(signal.stream, body)

    @property
    def failed(self) -> str:
        """Why the store cannot be used, in a message for clients; empty while it works."""
        return self._health.failed

    @property
    def calls_queued(self) -> int:
        """The number of waiting calls."""
        return len(self._committer.queue) + self._loader.waiting

    @property
    def topics(self) -> Mapping[str, Topic]:
        """The streams that have followers, or had some recently."""
        return self._topics

    def peek(self, stream: str) -> State | None:
        """Return a stream's state if it is in memory; it may be ahead of durable events."""
        return entry.state if isinstance(entry := self._states.get(stream), StreamEntry) else None

    def _publish(self, events: Sequence[Event], records: Sequence[Record]) -> None:
        self._topics.publish(events, records, self.streams)
        if self._sharing is not None:
            self._sharing.publish(events, records)
        tell_each(self.on_commit, events)

    def _after_batch(self) -> None:
        tell_each(self.after_batch)
        self._topics.trim()

    # Leaving

    async def drain(self) -> None:
        """Stop accepting calls, and finish accepted ones, up to a deadline."""
        self._closed = True
        await self.nodes.leave()
        with anyio.move_on_after(self._settings.drain_seconds_max):
            while not (self._committer.idle and self._loader.idle):
                await self._committer.progress()
        await self.feeds.close(self._settings.drain_seconds_max)
        self._topics.close()

    def _abandon(self) -> None:
        error = Closed("The hub was closed before it executed this command.")
        self._loader.abandon(error)
        self._committer.abandon(error)
