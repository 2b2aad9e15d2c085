"""Reads from the store: pages of messages, searches, unread counts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from ...errors import Encrypted
from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...journal.link import Links
from ...journal.live.topic import cut
from ...service import SEQ_MAX, check_limit, check_seq
from ...stream_names import user_stream
from ...words import Search, matches, search_of
from ..rooms.room import ROOM_STREAMS, RoomState, id_of, stream_of
from .message import Message, message_of

__all__ = ["History"]

# The unread messages that are counted for a room; the count stops there.
UNREAD_MAX = 1_000
# The types of events that are messages, in a room that is not encrypted and in an encrypted one.
MESSAGES = ("message",)
MESSAGES_AND_SEALED = ("message", "sealed")
# The candidates that one part of a search looks at.
SEARCH_PART = 100


class History:
    """
    Reads messages of rooms for one session; only members can read them.

    Args:
        actor: the user of the session.
    """

    __slots__ = ("_actor",)

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    async def page(
        self, room_id: str, *, before: int | None, after: int | None, limit: int
    ) -> list[Message]:
        """Return a page of messages, the oldest first."""
        check_limit(limit, self._actor.settings.page_max)
        for seq in (before, after):
            if seq is not None:
                check_seq(seq)
        stream, encrypted = await self.readable(room_id)
        kinds = MESSAGES_AND_SEALED if encrypted else MESSAGES
        return await self._actor.query(self._read_page, stream, kinds, after, before, limit)

    async def search(self, room_id: str, text: str, *, limit: int) -> list[Message]:
        """Return the messages with some words, the newest first."""
        check_limit(limit, self._actor.settings.page_max)
        search = search_of(text)
        stream, encrypted = await self.readable(room_id)
        if encrypted:
            raise Encrypted("This room is encrypted; search it with hubbub.encryption.")
        journal, found, before = self._actor.journal, list[Message](), SEQ_MAX
        room = self._actor.settings.page_bytes_max
        while before and len(found) < limit and room > 0:
            # One bounded part at a time, so that others get their turn.
            more, before = await journal.searching(
                self._search_part, stream, search, before, by=self._actor.user
            )
            found += more
            room -= sum(len(message.text.encode()) for message in more)
        return found[:limit]

    async def unread(self) -> dict[str, int]:
        """Count the messages of others after the user's read marks."""
        actor = self._actor

        def marks(states: States, events: Sequence[Event]) -> dict[str, int]:
            return dict(states.of(Links, user_stream(actor.user)).links)

        reads = (user_stream(actor.user),)
        found = await actor.execute(Command(actor.user, nothing, marks, reads=reads))
        return await actor.query(self._count, found)

    async def readable(self, room_id: str) -> tuple[str, bool]:
        """Return a room's stream, and whether it is encrypted; raise if the user cannot read it."""
        stream, by = stream_of(room_id), self._actor.user

        def check(states: States, events: Sequence[Event]) -> bool:
            room = states.of(RoomState, stream)
            room.check_member(by)
            return bool(room.encrypted)

        return stream, await self._actor.execute(Command(by, nothing, check, reads=(stream,)))

    def _read_page(
        self,
        stream: str,
        kinds: Sequence[str],
        after: int | None,
        before: int | None,
        limit: int,
    ) -> list[Message]:
        journal = self._actor.journal
        pages = (journal.store.page(stream, kind, after, before, limit) for kind in kinds)
        # No plain message follows an encrypted one, so one kind after the other is in order.
        bodies = [body for page in pages for body in page]
        # A page that is too large keeps the messages nearest to where it begins.
        forward = before is None and after is not None
        nearest = bodies[:limit] if forward else bodies[::-1][:limit]
        page = cut(nearest, self._actor.settings.page_bytes_max)
        said = [journal.streams.decode(body) for body in page]
        return self._messages(stream, said if forward else said[::-1])

    def _search_part(self, stream: str, search: Search, before: int) -> tuple[list[Message], int]:
        """Search a part of a room's messages; return the seq to continue before, or 0."""
        journal, found = self._actor.journal, list[Message]()
        seqs = journal.store.search(stream, search.terms, before, SEARCH_PART)
        for seq in seqs:
            [body] = journal.store.read(stream, seq - 1, 1)
            [message] = self._messages(stream, [journal.streams.decode(body)])
            # The index has every text that a message ever had, and runs only as pairs.
            if matches(message.text, search.wanted):
                found.append(message)
        return found, seqs[-1] if len(seqs) == SEARCH_PART else 0

    def _messages(self, stream: str, said: Sequence[Event]) -> list[Message]:
        if not said:
            return []
        journal = self._actor.journal
        about: defaultdict[int | None, list[Event]] = defaultdict(list)
        for body in journal.store.about(stream, said[0].seq, said[-1].seq):
            event = journal.streams.decode(body)
            about[event.ref].append(event)
        return [message_of(event, about[event.seq]) for event in said]

    def _count(self, marks: dict[str, int]) -> dict[str, int]:
        return {
            id_of(stream): self._count_one(stream, seq)
            for stream, seq in marks.items()
            if stream.startswith(ROOM_STREAMS)
        }

    def _count_one(self, stream: str, after: int) -> int:
        store, by = self._actor.journal.store, self._actor.user
        counts = (store.count(stream, kind, after, by, UNREAD_MAX) for kind in MESSAGES_AND_SEALED)
        return min(sum(counts), UNREAD_MAX)
