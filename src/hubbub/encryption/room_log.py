"""
The log of one room on this device: its state and its messages, decrypted or waiting for a key.

The log always takes events in the order of the stream. So the first event with an index of a
session is the original, and a later one is a replay, in whatever order an application reads pages.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from typing import NamedTuple

import anyio
import msgspec

from ..chat.events import Deleted, RoomEncrypted, SealedChange, SealedMessage
from ..chat.feature import CHAT
from ..chat.rooms.room import RoomState
from ..journal.event import Event, Streams, encode_event
from ..session import Session
from .disk import Disk
from .megolm import Inbound, MessageRefused
from .olm import DeviceAddress
from .payloads import RoomContent, Unreadable
from .store import MessageRow, RowChange

__all__ = ["RoomKeys", "RoomLog"]

# Events that one call reads.
EVENTS_AT_ONCE = 500
# Pages of so many events that are stored in one step.
PAGES_IN_A_STEP = 4
STREAMS = Streams(CHAT.streams)
# The reasons that a key which comes later may take away.
WAITING = (Unreadable.NO_KEY, "unsigned_device", "forged")


class Entry(msgspec.Struct, frozen=True):
    """
    A stored message, or a stored change of one.

    Args:
        event: as the server has it; of one that was read, with the plaintext.
        reason: why it cannot be read; empty if it was read.
    """

    event: msgspec.Raw
    reason: str = ""

    def shown(self) -> Event:
        """Return the event as it is shown."""
        event = STREAMS.decode(bytes(self.event))
        return replaced(event, Unreadable(self.reason)) if self.reason else event


class KeptRoom(msgspec.Struct, frozen=True):
    """
    How far a room was read.

    Args:
        cursor: the seq of the last event taken.
        encrypted_at: the seq from which on it is encrypted; 0 if it is not.
        state: the room's state then, encoded.
    """

    cursor: int
    encrypted_at: int
    state: RoomState


class RoomKeys(NamedTuple):
    """
    The functions that a room's log needs for keys.

    Args:
        inbound: returns the session of an id and a device, if its key is here.
        ids: the ids of all sessions, of whatever device.
        believes: tells whether the key that has signed a user's device is believed.
        catch_up: takes in the keys that were sent so far.
        used: returns the changed form of a session that forgets the keys up to an index.
    """

    inbound: Callable[[str, DeviceAddress], Inbound | None]
    ids: Container[str]
    believes: Callable[[str, str], bool]
    catch_up: Callable[[], Awaitable[None]]
    used: Callable[[Inbound, int], Sequence[RowChange]]


class RoomLog:
    """
    One room.

    Args:
        session: the session that reads it.
        stream: the room's stream.
        disk: where it is kept.
        keys: what reads its messages.
        kept: what was kept of it; None if nothing.
    """

    def __init__(
        self, session: Session, stream: str, disk: Disk, keys: RoomKeys, kept: bytes | None
    ) -> None:
        self._session = session
        self.stream = stream
        self._disk = disk
        self._keys = keys
        self._lock = anyio.Lock()
        # The highest index of each session that was read.
        self._highest: dict[str, int] = {}
        found = (
            KeptRoom(0, 0, RoomState())
            if kept is None
            else msgspec.json.decode(kept, type=KeptRoom)
        )
        self.cursor, self.encrypted_at, self.state = found.cursor, found.encrypted_at, found.state
        self._kept = msgspec.json.encode(found)

    async def sync(self) -> None:
        """Take all events that the room has now."""
        async with self._lock:
            while events := await self._pages():
                await self._take(events)

    async def take(self, events: Sequence[Event]) -> list[Event]:
        """
        Take events that come after those taken so far, and return them as they are shown.

        Those taken before are returned as well, as they were read then.
        """
        async with self._lock:
            new = [event for event in events if event.seq > self.cursor]
            if new and new[0].seq > self.cursor + 1:
                await self._take_up_to(new[0].seq - 1)
            shown = {event.seq: event for event in await self._take(new)}
            shown |= await self._shown_again([one for one in events if one.seq not in shown])
            return [shown[event.seq] for event in events]

    async def retry(self, sessions: Sequence[str]) -> list[Event]:
        """Read the events that waited for the keys of sessions; return the readable ones."""
        async with self._lock:
            rows = await self._disk.ask(self._waiting, sessions)
            mine = [STREAMS.decode(bytes(entry_of(row).event)) for row in rows]
            if not mine:
                return []
            with anyio.CancelScope(shield=True):
                read = await self._read(mine)
                await self._disk.write(read.changes, read.rows, read.seen)
            return [event for event in read.shown if not isinstance(event.data, Unreadable)]

    async def entries(self, seqs: Sequence[int]) -> dict[int, list[Event]]:
        """Return messages by their seqs: each, and then what is about it, as they are shown."""
        found: dict[int, list[Event]] = {}
        for row in await self._disk.ask(self._disk.store.messages, self.stream, seqs):
            found.setdefault(row.about, []).append(entry_of(row).shown())
        return found

    async def page(self, after: int, before: int, limit: int, *, newest: bool) -> list[int]:
        """Return the seqs of a page of encrypted messages, in order."""
        store = self._disk.store

        def work() -> list[int]:
            return store.page(self.stream, after, before, limit, newest=newest)

        return await self._disk.ask(work)

    def _waiting(self, sessions: Sequence[str]) -> list[MessageRow]:
        rows = [row for session in sessions for row in self._disk.store.waiting(session)]
        return sorted(row for row in rows if row.stream == self.stream)

    async def _pages(self) -> list[Event]:
        """Read some pages: one step of the store is cheaper than several."""
        found: list[Event] = []
        for _ in range(PAGES_IN_A_STEP):
            after = found[-1].seq if found else self.cursor
            events = await self._session.read(self.stream, after=after, limit=EVENTS_AT_ONCE)
            if not events:
                break
            found += events
        return found

    async def _take_up_to(self, seq: int) -> None:
        while self.cursor < seq:
            limit = min(EVENTS_AT_ONCE, seq - self.cursor)
            events = await self._session.read(self.stream, after=self.cursor, limit=limit)
            await self._take(events)

    async def _take(self, events: Sequence[Event]) -> list[Event]:
        if not events:
            return []
        if any(self._waits(event) for event in events):
            # The server accepts a message after its key, so the key is there by now.
            await self._keys.catch_up()
        try:
            # Sessions that forget what they have read are as far as the store, or nothing is.
            with anyio.CancelScope(shield=True):
                shown = await self._take_in(events)
        except BaseException:
            # The events will be taken once more.
            self.state = msgspec.json.decode(self._kept, type=KeptRoom).state
            raise
        return shown

    async def _take_in(self, events: Sequence[Event]) -> list[Event]:
        for event in events:
            self.state.apply(event)
            if isinstance(event.data, RoomEncrypted) and not self.encrypted_at:
                self.encrypted_at = event.seq
        read = await self._read(events)
        cursor = events[-1].seq
        kept = msgspec.json.encode(KeptRoom(cursor, self.encrypted_at, self.state))
        room = RowChange("room", self.stream, kept)
        await self._disk.write([*read.changes, room], read.rows, read.seen)
        self.cursor, self._kept = cursor, kept
        return read.shown

    def _waits(self, event: Event) -> bool:
        sealed = event.data
        if not isinstance(sealed, SealedMessage | SealedChange):
            return False
        return self._keys.inbound(sealed.session, (event.by, sealed.device)) is None

    async def _shown_again(self, events: Sequence[Event]) -> dict[int, Event]:
        """Return events that were taken before, by their seqs, as they were read then."""
        shown = {event.seq: event for event in events}
        sealed = [one for one in events if isinstance(one.data, SealedMessage | SealedChange)]
        if not sealed:
            return shown
        shown |= {one.seq: replaced(one, Unreadable(Unreadable.NO_KEY)) for one in sealed}
        abouts = list({about_of(event) for event in sealed})
        rows = await self._disk.ask(self._disk.store.messages, self.stream, abouts)
        wanted = {event.seq for event in sealed}
        return shown | {row.seq: entry_of(row).shown() for row in rows if row.seq in wanted}

    async def _read(self, events: Sequence[Event]) -> Reading:
        reading = Reading(self, self._keys, self._session.journal_id)
        await self._disk.ask(reading.read_all, events)
        return reading

    def seen(self, session: str, position: int) -> int | None:
        """Return the seq of the event that has an index of a session; waits for the disk."""
        highest = self._highest.get(session)
        if highest is None:
            highest = self._disk.store.highest(session)
        self._highest[session] = max(highest, position)
        # Nearly always an index is higher than all before it, and needs no look.
        return self._disk.store.seen(session, position) if position <= highest else None

    def kept(self, about: int) -> list[MessageRow]:
        """Return what is kept of a message; waits for the disk."""
        return self._disk.store.messages(self.stream, [about])


class Reading:
    """
    The result of reading some events, which is stored in one step.

    Args:
        log: the room's.
        keys: what reads its messages.
        journal: the journal's id.
    """

    def __init__(self, log: RoomLog, keys: RoomKeys, journal: str) -> None:
        self._log = log
        self._keys = keys
        self._journal = journal
        self._seen: dict[tuple[str, int], int] = {}
        self.shown: list[Event] = []
        self.rows: list[MessageRow] = []
        self.changes: list[RowChange] = []

    @property
    def seen(self) -> list[tuple[str, int, int]]:
        """The indexes that were read: a session, an index, the seq that has it."""
        return [(session, position, seq) for (session, position), seq in self._seen.items()]

    def read_all(self, events: Sequence[Event]) -> None:
        """Read events in order."""
        for event in events:
            match event.data:
                case SealedMessage() | SealedChange():
                    self._read(event)
                case Deleted() if event.ref is not None and event.ref > self._log.encrypted_at > 0:
                    self._redact(event.ref)
                    self._keep(event, encode_event(event))
                case _:
                    self.shown.append(event)

    def _redact(self, about: int) -> None:
        """Forget the words of a message that was deleted, and of its edits."""
        kept = {row.seq: row for row in self._log.kept(about)}
        kept |= {row.seq: row for row in self.rows if row.about == about}
        for row in kept.values():
            entry = entry_of(row)
            redacted = STREAMS.redact(bytes(entry.event))
            value = msgspec.json.encode(Entry(msgspec.Raw(redacted), entry.reason))
            self.rows.append(row._replace(session="", value=value))

    def _read(self, event: Event) -> None:
        try:
            shown = replaced(event, self._decrypted(event))
        except MessageRefused as refused:
            self._keep(event, encode_event(event), refused.reason)
            return
        self._keep(shown, encode_event(shown))

    def _decrypted(self, event: Event) -> RoomContent:
        sealed = event.data
        assert isinstance(sealed, SealedMessage | SealedChange)
        if not sealed.body:
            # If it was deleted, that is another event.
            raise MessageRefused("altered")
        inbound = self._keys.inbound(sealed.session, (event.by, sealed.device))
        if inbound is None:
            known = sealed.session in self._keys.ids
            raise MessageRefused("forged" if known else Unreadable.NO_KEY)
        if not self._keys.believes(inbound.owner[0], inbound.signer):
            raise MessageRefused("unsigned_device")
        read = inbound.read(event, self._journal)
        place = sealed.session, read.position
        first = self._seen.get(place) or self._log.seen(*place)
        if first is not None and first < event.seq:
            raise MessageRefused("replayed")
        self._seen[place] = event.seq
        self.changes += self._keys.used(inbound, read.position)
        return read.data

    def _keep(self, event: Event, body: bytes, reason: str = "") -> None:
        waits = reason in WAITING
        session = event.data.session if waits else ""  # type: ignore[attr-defined]
        entry = Entry(msgspec.Raw(body), reason)
        value = msgspec.json.encode(entry)
        self.rows.append(MessageRow(event.stream, event.seq, about_of(event), session, value))
        self.shown.append(entry.shown() if reason else event)


def about_of(event: Event) -> int:
    """Return the seq of the message that an event is about, which may be itself."""
    return event.seq if event.ref is None else event.ref


def entry_of(row: MessageRow) -> Entry:
    """Decode what is kept of an event."""
    return msgspec.json.decode(row.value, type=Entry)


def replaced(event: Event, data: object) -> Event:
    """Return the same event with something else that has happened."""
    return msgspec.structs.replace(event, data=data)
