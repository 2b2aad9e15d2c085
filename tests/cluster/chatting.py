"""Users who chat through a load balancer, and what each of them must have got in the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random

import anyio

import hubbub
from hubbub.errors import Closed, Overloaded, RateLimited, StorageError

__all__ = ["Chat", "chat"]

AGAIN = (Closed, Overloaded, StorageError, RateLimited)
PAUSE_SECONDS = 0.05
# How long users wait for the last messages, after everything is well again.
READ_SECONDS_MAX = 30.0


@dataclass
class Chat:
    """
    A history of several rooms.

    Args:
        rooms: their ids.
        said: a message's text -> the room in which it was acknowledged.
        read: a follower -> a room -> the seqs and texts that it has got, in order.
        sending: the number of users who have not said their last.
        longest: the longest time that a message waited for its acknowledgement, in seconds.
    """

    rooms: Sequence[str]
    said: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    sending: int = 0
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
            await again(partial(session.chat.join, room))
            got = history.read.setdefault(name, {}).setdefault(room, [])
            tasks.start_soon(follow, session, room, got)
        history.sending += 1
        await say(session, history, name, random)
        history.sending -= 1
        await read_all(history, name)
        tasks.cancel_scope.cancel()


async def say(session: hubbub.Session, history: Chat, name: str, random: Random) -> None:
    for number in count(1):
        if history.stop:
            return
        text, room = f"{name} {number}", random.choice(history.rooms)
        began = anyio.current_time()
        await again(partial(session.chat.send, room, text, key=text))
        history.longest = max(history.longest, anyio.current_time() - began)
        history.said[text] = room
        await anyio.sleep(random.uniform(0, 2 * PAUSE_SECONDS))


async def read_all(history: Chat, name: str) -> None:
    """Wait until every message is read; a message that is missing then is a fault."""
    with anyio.move_on_after(READ_SECONDS_MAX):
        while not is_read(history, name):  # noqa: ASYNC110  # other processes act
            await anyio.sleep(PAUSE_SECONDS)


def is_read(history: Chat, name: str) -> bool:
    return not history.sending and history.said.keys() <= texts(history.read[name])


def texts(read: dict[str, list[tuple[int, str]]]) -> set[str]:
    return {text for got in read.values() for _, text in got}


async def follow(session: hubbub.Session, room: str, got: list[tuple[int, str]]) -> None:
    async with session.follow(f"room/{room}", after=0) as events:
        async for event in events:
            text = str(getattr(event.data, "text", ""))
            got.append((event.seq, text))  # it is read while it grows


async def again(call: Callable[[], Awaitable[object]]) -> None:
    """Do something with a key until it is done."""
    while True:
        try:
            await call()
        except AGAIN:
            await anyio.sleep(PAUSE_SECONDS)
        else:
            return
