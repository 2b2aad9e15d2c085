"""Somebody who chats: one room in front, and direct messages from everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

import anyio
from anyio.abc import TaskGroup, TaskStatus
from rich.text import Text

from ..chat.events import Joined
from ..chat.messages.message import Message
from ..chat.rooms.room import Room
from ..errors import Conflict, HubbubError
from ..journal.event import Event
from ..journal.link import Linked, Offered
from ..session import Session
from ..wake_up import WakeUp
from .lines import direct_line, event_line, message_line, note, room_title, users_in
from .names import Names
from .rooms import open_room

__all__ = ["DIRECTS_SHOWN_MAX", "HISTORY", "Conversation"]

# The messages shown of a room that the user enters.
HISTORY = 20
# Direct conversations that a terminal follows, the newest of them.
DIRECTS_SHOWN_MAX = 200
# How long going elsewhere waits until it is noted what was read.
MARK_SECONDS = 2.0


class Conversation:
    """
    What a person sees of a session.

    Args:
        session: whose it is.
        show: shows a line.
        tasks: where streams are followed.
    """

    def __init__(self, session: Session, show: Callable[[Text], None], tasks: TaskGroup) -> None:
        self.session = session
        self.show = show
        self.names = Names(session.users)
        self.room: Room | None = None
        # The person wants no more.
        self.over = False
        # Why there can be no more.
        self.error: HubbubError | None = None
        self._tasks = tasks
        self._following = anyio.CancelScope()
        # Of the room in front: the first message that was shown, and the last event.
        self._first = 0
        self._last = 0
        self._wake_up = WakeUp()
        self._directs: set[str] = set()

    @property
    def in_front(self) -> Room:
        """
        Return the room that one speaks in.

        Raises:
            Conflict: one is in none.
        """
        if self.room is None:
            raise Conflict("You are in no room: /join NAME, or /rooms to see what there is.")
        return self.room

    @property
    def where(self) -> str:
        """What to call the place where one is."""
        if self.room is None:
            return "nowhere"
        return room_title(self.room, self.session.user.id, self.names)

    async def title(self, room: Room) -> str:
        """Return what to call a room."""
        if room.stream.startswith("direct/"):
            await self.names.learn(room.members)
        return room_title(room, self.session.user.id, self.names)

    async def begin(self) -> None:
        """Follow the direct conversations, those there are and those that come."""
        own = self.session.user
        self.names.note([own])
        await self._tasks.start(self._follow_own, f"user/{own.id}")
        unread = await self.session.chat.unread()
        for room in (await self.session.chat.directs())[-DIRECTS_SHOWN_MAX:]:
            self._follow_direct_soon(room.stream, None)
            if count := unread.get(room.id):
                self.show(note(f"{count} new: {await self.title(room)}; /dm NAME shows them."))

    async def enter(self, called: str) -> None:
        """
        Put a room in front.

        Args:
            called: its id or its name; it is made if there is none of that name.

        Raises:
            HubbubError: one may not go in; what was in front stays there.
        """
        room = await open_room(self.session, called)
        await self.step_out()
        await self._tasks.start(self._follow_room, room)

    async def step_out(self) -> None:
        """Have no room in front; one stays a member."""
        self._following.cancel()
        room, self.room = self.room, None
        if room is not None and self._last:
            # Little is lost if this is not known.
            with anyio.move_on_after(MARK_SECONDS), suppress(HubbubError):
                await self.session.chat.mark_read(room.id, self._last)

    async def leave(self) -> Room:
        """
        Go out of the room in front, for good.

        Raises:
            HubbubError: one may not, and stays.
        """
        room = self.in_front
        # From here on to be cut off is expected.
        self.room = None
        try:
            await self.session.chat.leave(room.id)
        except HubbubError:
            self.room = room
            raise
        await self.step_out()
        return room

    async def say(self, text: str, *, reply_to: int | None = None) -> None:
        """
        Say something in the room in front, and wait until it is shown.

        Raises:
            HubbubError: one may not; nothing was said.
        """
        room = self.in_front
        sent = await self.session.chat.send(room.id, text, reply_to=reply_to)
        while self.room is room and self._last < sent.seq:
            await self._wake_up.wait()

    async def show_older(self, count: int) -> None:
        """Show messages before the first one that was shown."""
        page = await self.session.chat.history(self.in_front.id, before=self._first, limit=count)
        if not page:
            self.show(note("There is nothing older."))
            return
        self._first = page[0].seq
        await self.show_messages(page)

    async def show_messages(self, messages: Iterable[Message]) -> None:
        """Show messages as they are now."""
        found = list(messages)
        await self.names.learn(message.by for message in found)
        for message in found:
            self.show(message_line(message, self.names))

    # Following

    async def _follow_room(self, room: Room, *, task_status: TaskStatus[None]) -> None:
        started = False
        try:
            with anyio.CancelScope() as self._following:
                async with self.session.follow(room.stream) as events:
                    await self._show_newest(room)
                    self.room, started = room, True
                    task_status.started()
                    async for event in events:
                        await self._show_event(event)
        except HubbubError as error:
            if not started:
                raise
            await self._cut_off(error)

    async def _show_newest(self, room: Room) -> None:
        page = await self.session.chat.history(room.id, limit=HISTORY)
        self.show(note(f"You are in {await self.title(room)} ({room.id})."))
        self._first = page[0].seq if page else 1
        self._set_last(page[-1].seq if page else 0)
        await self.show_messages(page)

    async def _show_event(self, event: Event) -> None:
        # The newest page may have held it already.
        if event.seq > self._last or event.ref is not None:
            # A user who joins may have another nickname now.
            await self.names.learn(users_in(event), again=isinstance(event.data, Joined))
            if (line := event_line(event, self.names)) is not None:
                self.show(line)
        self._set_last(max(event.seq, self._last))

    def _set_last(self, seq: int) -> None:
        self._last = seq
        self._wake_up.set()

    async def _cut_off(self, error: HubbubError) -> None:
        """The user was kicked, or the whole session has ended: which is it?"""
        if self.room is None:
            return
        self.room = None
        self._set_last(self._last)
        self.show(note(error.message))
        try:
            await self.session.users.get(self.session.user.id)
        except HubbubError as ended:
            self.error = ended
            self._tasks.cancel_scope.cancel()

    async def _follow_own(self, stream: str, *, task_status: TaskStatus[None]) -> None:
        started = False
        try:
            async with self.session.follow(stream) as events:
                started = True
                task_status.started()
                async for event in events:
                    await self._take_own(event)
        except HubbubError:
            # When the session ends the room in front says so.
            if not started:
                raise

    async def _take_own(self, event: Event) -> None:
        match event.data:
            case Linked(to) if to.startswith("direct/"):
                self._follow_direct_soon(to, 0)
            case Offered(to):
                await self.names.learn([event.by])
                room = to.removeprefix("room/")
                self.show(note(f"{self.names.of(event.by)} invites you: /join {room}"))

    def _follow_direct_soon(self, stream: str, after: int | None) -> None:
        if stream not in self._directs and len(self._directs) < DIRECTS_SHOWN_MAX:
            self._directs.add(stream)
            self._tasks.start_soon(self._follow_direct, stream, after)

    async def _follow_direct(self, stream: str, after: int | None) -> None:
        own = self.session.user.id
        one, other = stream.removeprefix("direct/").split("/")
        other = one if other == own else other
        with suppress(HubbubError):
            async with self.session.follow(stream, after=after) as events:
                async for event in events:
                    await self.names.learn([event.by, other])
                    line = direct_line(event, other, own, self.names)
                    if line is not None and (self.room is None or self.room.stream != stream):
                        self.show(line)
