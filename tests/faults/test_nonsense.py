"""Nonsense is refused to its sender, and disturbs nobody else."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

import hubbub
from hubbub import HubbubError, Room, Session
from hubbub.service import SEQ_MAX, check_seq

Ask = Callable[[Session, Room], Awaitable[Any]]

HALF = "half a pair: \ud800"
HUGE = 1 << 70

REFUSED: dict[str, Ask] = {
    "read after a huge seq": lambda s, room: s.read(room.stream, after=HUGE),
    "read after less than nothing": lambda s, room: s.read(room.stream, after=-1),
    "read too much": lambda s, room: s.read(room.stream, limit=HUGE),
    "read what is no stream": lambda s, room: s.read("room"),
    "read half a character": lambda s, room: s.read(f"room/{HALF}"),
    "history before a huge seq": lambda s, room: s.chat.history(room.id, before=HUGE),
    "history after a huge seq": lambda s, room: s.chat.history(room.id, after=HUGE),
    "mark a huge seq": lambda s, room: s.chat.mark_read(room.id, HUGE),
    "edit a huge seq": lambda s, room: s.chat.edit(room.id, HUGE, "text"),
    "answer a huge seq": lambda s, room: s.chat.send(room.id, "text", reply_to=HUGE),
    "say half a character": lambda s, room: s.chat.send(room.id, HALF),
    "a key of half a character": lambda s, room: s.chat.send(room.id, "text", key=HALF),
    "join half a character": lambda s, room: s.chat.join(HALF),
    "tell half a character": lambda s, room: s.chat.send_direct(HALF, "text"),
    "tell a path": lambda s, room: s.chat.send_direct("../bob", "text"),
    "invite half a character": lambda s, room: s.chat.invite(room.id, HALF),
    "look half a character up": lambda s, room: s.users.get(HALF),
    "search for nothing": lambda s, room: s.chat.search(room.id, "!?"),
    "call it half a character": lambda s, room: s.chat.create_room(HALF),
}

# Over the network the types are checked; here this is a programmer's mistake.
MISTAKES: dict[str, Ask] = {
    "answer a word": lambda s, room: s.chat.send(room.id, "text", reply_to="x"),  # type: ignore[arg-type]
    "kick a list": lambda s, room: s.chat.kick(room.id, ["x"]),  # type: ignore[arg-type]
    "join a number": lambda s, room: s.chat.join(5),  # type: ignore[arg-type]
    "read a number": lambda s, room: s.read(5),  # type: ignore[arg-type]
    "read after a word": lambda s, room: s.read(room.stream, after="5"),  # type: ignore[arg-type]
    "say a number": lambda s, room: s.chat.send(room.id, 5),  # type: ignore[arg-type]
}


@pytest.fixture(params=["memory", "sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return "memory://" if request.param == "memory" else str(tmp_path / "hubbub.db")


@asynccontextmanager
async def talking(url: str) -> AsyncIterator[tuple[Session, Room]]:
    """A session in a room; it must have the same messages before and after."""
    async with hubbub.open(url) as hub, hub.session("ann") as ann, hub.session("bob") as bob:
        room = await bob.chat.create_room("Room")
        await ann.chat.join(room.id)
        before = await bob.chat.send(room.id, "before")
        yield ann, room
        after = await ann.chat.send(room.id, "after")
        assert await bob.chat.history(room.id) == [before, after]


@pytest.mark.parametrize("ask", REFUSED.values(), ids=REFUSED.keys())
async def test_nonsense_is_refused_and_all_else_goes_on(url: str, ask: Ask) -> None:
    async with talking(url) as (session, room):
        with pytest.raises(HubbubError):
            await ask(session, room)


@pytest.mark.parametrize("ask", MISTAKES.values(), ids=MISTAKES.keys())
async def test_a_mistake_is_its_makers_alone(url: str, ask: Ask) -> None:
    async with talking(url) as (session, room):
        with pytest.raises((HubbubError, TypeError)):
            await ask(session, room)


@pytest.mark.parametrize("seq", [0, 1, SEQ_MAX])
def test_a_seq_is_a_number_that_json_can_hold(seq: int) -> None:
    assert check_seq(seq) == seq
