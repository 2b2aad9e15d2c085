"""Users who chat through a load balancer, and what each of them must have got in the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import anyio

import hubbub
from hubbub.errors import Closed, HubbubError, Overloaded, RateLimited, StorageError

__all__ = ["Chat", "chat"]

AGAIN = (Closed, Overloaded, StorageError, RateLimited)
PAUSE_SECONDS = 0.05


@dataclass
class Chat:
    """
    A history of several rooms.

    Args:
        rooms: their ids.
        said: a message's text -> the room in which it was acknowledged.
        read: a follower -> a room -> the seqs and texts that it has got, in order.
        longest: the longest time that a message waited for its acknowledgement, in seconds.
    """

    rooms: Sequence[str]
    said: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    sent: int = 0
    longest: float = 0.0
    stop: bool = False

    def faults(self, stored: dict[str, list[tuple[int, str]]]) -> list[str]:
        """
        Return what is wrong.

        Args:
            stored: a room -> the seqs and texts of all of its events.
        """
        found = []
        for text, room in self.said.items():
            times = [seq for seq, one in stored[room] if one == text]
            if len(times) != 1:
                found.append(f"{text} was acknowledged, and is there {len(times)} times")
        for follower, rooms in self.read.items():
            for room, got in rooms.items():
                if got != stored[room][: len(got)]:
                    found.append(f"{follower} has got something else of {room} than is stored")
                if len(got) != len(stored[room]):
                    found.append(f"{follower} has got {len(got)} of {len(stored[room])} of {room}")
        return found


async def chat(url: str, history: Chat, name: str, random: Random) -> None:
    """Send messages and follow all rooms until the history says stop, and everything was read."""
    async with hubbub.connect(url, nickname=name) as session, anyio.create_task_group() as tasks:
        for room in history.rooms:
            await again(lambda room=room: session.chat.join(room))  # type: ignore[misc]
            got = history.read.setdefault(name, {}).setdefault(room, [])
            tasks.start_soon(follow, session, room, got)
        number = 0
        while not history.stop:
            number += 1
            text, room = f"{name} {number}", random.choice(history.rooms)
            history.sent += 1
            began = anyio.current_time()
            await again(lambda t=text, r=room: session.chat.send(r, t, key=t))  # type: ignore[misc]
            history.longest = max(history.longest, anyio.current_time() - began)
            history.said[text] = room
            await anyio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))
        with anyio.move_on_after(30):
            while not all_read(history, name):
                await anyio.sleep(0.05)
        tasks.cancel_scope.cancel()


def all_read(history: Chat, name: str) -> bool:
    read = {text for got in history.read[name].values() for _, text in got}
    return history.said.keys() <= read


async def follow(session: hubbub.Session, room: str, got: list[tuple[int, str]]) -> None:
    async with session.follow(f"room/{room}", after=0) as events:
        async for event in events:
            got.append((event.seq, str(getattr(event.data, "text", ""))))


async def again(call: object) -> object:
    """Do something with a key until it is done."""
    while True:
        try:
            return await call()  # type: ignore[operator]
        except AGAIN:
            await anyio.sleep(PAUSE_SECONDS)
        except HubbubError:
            raise
