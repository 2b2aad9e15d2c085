"""
Whole sessions against a plain model: a hub in memory and one on SQLite, side by side.

The SQLite one forgets all that it can (it keeps hardly a state in memory), and is
closed and opened again now and then.
"""

from __future__ import annotations

import tempfile
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, Literal

import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import hubbub
from hubbub import Hubbub, Message, Session, Settings
from hubbub.chat.events import Edited, Said
from hubbub.errors import HubbubError
from tests.journal.tally import SetClock
from tests.properties.plain_chat import PlainChat, PlainMessage, PlainRoom

Backend = Literal["asyncio", "trio"]
Do = Callable[[Session, list[str]], Awaitable[Any]]

# A hypothesis test of this kind takes this many times as long as another.
DEARER = 5

users = st.sampled_from(["ann", "bob", "eve"])
texts = st.sampled_from(["hello", "hello world", "world"])
emoji = st.sampled_from(["👍", "👍\ufe0f", "🎉"])
keys = st.none() | st.sampled_from(["key 1", "key 2"])
# Mostly one of the first messages, so that much happens to the same one.
seqs = st.sampled_from([4, 5, 6]) | st.sampled_from([4, 5, 6]) | st.integers(0, 25)
maybe_seqs = st.none() | seqs
limits = st.integers(1, 10)


class ChatMachine(RuleBasedStateMachine):
    """
    Does the same in the model and in both hubs, and compares.

    Args:
        backend: the event loop of both hubs.
    """

    rooms = Bundle("rooms")

    def __init__(self, backend: Backend) -> None:
        super().__init__()
        self.plain = PlainChat()
        self.clock = SetClock()
        self.stack = ExitStack()
        self.portal = self.stack.enter_context(start_blocking_portal(backend))
        directory = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.path = str(Path(directory) / "hubbub.db")
        self.in_memory = self.stack.enter_context(self.opened("memory://", 10_000))
        self.on_disk_until = ExitStack()
        self.stack.push(self.on_disk_until)
        # Of each room its id in each of the two.
        self.ids: list[tuple[str, str]] = []
        self.reopen()

    def opened(self, url: str, states_max: int) -> Any:
        limits = Settings(clock=self.clock, states_max=states_max, message_limit=10_000)
        return self.portal.wrap_async_context_manager(hubbub.open(url, settings=limits))

    def teardown(self) -> None:
        try:
            self.compare_everything()
        finally:
            self.stack.close()

    # What is done

    @rule()
    def reopen(self) -> None:
        self.on_disk_until.close()
        self.on_disk = self.on_disk_until.enter_context(self.opened(self.path, 2))

    @initialize(target=rooms)
    def begin(self) -> int:
        """Begin with a room that has messages."""
        number = self.create("ann")
        self.join("bob", number)
        for user in ("ann", "bob", "bob"):
            self.say(user, number, "hello")
        return number

    @precondition(lambda self: len(self.ids) < 3)
    @rule(target=rooms, user=users)
    def create_room(self, user: str) -> int:
        return self.create(user)

    def create(self, user: str) -> int:
        # Ids sort by time: to the millisecond, when the hub was opened again.
        self.clock.time += timedelta(seconds=1)
        made = self.in_both(user, lambda session, _: session.chat.create_room("Room"))
        self.ids.append((made[0].id, made[1].id))
        return self.plain.create_room(user)

    @rule(user=users, room=rooms)
    def join(self, user: str, room: int) -> None:
        async def do(session: Session, ids: list[str]) -> list[str]:
            return (await session.chat.join(ids[room])).members

        self.check(user, do, lambda: list(self.plain.join(user, room)))

    @rule(user=users, room=rooms)
    def leave(self, user: str, room: int) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.leave(ids[room]),
            lambda: self.plain.leave(user, room),
        )

    @rule(user=users, other=users, room=rooms)
    def kick(self, user: str, other: str, room: int) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.kick(ids[room], other),
            lambda: self.plain.kick(user, room, other),
        )

    @rule(user=users, room=rooms, text=texts, reply_to=st.none() | seqs, key=keys)
    def send(self, user: str, room: int, text: str, reply_to: int | None, key: str | None) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.send(ids[room], text, reply_to=reply_to, key=key),
            lambda: self.plain.send(user, room, text, reply_to, key, self.clock.time),
        )

    @rule(user=users, room=rooms, key=keys)
    def send_again(self, user: str, room: int, key: str | None) -> None:
        self.send(user, room, "again", None, key)

    @rule(user=users, room=rooms, text=texts)
    def say(self, user: str, room: int, text: str) -> None:
        self.send(user, room, text, None, None)

    @rule(user=users, room=rooms, seq=seqs, text=texts)
    def edit(self, user: str, room: int, seq: int, text: str) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.edit(ids[room], seq, text),
            lambda: self.plain.edit(user, room, seq, text, self.clock.time),
        )

    @rule(user=users, room=rooms, seq=seqs)
    def delete(self, user: str, room: int, seq: int) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.delete(ids[room], seq),
            lambda: self.plain.delete(user, room, seq),
        )

    @rule(user=users, room=rooms, seq=seqs, emoji=emoji)
    def react(self, user: str, room: int, seq: int, emoji: str) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.react(ids[room], seq, emoji),
            lambda: self.plain.react(user, room, seq, emoji),
        )

    @rule(user=users, room=rooms, seq=seqs, emoji=emoji)
    def unreact(self, user: str, room: int, seq: int, emoji: str) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.unreact(ids[room], seq, emoji),
            lambda: self.plain.unreact(user, room, seq, emoji),
        )

    @rule(user=users, room=rooms, seq=seqs)
    def mark_read(self, user: str, room: int, seq: int) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.mark_read(ids[room], seq),
            lambda: self.plain.mark_read(user, room, seq),
        )

    # What is asked

    @rule(user=users)
    def unread(self, user: str) -> None:
        async def do(session: Session, ids: list[str]) -> dict[int, int]:
            return {ids.index(room): n for room, n in (await session.chat.unread()).items()}

        self.check(user, do, lambda: self.plain.unread(user))

    @rule(user=users)
    def list_rooms(self, user: str) -> None:
        async def do(session: Session, ids: list[str]) -> list[tuple[int, list[str]]]:
            return [(ids.index(room.id), room.members) for room in await session.chat.rooms()]

        self.check(
            user, do, lambda: [(n, list(room.members)) for n, room in enumerate(self.plain.rooms)]
        )

    @rule(user=users, room=rooms, before=maybe_seqs, after=maybe_seqs, limit=limits)
    def history(
        self, user: str, room: int, before: int | None, after: int | None, limit: int
    ) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.history(
                ids[room], before=before, after=after, limit=limit
            ),
            lambda: self.plain.history(user, room, before, after, limit),
        )

    @rule(user=users, room=rooms, word=st.sampled_from(["hello", "world"]), limit=limits)
    def search(self, user: str, room: int, word: str, limit: int) -> None:
        self.check(
            user,
            lambda session, ids: session.chat.search(ids[room], word, limit=limit),
            lambda: self.plain.search(user, room, word, limit),
        )

    # How it is compared

    def check(self, user: str, do: Do, expect: Callable[[], Any]) -> None:
        """Do it in both hubs, and compare with what the model makes of it."""
        self.clock.time += timedelta(seconds=1)
        try:
            expected = fields_of(expect())
        except HubbubError as error:
            expected = type(error)

        in_memory, on_disk = self.in_both(user, do)
        assert fields_of(in_memory) == expected
        assert fields_of(on_disk) == expected

    def in_both(self, user: str, do: Do) -> list[Any]:
        hubs = (self.in_memory, self.on_disk)
        return [
            self.portal.call(attempt, hub, user, do, [ids[which] for ids in self.ids])
            for which, hub in enumerate(hubs)
        ]

    def compare_everything(self) -> None:
        """Read every room from its first event to its last."""
        for number, room in enumerate(self.plain.rooms):
            reader = room.creator
            self.join(reader, number)
            self.history(reader, number, None, 0, 500)

            async def read(session: Session, ids: list[str], number: int = number) -> list[int]:
                return [e.seq for e in await session.read(f"room/{ids[number]}", limit=500)]

            self.check(reader, read, lambda room=room: list(range(1, room.events + 1)))  # type: ignore[misc]
            self.check_deleted_texts_are_gone(reader, number, room)

    def check_deleted_texts_are_gone(self, reader: str, number: int, room: PlainRoom) -> None:
        deleted = {message.seq for message in room.messages.values() if message.deleted}

        async def read(session: Session, ids: list[str]) -> set[str]:
            events = await session.read(f"room/{ids[number]}", limit=500)
            about = [event for event in events if {event.seq, event.ref} & deleted]
            return {event.data.text for event in about if isinstance(event.data, Said | Edited)}

        self.check(reader, read, lambda: {""} if deleted else set())


async def attempt(hub: Hubbub, user: str, do: Do, ids: list[str]) -> Any:
    """Do something in a session; return what comes of it, or the class of the error."""
    try:
        async with hub.session(user) as session:
            return await do(session, ids)
    except HubbubError as error:
        return type(error)


def fields_of(found: Any) -> Any:
    """Return what a hub's messages and the model's have in common."""
    if isinstance(found, list):
        return [fields_of(each) for each in found]
    if isinstance(found, Message | PlainMessage):
        m = found
        reactions = {emoji: list(by) for emoji, by in m.reactions.items()}
        return m.seq, m.at, m.by, m.text, m.reply_to, m.edited_at, m.deleted, reactions
    return found


@pytest.mark.hypothesis
def test_a_hub_does_what_a_plain_model_does(backend: Backend) -> None:
    usual = settings.default
    assert usual is not None
    fewer = settings(max_examples=max(1, usual.max_examples // DEARER))

    run_state_machine_as_test(partial(ChatMachine, backend), settings=fewer)  # type: ignore[arg-type]
