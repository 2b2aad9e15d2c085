"""A backup at a server that may hand back anything: what it cannot do, and what is noticed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import anyio
import anyio.lowlevel
import msgspec
import pytest
from anyio import to_thread

import hubbub
from hubbub import Event
from hubbub.encryption import EncryptedSession, Rotation, UnreadableMessage, encrypted
from hubbub.encryption.backup import USER_KEY
from hubbub.errors import Conflict, Invalid, NotFound, OtherDevices
from hubbub.keys import commands
from hubbub.keys.events import BackedUp, BackupBegun
from tests.encryption.kit import PASSPHRASE, Party, make_quick
from tests.encryption.tampering import TamperingSession
from tests.encryption.test_device import room_of

Change = Callable[[list[Event]], list[Event]]


class TamperingBackup(TamperingSession):
    """A session with a server that changes what it kept of a backup."""

    async def read(self, stream: str, *, after: int = 0, limit: int = 100) -> list[Event]:
        if not stream.startswith("backup/"):
            return await super().read(stream, after=after, limit=limit)
        events = self._change(await super().read(stream, limit=500))
        return [event for event in events if event.seq > after][:limit]


@asynccontextmanager
async def tampered(
    party: Party, device: str, change: Change, recovery_key: str | None = None
) -> AsyncIterator[EncryptedSession]:
    """Connect a device of Ann's."""
    path = party.store("ann", device)
    await to_thread.run_sync(make_quick, path)
    async with party.hub.session("ann") as session:
        there = cast(hubbub.Session, TamperingBackup(session, change))
        async with encrypted(
            there, store=path, passphrase=PASSPHRASE, recovery_key=recovery_key
        ) as opened:
            yield opened


async def backed_up(device: EncryptedSession) -> None:
    """Wait until all keys are in the backup."""
    with anyio.fail_after(10):
        while await device._disk.ask(device._disk.store.all, "fresh"):
            await anyio.lowlevel.checkpoint()


def with_entries(events: list[Event], change: Callable[[dict[str, str]], None]) -> list[Event]:
    """Change the entries of a backup."""
    found = []
    for event in events:
        if isinstance(event.data, BackedUp):
            entries = dict(event.data.entries)
            change(entries)
            data = msgspec.structs.replace(event.data, entries=entries)
            event = msgspec.structs.replace(event, data=data)  # noqa: PLW2901
        found.append(event)
    return found


@asynccontextmanager
async def two_secrets(tmp_path: Path) -> AsyncIterator[tuple[Party, str, str]]:
    """Give a hub, a room with two messages of two sessions, and the recovery key of both."""
    async with Party.opened(tmp_path) as party:
        async with party.device("ann", rotation=Rotation(messages=1)) as ann:
            room = await room_of(ann)
            key = await ann.recovery_key()
            for number in range(2):
                await ann.chat.send(room, f"secret {number}")
            await backed_up(ann)
        yield party, room, key


async def test_a_server_that_loses_entries_takes_their_messages_and_no_more(
    tmp_path: Path,
) -> None:
    def shorter(events: list[Event]) -> list[Event]:
        return events[:-1]

    async with (
        two_secrets(tmp_path) as (party, room, key),
        tampered(party, "laptop", shorter, key) as laptop,
    ):
        first, second = await laptop.chat.history(room)

        assert first.text == "secret 0"
        assert isinstance(second, UnreadableMessage)
        assert second.reason == "no_key"


async def test_an_entry_that_was_altered_is_counted_and_passed_over(tmp_path: Path) -> None:
    def swapped(entries: dict[str, str]) -> None:
        for name in entries.keys() - {USER_KEY}:
            entries[name] = "A" + entries[name][1:] if entries[name][0] != "A" else "B"

    async with (
        two_secrets(tmp_path) as (party, room, key),
        tampered(party, "laptop", lambda events: with_entries(events, swapped), key) as laptop,
    ):
        assert all(isinstance(one, UnreadableMessage) for one in await laptop.chat.history(room))
        assert await laptop.restore(key) == 2


async def test_entries_in_one_anothers_place_are_passed_over(tmp_path: Path) -> None:
    sealed: dict[str, str] = {}

    def moved(events: list[Event]) -> list[Event]:
        with_entries(events, sealed.update)
        sealed.pop(USER_KEY, None)
        first, second = sealed
        swapped = {first: sealed[second], second: sealed[first]}
        return with_entries(
            events, lambda entries: entries.update({n: swapped.get(n, entries[n]) for n in entries})
        )

    async with (
        two_secrets(tmp_path) as (party, _, key),
        tampered(party, "laptop", moved, key) as laptop,
    ):
        assert await laptop.restore(key) == 2


async def test_a_backup_without_the_users_key_restores_nothing(tmp_path: Path) -> None:
    def without(entries: dict[str, str]) -> None:
        entries.pop(USER_KEY, None)

    async with two_secrets(tmp_path) as (party, _, key):
        with pytest.raises(Invalid, match="recovery key"):
            async with tampered(party, "laptop", lambda es: with_entries(es, without), key):
                pass


async def test_a_backup_that_is_not_given_back_as_it_was_written_is_none(tmp_path: Path) -> None:
    def shorter(events: list[Event]) -> list[Event]:
        return events[:-1]

    async with Party.opened(tmp_path) as party, tampered(party, "phone", shorter) as ann:
        with pytest.raises((Conflict, NotFound)):
            await ann.recovery_key()
        assert not ann._backups.stands


async def test_the_backup_of_before_opens_with_its_own_recovery_key_only(tmp_path: Path) -> None:
    def old(events: list[Event]) -> list[Event]:
        begun = [event.seq for event in events if isinstance(event.data, BackupBegun)]
        return [event for event in events if event.seq < begun[-1]] if begun[1:] else events

    async with two_secrets(tmp_path) as (party, _, first):
        async with party.device("ann") as ann:
            second = await ann.recovery_key()
        with pytest.raises(Invalid, match="wrong"):
            async with tampered(party, "laptop", old, second):
                pass
        async with tampered(party, "laptop", list, second):
            pass
        with pytest.raises(Invalid, match="wrong"):
            async with tampered(party, "tablet", list, first):
                pass


async def test_a_device_stops_writing_to_a_backup_that_another_has_replaced(
    tmp_path: Path,
) -> None:
    async with two_secrets(tmp_path) as (party, room, key), party.device("ann") as ann:
        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            await laptop.recovery_key()
        assert ann._backups.stands
        await ann.chat.send(room, "a new session")
        await backed_up(ann)

        assert not ann._backups.stands
        assert [one.text for one in await ann.chat.history(room)][-1] == "a new session"


async def test_a_device_says_that_its_backup_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with two_secrets(tmp_path) as (party, room, _), party.device("ann") as ann:
        monkeypatch.setattr(commands, "BACKUP_ENTRIES_MAX", 1)
        await ann.chat.send(room, "a new session")
        await backed_up(ann)

        assert not ann._backups.stands
        [line] = [record.message for record in caplog.records if "backup" in record.message]
        assert line.endswith("A backup has at most 1 entries; begin a new one.")


async def test_a_recovery_key_without_a_backup_restores_nothing(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann"):
            pass
        with pytest.raises(NotFound, match="no backup"):
            async with party.device("ann", "laptop", recovery_key="a" * 52):
                pass
        with pytest.raises(OtherDevices):
            async with party.device("ann", "laptop"):
                pass
