"""Users who chat through a load balancer, and what each of them must have got in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from itertools import count

import anyio

import hubbub
from tests.cluster.works import (
    END_SECONDS_MAX,
    PAUSE_SECONDS,
    Round,
    again,
    connected,
    events_of,
    following,
)

__all__ = ["Chatting"]


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

    rooms: list[str] = field(default_factory=list)
    said: dict[str, str] = field(default_factory=dict)
    read: dict[str, dict[str, list[tuple[int, str]]]] = field(default_factory=dict)
    sending: int = 0
    longest: float = 0.0

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


class Chatting:
    """
    Users of some rooms.

    Args:
        users: their number.
        rooms: the number of rooms.
    """

    def __init__(self, users: int, rooms: int) -> None:
        self.users = users
        self.rooms = rooms
        self.history = Chat()

    async def run(self, round_: Round) -> None:
        """Chat until the round is over."""
        async with connected(round_.url, "host") as root:
            for number in range(self.rooms):
                make = partial(root.chat.create_room, f"room {number}", key=f"room {number}")
                self.history.rooms.append((await again(make)).id)
        async with anyio.create_task_group() as tasks:
            for number in range(self.users):
                tasks.start_soon(chat, round_, self.history, f"user {number}")

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what is wrong."""
        stored = {}
        for room in self.history.rooms:
            last = max(len(rooms[room]) for rooms in self.history.read.values())
            await reader.chat.join(room)
            events = (await events_of(reader, f"room/{room}"))[:last]
            stored[room] = [(one.seq, str(getattr(one.data, "text", ""))) for one in events]
        return self.history.faults(stored)

    def figures(self) -> str:
        """Return the number of messages, and how long one waited at most."""
        said, longest = len(self.history.said), self.history.longest
        return f"{said} messages, the longest wait {longest:.1f} s"


async def chat(round_: Round, history: Chat, name: str) -> None:
    """Send messages and follow all rooms until the round is over, and everything was read."""
    async with (
        connected(round_.url, name) as session,
        anyio.create_task_group() as tasks,
    ):
        history.sending += 1
        for room in history.rooms:
            await again(partial(session.chat.join, room))
            got = history.read.setdefault(name, {}).setdefault(room, [])
            tasks.start_soon(follow, session, room, got)
        await say(session, history, name, round_)
        history.sending -= 1
        await read_all(history, name)
        tasks.cancel_scope.cancel()


async def say(session: hubbub.Session, history: Chat, name: str, round_: Round) -> None:
    random = round_.random(name)
    for number in count(1):
        if round_.is_over:
            return
        text, room = f"{name} {number}", random.choice(history.rooms)
        began = anyio.current_time()
        await again(partial(session.chat.send, room, text, key=text))
        history.longest = max(history.longest, anyio.current_time() - began)
        history.said[text] = room
        await anyio.sleep(random.uniform(0, 4 * PAUSE_SECONDS))


async def read_all(history: Chat, name: str) -> None:
    """Wait until every message is read; a message that is missing then is a fault."""
    with anyio.move_on_after(END_SECONDS_MAX):
        while not is_read(history, name):  # noqa: ASYNC110  # other processes act
            await anyio.sleep(PAUSE_SECONDS)


def is_read(history: Chat, name: str) -> bool:
    return not history.sending and history.said.keys() <= texts(history.read[name])


def texts(read: dict[str, list[tuple[int, str]]]) -> set[str]:
    return {text for got in read.values() for _, text in got}


async def follow(session: hubbub.Session, room: str, got: list[tuple[int, str]]) -> None:
    async with following(session, f"room/{room}") as events:
        async for event in events:
            text = str(getattr(event.data, "text", ""))
            got.append((event.seq, text))  # it is read while it grows
