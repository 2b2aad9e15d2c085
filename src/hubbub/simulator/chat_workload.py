"""Chat: messages are there once, in order, for everybody, and within the limit."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import anyio

from ..errors import Closed, HubbubError, NotFound, Overloaded, RateLimited, StorageError
from ..journal.event import tag_of
from ..session import Session
from .client import Client
from .workload import Evidence

__all__ = ["ChatWorkload"]

# How often a user does something else than to send one message.
BURST_CHANCE = 0.05
REACTION_CHANCE = 0.15
EDIT_CHANCE = 0.05
# Messages of a burst: more than the limit.
BURST = 13
EMOJI = ("👍", "❤️", "🎉")
# How long a follower that was refused waits, in seconds.
FOLLOW_AGAIN_SECONDS = 1.0


class ChatWorkload:
    """
    Users of one room.

    Args:
        limit: the messages that a user can send in ``period``.
        period: its length in seconds.
        exact: whether the limit can be checked: the clock never jumps, and no commit fails.
        kept: whether the store keeps what was sent for the limit, whatever crashes.
    """

    name = "chat"

    def __init__(
        self, limit: int = 10, period: float = 60.0, *, exact: bool = True, kept: bool = False
    ) -> None:
        self._limit = limit
        self._period = period
        self._exact = exact
        self._kept = kept
        self.room = ""
        self.stream = ""
        # The text of each message -> its seq, once it was acknowledged.
        self.acknowledged: dict[str, int] = {}
        self.tried: set[str] = set()
        # The user -> what they saw: (seq, type, text).
        self.seen: dict[str, list[tuple[int, str, str | None]]] = defaultdict(list)
        self._sent: dict[str, list[int]] = defaultdict(list)
        self._complaints: list[str] = []

    async def prepare(self, admin: Session) -> None:
        """Make the room."""
        room = await admin.chat.create_room("Simulated", key="the room")
        self.room, self.stream = room.id, room.stream

    async def begin(self, client: Client) -> None:
        """Join the room."""
        await client.session.chat.join(self.room)

    async def follow(self, client: Client) -> None:
        """Read the room from its beginning, without an end."""
        seen = self.seen[client.user]
        while True:
            after = seen[-1][0] if seen else 0
            try:
                async with client.session.follow(self.stream, after=after) as events:
                    async for event in events:
                        data = event.data
                        text = getattr(data, "text", None)
                        seen.append((event.seq, tag_of(type(data)), text))
            except (StorageError, Overloaded, Closed):
                await anyio.sleep(FOLLOW_AGAIN_SECONDS)

    async def act(self, client: Client) -> None:
        """Send a message; sometimes too many, or a reaction, or an edit."""
        drawn = client.random.random()
        own = self._sent[client.user]
        if drawn < BURST_CHANCE:
            await self._burst(client)
        elif drawn < BURST_CHANCE + REACTION_CHANCE and self.acknowledged:
            await self._react(client)
        elif drawn < BURST_CHANCE + REACTION_CHANCE + EDIT_CHANCE and own:
            seq = client.random.choice(own)
            text = f"{client.user} edits {client.calls}"
            self.tried.add(text)
            await client.attempt("edit", lambda: client.session.chat.edit(self.room, seq, text))
        else:
            await self._send(client)

    def missing(self, evidence: Evidence) -> Iterator[str]:
        """Every follower sees the last event."""
        last = len(evidence.streams.get(self.stream, ()))
        for user, seen in self.seen.items():
            if not seen or seen[-1][0] < last:
                yield f"{user} has seen {seen[-1][0] if seen else 0} of {last} events of the room."

    def broken(self, evidence: Evidence) -> Iterator[str]:
        """Nothing acknowledged is lost, nothing is there twice, everybody sees the same."""
        yield from self._complaints
        events = evidence.streams.get(self.stream, ())
        stored: dict[str, int] = {}
        for event in events:
            if event["type"] == "message":
                text = event["text"]
                if text in stored:
                    yield f"{text!r} is there twice: {stored[text]} and {event['seq']}."
                if text not in self.tried:
                    yield f"{text!r} is there, and nobody has sent it."
                stored[text] = event["seq"]
        for text, seq in self.acknowledged.items():
            if stored.get(text) != seq:
                yield f"{text!r} was acknowledged as {seq}, and is {stored.get(text)} there."
        yield from self._broken_views(events)
        yield from self._broken_limit(events, () if self._kept else evidence.crashes)

    def _broken_views(self, events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for user, seen in self.seen.items():
            for place, (seq, type_, text) in enumerate(seen, 1):
                if seq != place:
                    yield f"{user} saw event {seq} where {place} should be."
                    break
                if seq > len(events):
                    yield f"{user} saw event {seq}, which is not stored."
                    break
                stored = events[seq - 1]
                if stored["type"] != type_ or stored.get("text") not in (text, None):
                    yield f"{user} saw {text!r} as event {seq}, which is {stored.get('text')!r}."
                    break

    def _broken_limit(
        self, events: Sequence[Mapping[str, Any]], crashes: Sequence[float]
    ) -> Iterator[str]:
        if not self._exact or not events:
            return
        begin = _seconds(events[0]["at"]) if events else 0.0
        lives = [begin + crash for crash in crashes]
        recent: dict[tuple[str, int], deque[float]] = defaultdict(deque)
        for event in events:
            if event["type"] != "message":
                continue
            at = _seconds(event["at"])
            # A restart forgets the period before it.
            life = sum(crash <= at for crash in lives)
            times = recent[event["by"], life]
            times.append(at)
            while times[0] <= at - self._period:
                times.popleft()
            if len(times) > self._limit:
                yield f"{event['by']} sent {len(times)} messages within {self._period} s."
                return

    async def _send(self, client: Client) -> None:
        text = f"{client.user} {client.new_key()}"
        key = client.new_key()
        self.tried.add(text)
        message = await client.attempt(
            "send", lambda: client.session.chat.send(self.room, text, key=key)
        )
        if message is not None:
            self.acknowledged[text] = message.seq
            self._sent[client.user].append(message.seq)

    async def _burst(self, client: Client) -> None:
        """Send more than the limit; the wait that is named must be enough."""
        for _ in range(BURST):
            text, key = f"{client.user} {client.new_key()}", client.new_key()
            self.tried.add(text)
            try:
                message = await client.session.chat.send(self.room, text, key=key)
            except RateLimited as refused:
                await self._wait_as_told(client, refused)
                return
            except (StorageError, Overloaded, Closed):
                return
            self.acknowledged[text] = message.seq

    async def _wait_as_told(self, client: Client, refused: RateLimited) -> None:
        await anyio.sleep(refused.retry_after or 0)
        text, key = f"{client.user} {client.new_key()}", client.new_key()
        self.tried.add(text)
        try:
            message = await client.session.chat.send(self.room, text, key=key)
        except RateLimited as again:
            self._complaints.append(
                f"{client.user} waited {refused.retry_after} s as the refusal said, and must wait "
                f"another {again.retry_after} s."
            )
        except (StorageError, Overloaded, Closed):
            return
        else:
            self.acknowledged[text] = message.seq

    async def _react(self, client: Client) -> None:
        seq = client.random.choice(list(self.acknowledged.values()))
        emoji = client.random.choice(EMOJI)
        try:
            await client.attempt("react", lambda: client.session.chat.react(self.room, seq, emoji))
        except NotFound as error:
            self._complaints.append(
                f"{client.user} reacts to {seq}, which was acknowledged: {error}"
            )
        except HubbubError:
            return


def _seconds(at: str) -> float:
    return datetime.fromisoformat(at).timestamp()
