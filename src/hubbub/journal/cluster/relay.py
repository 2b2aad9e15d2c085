"""
The relay: it sends what a node has committed to the other nodes, and hears what they have.

The bus may lose frames. A node notices that by the numbers of the frames, by the heartbeats,
which tell the last numbers, by the bus itself, and when a node dies; then it compares the
streams that it follows with the store. It also listens for its own heartbeats, and for those of
all live nodes: if some do not come, the bus is away, whatever its connection says, and the node
polls the store.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any

import anyio
import anyio.lowlevel
import msgspec

from ...clock import Clock
from ...wake_up import WakeUp
from ..containment import contained, keep_running
from ..stores.sharing import SharedStore
from .bus import SHARDS, Bus
from .comparison import StoreComparison
from .frame_seal import SEAL_BYTES, FrameSeal
from .frames import Broadcast, Frame, NodeAnswer, NodeRequest, Noticed, decode_frame, shard_of
from .hearing import Hearing
from .nodes import Nodes
from .numbers import FrameNumbers
from .outbox import Outbox, Sent

__all__ = ["BUS_POLL_SECONDS", "ECHO_SECONDS_MAX", "Ears", "Relay"]

logger = logging.getLogger("hubbub.journal")

# How often the store is polled while the bus is away.
BUS_POLL_SECONDS = 0.5
# The node beats in one of so many of these turns.
BEAT_TURNS = 2
# The bus is away if a heartbeat has not returned to its sender for this long.
ECHO_SECONDS_MAX = 2.5
# How long a node that leaves waits until its frames have gone out.
SETTLE_SECONDS_MAX = 1.0
# A node that ran this late was stopped itself: its heartbeats may still wait to be read.
STALLED_SECONDS = 1.0

ALL = range(SHARDS)


class Ears(msgspec.Struct):
    """
    The functions that a relay calls.

    Args:
        events: called with a stream, the seq of the first event and the encoded events of
            another node. They may begin after the last known event, or be known already.
        signal: called with a stream and an encoded signal of another node.
        followed: returns the followed streams, and the seq of the last known event of each.
        behind: called with a stream and a seq up to which it was committed; perhaps this node
            does not have all of it.
    """

    events: Callable[[str, int, Sequence[bytes]], None]
    signal: Callable[[str, bytes], None]
    followed: Callable[[], Mapping[str, int]]
    behind: Callable[[str, int], None]


class Relay:
    """
    Sends and receives a node's frames.

    Args:
        bus: carries the frames.
        nodes: the nodes of the cluster; their messages go over the relay.
        store: what the followed streams are compared with.
        clock: measures how long a heartbeat is on its way.
        ears: what it calls.
    """

    def __init__(
        self, bus: Bus, nodes: Nodes, store: SharedStore, clock: Clock, ears: Ears
    ) -> None:
        self._bus = bus
        self._nodes = nodes
        self._clock = clock
        self._ears = ears
        self._outbox = Outbox(nodes.me, bus.frame_bytes_max - SEAL_BYTES)
        self._seal = FrameSeal(store.secret)
        self._numbers = FrameNumbers()
        self._hearing = Hearing()
        self._comparison = StoreComparison(store, ears.followed, ears.behind)
        self._wake_up = WakeUp()
        self._echo = WakeUp()
        self._lived = nodes.live()
        # The times of the last heartbeats, and of the newest that returned for each shard.
        self._beats: deque[float] = deque(maxlen=8)
        self._echoed = [float("-inf")] * SHARDS
        self._away: frozenset[int] = frozenset()
        self._refused = False
        nodes.changed.append(self._nodes_changed)
        # The answer to a commit may be lost, and then no frame carries its events.
        nodes.recovered.append(self._lost)
        nodes.messages.send = self._send

    @property
    def away(self) -> bool:
        """True while frames do not come through, and the store is polled."""
        return bool(self._away)

    def publish(self, streams: Mapping[str, tuple[int, Sequence[bytes]]]) -> None:
        """
        Send the events of a commit to the other nodes, without waiting.

        Args:
            streams: a stream -> the seq of its first new event, and the encoded events.
        """
        self._publish(self._outbox.events(streams))

    def signal(self, stream: str, body: bytes) -> None:
        """Send a signal to the followers of a stream on other nodes, without waiting."""
        self._put(stream, Noticed(stream, body))

    async def run(self) -> None:
        """Connect the bus, send and receive, until cancelled and all that was sent has gone out."""
        # The bus still runs for a moment after that.
        bus = anyio.CancelScope(shield=True)
        async with anyio.create_task_group() as tasks:

            def start(what: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
                tasks.start_soon(contained, what, work)

            self._nodes.messages.start = start
            try:
                tasks.start_soon(self._listen, bus)
                tasks.start_soon(keep_running, "the relay's heartbeat", self._beat)
                tasks.start_soon(keep_running, "the relay's comparison", self._comparison.run)
                tasks.start_soon(keep_running, "the relay", self._flush)
                await anyio.sleep_forever()
            finally:
                self._nodes.messages.start = None
                with anyio.CancelScope(shield=True):
                    await self._settle()
                bus.cancel()

    async def _listen(self, scope: anyio.CancelScope) -> None:
        with scope:
            await keep_running("the bus", partial(self._bus.run, self._heard, self._lost))

    async def _settle(self) -> None:
        now = self._clock.monotonic()
        self._publish(self._outbox.rest())
        self._publish(self._outbox.beats(now))
        with anyio.move_on_after(SETTLE_SECONDS_MAX):
            # A heartbeat that returns has overtaken no frame.
            while min(self._echoed) < now and not self._bus.trouble:
                await self._echo.wait()

    # Sending

    async def _flush(self) -> None:
        while True:
            await self._wake_up.wait()
            # The other tasks of this turn can add to the same frames.
            await anyio.lowlevel.checkpoint()
            self._publish(self._outbox.rest())

    async def _beat(self) -> None:
        looked = self._clock.monotonic()
        for turn in count():
            now = self._clock.monotonic()
            if now - looked > BUS_POLL_SECONDS + STALLED_SECONDS:
                self._beats.clear()
                self._hearing.restart(now)
            looked = now
            self._judge(now)
            self._comparison.mark(self._away)
            if turn % BEAT_TURNS == 0:
                self._beats.append(now)
                self._publish(self._outbox.beats(now))
            await anyio.sleep(BUS_POLL_SECONDS)

    def _send(self, message: Broadcast | NodeRequest | NodeAnswer) -> None:
        self._put(message.kind if isinstance(message, Broadcast) else message.to, message)

    def _put(self, name: str, item: Noticed | Broadcast | NodeRequest | NodeAnswer) -> None:
        if self._outbox.put(shard_of(name), item):
            self._wake_up.set()

    def _publish(self, frames: Iterable[Sent]) -> None:
        for shard, frame in frames:
            self._bus.publish(shard, self._seal.close(frame))

    # Receiving

    def _heard(self, data: bytes) -> None:
        opened = self._seal.open(data)
        frame = None if opened is None else decode_frame(opened)
        if frame is None:
            if not self._refused:
                logger.warning("the bus carries something that is no frame of this journal")
            self._refused = True
        elif frame.node == self._nodes.me:
            if frame.beat is not None:
                self._echoed[frame.shard] = max(self._echoed[frame.shard], frame.beat)
                self._echo.set()
        else:
            self._hearing.note(frame.node, frame.shard, self._clock.monotonic())
            if self._numbers.is_new(frame):
                if self._numbers.note(frame):
                    self._comparison.mark([frame.shard])
                self._hand_on(frame)

    def _hand_on(self, frame: Frame) -> None:
        ears, messages = self._ears, self._nodes.messages
        for run in frame.events:
            if run.bodies:
                _tell(ears.events, run.stream, run.first, run.bodies)
            elif run.first > 1:
                _tell(ears.behind, run.stream, run.first - 1)
        for signal in frame.signals:
            _tell(ears.signal, signal.stream, signal.body)
        for told in frame.told:
            messages.receive_told(frame.node, told)
        for asked in frame.asked:
            messages.receive_asked(frame.node, asked)
        for answered in frame.answered:
            messages.receive_answered(frame.node, answered)

    # Loss

    def _lost(self) -> None:
        self._comparison.mark(ALL)

    def _nodes_changed(self) -> None:
        lived, self._lived = self._lived, self._nodes.live()
        self._hearing.expect(self._lived - {self._nodes.me}, self._clock.monotonic())
        if gone := lived - self._lived:
            # It may have died between a commit and its frame.
            self._comparison.mark(ALL)
            self._numbers.forget(gone)

    def _judge(self, now: float) -> None:
        missed = frozenset(self._missed(now))
        away = missed | {shard for shard in ALL if self._bus.trouble or self._is_silent(shard, now)}
        if away and not self._away:
            why = (
                "Frames of a live node do not arrive. Do all nodes have the same bus?"
                if away == missed
                else "Frames do not return from it."
            )
            logger.warning(
                "The bus is away. Events of other nodes are read from the database, which is "
                "slower. %s",
                self._bus.trouble or why,
            )
        elif self._away and not away:
            logger.warning("The bus is back.")
        self._comparison.mark(self._away - away)
        self._away = away

    def _missed(self, now: float) -> Iterable[int]:
        """Return the shards in which the frames of a live node have ceased to come."""
        if not self._nodes.fresh:
            return ()
        return (shard for shard in ALL if self._hearing.misses(shard, now))

    def _is_silent(self, shard: int, now: float) -> bool:
        echoed = self._echoed[shard]
        if shard in self._away:
            return now - echoed >= ECHO_SECONDS_MAX
        return any(echoed < sent <= now - ECHO_SECONDS_MAX for sent in self._beats)


def _tell(ear: Callable[..., None], stream: str, *what: object) -> None:
    try:
        ear(stream, *what)
    except Exception:
        logger.exception("what another node sent about %s could not be handled", stream)
