"""Chat in which encrypted rooms are encrypted: the same methods, arguments, results and errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from ..chat.events import Edited, Reacted, Said, Unreacted
from ..chat.messages.current import CurrentEvents
from ..chat.messages.message import Message
from ..chat.rooms.room import direct_stream, stream_of
from ..errors import KeyReused, NotAuthor, NotFound
from ..journal.event import Event
from ..service import SEQ_MAX
from ..session import Session
from ..text import check_emoji, check_text, plain_emoji
from ..words import matches, search_of
from .payloads import RoomContent, Unreadable
from .rooms import EncryptedRooms

__all__ = ["EncryptedChat", "UnreadableMessage"]

# Characters of a text: the server does not know how long it is.
TEXT_CHARS_MAX = 4_000
# Messages that are looked at in one go.
SEARCH_PART = 200


class UnreadableMessage(Message, frozen=True):
    """
    A message that this device cannot read; ``text`` is empty.

    Args:
        reason: why, as in :class:`Unreadable`.
    """

    reason: str = ""


class EncryptedChat:
    """
    The chat of an encrypted session; methods that are not here are those of the session.

    Args:
        session: the session.
        rooms: its encrypted rooms.
        text_chars_max: the longest message; the server cannot tell how long a message is.
    """

    def __init__(
        self,
        session: Session,
        rooms: EncryptedRooms,
        text_chars_max: int = TEXT_CHARS_MAX,
    ) -> None:
        self._session = session
        self._chat = session.chat
        self._rooms = rooms
        self._longest = text_chars_max

    def __getattr__(self, name: str) -> Any:
        # Encryption does not change the other methods.
        return getattr(self._chat, name)

    async def send(
        self, room_id: str, text: str, *, reply_to: int | None = None, key: str | None = None
    ) -> Message:
        """
        Send a message, encrypted if the room is; see :meth:`hubbub.Session.chat`.

        Raises:
            Untrusted: a member's key has changed, or was not verified.
            HubbubError: as ``chat.send`` of any session.
        """
        stream = await self._encrypted(room_id)
        if stream is None:
            return await self._chat.send(room_id, text, reply_to=reply_to, key=key)
        said = Said(check_text(text, self._longest), reply_to)
        device, bodies = self._rooms.device.id, set[str]()

        async def deliver(session: str, body: str, roster: int) -> Message:
            bodies.add(body)
            return await self._chat.send_sealed(
                room_id, device, session, body, roster=roster, reply_to=reply_to, key=key
            )

        message = await self._rooms.send(stream, said, None, deliver)
        assert message.sealed is not None
        if message.sealed.body in bodies:
            return msgspec.structs.replace(message, text=said.text, sealed=None)
        # The key was used before, by this run or by an earlier one.
        first = await self._message(stream, message.seq)
        if first.text != said.text:
            raise KeyReused("This key was used for a message with another text.")
        return first

    async def send_direct(self, user_id: str, text: str, *, key: str | None = None) -> Message:
        """
        Send a message to one user, encrypted; a conversation that begins is encrypted.

        Raises:
            Untrusted: the user's key has changed, or was not verified.
            HubbubError: as ``chat.send_direct`` of any session.
        """
        stream = direct_stream(self._session.user.id, user_id)
        if await self._encrypted(stream) is None:
            if self._rooms.log(stream).state.created_at is not None:
                return await self._chat.send_direct(user_id, text, key=key)
            await self._chat.encrypt(stream)
            await self._rooms.log(stream).sync()
        return await self.send(stream, text, key=key)

    async def edit(self, room_id: str, seq: int, text: str) -> Message:
        """Change the text of your message; see :meth:`send` for what encryption changes."""
        stream = await self._encrypted_message(room_id, seq)
        if stream is None:
            return await self._chat.edit(room_id, seq, text)
        message = await self._message(stream, seq)
        if message.by != self._session.user.id:
            raise NotAuthor("Only its author may edit a message.")
        edited = Edited(check_text(text, self._longest))
        if message.text == edited.text:
            return message
        return await self._change(room_id, stream, seq, edited)

    async def react(self, room_id: str, seq: int, emoji: str) -> Message:
        """React to a message with one emoji; see :meth:`send` for what encryption changes."""
        stream = await self._encrypted_message(room_id, seq)
        if stream is None:
            return await self._chat.react(room_id, seq, emoji)
        plain = plain_emoji(check_emoji(emoji))
        message = await self._message(stream, seq)
        if self._session.user.id in message.reactions.get(plain, ()):
            return message
        return await self._change(room_id, stream, seq, Reacted(plain))

    async def unreact(self, room_id: str, seq: int, emoji: str) -> Message:
        """Take a reaction back; if there is none, nothing happens."""
        stream = await self._encrypted_message(room_id, seq)
        if stream is None:
            return await self._chat.unreact(room_id, seq, emoji)
        plain = plain_emoji(check_emoji(emoji))
        message = await self._message(stream, seq)
        if self._session.user.id not in message.reactions.get(plain, ()):
            return message
        return await self._change(room_id, stream, seq, Unreacted(plain))

    async def delete(self, room_id: str, seq: int) -> Message:
        """Delete a message; the server forgets its ciphertext, and this device its text."""
        stream = await self._encrypted_message(room_id, seq)
        deleted = await self._chat.delete(room_id, seq)
        if stream is None:
            return deleted
        await self._rooms.log(stream).sync()
        return await self._message(stream, seq)

    async def history(
        self,
        room_id: str,
        *,
        before: int | None = None,
        after: int | None = None,
        limit: int = 50,
    ) -> list[Message]:
        """
        Read messages, the oldest first, as ``chat.history`` of any session.

        Messages that this device cannot read are :class:`UnreadableMessage`.
        """
        stream = await self._encrypted(room_id)
        if stream is None:
            return await self._chat.history(room_id, before=before, after=after, limit=limit)
        log = self._rooms.log(stream)
        await log.sync()
        newest = before is not None or after is None
        last = SEQ_MAX if before is None else before
        seqs = await log.page(after or 0, last, limit, newest=newest)
        found = await self._messages(stream, seqs)
        return await self._with_plain(room_id, log.encrypted_at, found, before, after, limit)

    async def search(self, room_id: str, text: str, *, limit: int = 20) -> list[Message]:
        """Find messages by their words, the newest first, in what this device has read."""
        stream = await self._encrypted(room_id)
        if stream is None:
            return await self._chat.search(room_id, text, limit=limit)
        log = self._rooms.log(stream)
        await log.sync()
        search, found, before = search_of(text), list[Message](), SEQ_MAX
        while len(found) < limit:
            seqs = await log.page(0, before, SEARCH_PART, newest=True)
            if not seqs:
                break
            before = seqs[0]
            messages = await self._messages(stream, seqs)
            found += [one for one in reversed(messages) if matches(one.text, search.wanted)]
        return found[:limit]

    async def _encrypted(self, room_id: str) -> str | None:
        """Return the stream of an encrypted room; None if it is none."""
        stream = stream_of(room_id)
        log = self._rooms.log(stream)
        if not log.encrypted_at:
            # A room that was once encrypted stays so, whatever the server says.
            try:
                await log.sync()
            except NotFound:
                return None
        return stream if log.encrypted_at else None

    async def _encrypted_message(self, room_id: str, seq: int) -> str | None:
        stream = await self._encrypted(room_id)
        if stream is None or seq < self._rooms.log(stream).encrypted_at:
            return None
        return stream

    async def _change(self, room_id: str, stream: str, seq: int, data: RoomContent) -> Message:
        device = self._rooms.device.id

        async def deliver(session: str, body: str, roster: int) -> Message:
            return await self._chat.change_sealed(
                room_id, seq, device, session, body, roster=roster
            )

        await self._rooms.send(stream, data, seq, deliver)
        return await self._message(stream, seq)

    async def _message(self, stream: str, seq: int) -> Message:
        await self._rooms.log(stream).sync()
        found = await self._messages(stream, [seq])
        if not found:
            raise NotFound(f"Event {seq} of this room is not a message.")
        return found[0]

    async def _messages(self, stream: str, seqs: Sequence[int]) -> list[Message]:
        found = await self._rooms.log(stream).entries(seqs)
        return [folded(events) for _, events in sorted(found.items()) if events]

    async def _with_plain(  # noqa: PLR0913
        self,
        room_id: str,
        encrypted_at: int,
        found: list[Message],
        before: int | None,
        after: int | None,
        limit: int,
    ) -> list[Message]:
        """Add the messages from before the room was encrypted."""
        forward = before is None and after is not None
        if (after or 0) >= encrypted_at or (not forward and len(found) == limit):
            return found
        if forward:
            plain = await self._chat.history(room_id, after=after, limit=limit)
            return [*(one for one in plain if one.seq < encrypted_at), *found][:limit]
        last = encrypted_at if before is None else min(before, encrypted_at)
        missing = limit - len(found)
        return [
            *await self._chat.history(room_id, before=last, after=after, limit=missing),
            *found,
        ]


def folded(events: Sequence[Event]) -> Message:
    """
    Fold a message of what this device has read of it.

    Only its author's edits count: the server cannot refuse the others.
    """
    said, *about = events
    assert said.ref is None
    readable = [
        event
        for event in about
        if not isinstance(event.data, Unreadable)
        and (not isinstance(event.data, Edited) or event.by == said.by)
    ]
    text, edited_at, deleted = "", None, False
    reactions: dict[str, list[str]] = {}
    reply_to = None
    if isinstance(said.data, Said):
        text, reply_to = said.data.text, said.data.reply_to
    for event in CurrentEvents(readable):
        match event.data:
            case Edited(new):
                text, edited_at = new, event.at
            case Reacted(emoji):
                reactions.setdefault(plain_emoji(emoji), []).append(event.by)
            case _:
                deleted = True
    known = (said.stream, said.seq, said.at, said.by)
    if deleted:
        return Message(*known, "", reply_to, edited_at, True, reactions)
    if isinstance(said.data, Unreadable):
        return UnreadableMessage(*known, "", reply_to, reason=said.data.reason)
    return Message(*known, text, reply_to, edited_at, False, reactions)
