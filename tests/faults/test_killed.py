"""A process that is killed loses nothing that it has acknowledged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from anyio import to_thread

import hubbub
from hubbub import Event, Message, Session, Settings
from tests.faults.doomed import ROOMS, key_of, text_of
from tests.faults.killing import kill_after

SENDERS = 200
# It is killed in the middle of some batch, at another point each time.
KILLED_AFTER = [1, 500, 3_000]

Acknowledged = list[tuple[str, int, int]]


@pytest.fixture
def kill_one(tmp_path: Path, backend: str) -> Callable[[int], tuple[list[str], Acknowledged]]:
    """Run a hub, kill it after some acknowledgements; return its rooms and all it acknowledged."""

    def kill_one(count: int) -> tuple[list[str], Acknowledged]:
        path = tmp_path / "hubbub.db"
        rooms, *lines = kill_after(1 + count, "doomed.py", path, backend, SENDERS)
        return rooms, [(user, int(number), int(seq)) for user, number, seq in lines]

    return kill_one


def room_of(user: str, rooms: list[str]) -> str:
    return rooms[int(user.removeprefix("user")) % ROOMS]


@pytest.mark.parametrize("count", KILLED_AFTER)
async def test_every_acknowledged_message_is_there_once_and_in_order(
    kill_one: Callable[[int], tuple[list[str], Acknowledged]], tmp_path: Path, count: int
) -> None:
    rooms, acknowledged = await to_thread.run_sync(kill_one, count)
    said = await read_all(tmp_path / "hubbub.db", rooms)

    assert len(acknowledged) >= count
    for user, number, seq in acknowledged:
        message = said[room_of(user, rooms), seq]
        assert (message.by, message.text) == (user, text_of(user, number))
    texts = Counter(message.text for message in said.values())
    assert max(texts.values()) == 1
    for user in {message.by for message in said.values()}:
        own = [message.text for message in said.values() if message.by == user]
        assert own == [text_of(user, number) for number in range(len(own))]


@pytest.mark.parametrize("count", [500])
async def test_who_sends_again_with_the_same_keys_gets_the_same_messages(
    kill_one: Callable[[int], tuple[list[str], Acknowledged]], tmp_path: Path, count: int
) -> None:
    rooms, acknowledged = await to_thread.run_sync(kill_one, count)
    before = await read_all(tmp_path / "hubbub.db", rooms)
    settings = Settings(message_limit=1_000_000)
    async with hubbub.open(str(tmp_path / "hubbub.db"), settings=settings) as hub:
        for user, number, seq in acknowledged[:50]:
            async with hub.session(user) as session:
                again = await session.chat.send(
                    room_of(user, rooms), text_of(user, number), key=key_of(user, number)
                )
            assert again.seq == seq
    after = await read_all(tmp_path / "hubbub.db", rooms)

    assert after == before


async def read_all(path: Path, rooms: list[str]) -> dict[tuple[str, int], Message]:
    """Open what was left, check that no seq is missing, and return the messages."""
    said: dict[tuple[str, int], Message] = {}
    async with hubbub.open(str(path)) as hub, hub.session("host") as host:
        for room in rooms:
            events = await events_of(host, room)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            assert all(one.at <= next_.at for one, next_ in pairwise(events))
            said |= {(room, message.seq): message for message in await messages_of(host, room)}
    return said


async def events_of(session: Session, room: str) -> list[Event]:
    events: list[Event] = []
    while page := await session.read(f"room/{room}", after=len(events), limit=500):
        events += page
    return events


async def messages_of(session: Session, room: str) -> list[Message]:
    messages: list[Message] = []
    last = 0
    while page := await session.chat.history(room, after=last, limit=500):
        messages += page
        last = page[-1].seq
    return messages
