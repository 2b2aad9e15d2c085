"""A user's chat: one open room, and direct messages from everybody."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from contextlib import suppress
from typing import Any

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
from .comparison import Comparison
from .lines import direct_line, event_line, message_line, note, room_title, users_in
from .names import Names
from .rooms import open_room

__all__ = ["DIRECTS_SHOWN_MAX", "HISTORY", "Conversation"]

# How many messages to show of a room that the user enters.
HISTORY = 20
# Direct conversations to follow: the newest ones.
DIRECTS_SHOWN_MAX = 200
# How long leaving a room waits for the server to note what the user has read.
MARK_SECONDS = 2.0


class Conversation:
    """
    A user's chat.

    Args:
        session: the user's.
        show: shows a line.
        tasks: runs what follows streams.
    """

    def __init__(self, session: Session, show: Callable[[Text], None], tasks: TaskGroup) -> None:
        self.session = session
        self.show = show
        self.names = Names(session.users)
        self.room: Room | None = None
        # True when the user has quit.
        self.over = False
        # Why the chat has ended, if the server ended it.
        self.error: HubbubError | None = None
        # The numbers that the user compares, while a verification is under way.
        self.comparison: Comparison | None = None
        self._tasks = tasks
        # Messages that were shown without their text.
        self._unreadable: set[int] = set()
        self._following = anyio.CancelScope()
        # The seq of the first message shown of the open room, and of the last event.
        self._first = 0
        self._last = 0
        self._wake_up = WakeUp()
        self._directs: set[str] = set()

    @property
    def in_front(self) -> Room:
        """
        Return the open room.

        Raises:
            Conflict: there is none.
        """
        if self.room is None:
            raise Conflict("No room is open. Join one with /join NAME; /rooms lists them.")
        return self.room

    @property
    def where(self) -> str:
        """The open room's title, for the prompt."""
        if self.room is None:
            return "no room"
        return room_title(self.room, self.session.user.id, self.names)

    def start(self, work: Callable[..., Coroutine[Any, Any, None]], *args: object) -> None:
        """Run something beside the chat until it ends, or the chat does."""
        self._tasks.start_soon(work, *args)

    async def title(self, room: Room) -> str:
        """Return a room's title."""
        if room.stream.startswith("direct/"):
            await self.names.learn(room.members)
        return room_title(room, self.session.user.id, self.names)

    async def begin(self) -> None:
        """Follow the direct conversations, and the ones that begin later."""
        own = self.session.user
        self.names.note([own])
        await self._tasks.start(self._follow_own, f"user/{own.id}")
        unread = await self.session.chat.unread()
        for room in (await self.session.chat.directs())[-DIRECTS_SHOWN_MAX:]:
            self._follow_direct_soon(room.stream, None)
            if count := unread.get(room.id):
                self.show(note(f"{count} new: {await self.title(room)}. /dm NAME shows them."))

    async def enter(self, called: str) -> None:
        """
        Join a room and open it.

        Args:
            called: its id or its name; a name without a room creates one.

        Raises:
            HubbubError: the user is not allowed to join; the room that was open stays open.
        """
        room = await open_room(self.session, called)
        await self.step_out()
        await self._tasks.start(self._follow_room, room)

    async def step_out(self) -> None:
        """Close the open room; the user stays a member."""
        self._following.cancel()
        room, self.room = self.room, None
        if room is not None and self._last:
            # If this fails, the user sees a few messages as unread once more.
            with anyio.move_on_after(MARK_SECONDS), suppress(HubbubError):
                await self.session.chat.mark_read(room.id, self._last)

    async def leave(self) -> Room:
        """
        Leave the open room.

        Raises:
            HubbubError: the server refuses it; the user stays a member.
        """
        room = self.in_front
        # From here on, the end of the stream is no surprise.
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
        Send a message to the open room, and wait until it is shown.

        Args:
            text: of the message.
            reply_to: the seq of the message that it answers.

        Raises:
            HubbubError: the server refuses it.
        """
        room = self.in_front
        sent = await self.session.chat.send(room.id, text, reply_to=reply_to)
        while self.room is room and self._last < sent.seq:
            await self._wake_up.wait()

    async def show_older(self, count: int) -> None:
        """Show messages before the first one on the screen."""
        page = await self.session.chat.history(self.in_front.id, before=self._first, limit=count)
        if not page:
            self.show(note("There are no older messages."))
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
        # The newest page may have shown it already.
        late = event.seq in self._unreadable
        if event.type == "unreadable":
            self._unreadable.add(event.seq)
        if event.seq > self._last or event.ref is not None or late:
            # A user who joins may have changed their nickname.
            await self.names.learn(users_in(event), again=isinstance(event.data, Joined))
            if (line := event_line(event, self.names)) is not None:
                self.show(line)
        self._set_last(max(event.seq, self._last))

    def _set_last(self, seq: int) -> None:
        self._last = seq
        self._wake_up.set()

    async def _cut_off(self, error: HubbubError) -> None:
        """Find out whether the user was kicked, or the whole session has ended."""
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
            # When the session ends, the open room says so.
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
