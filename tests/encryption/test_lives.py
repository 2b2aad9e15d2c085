"""
Random lives: devices that come, crash, write, leave and return, in one encrypted room.

Whatever happens, a message is read by every device that its room had when it was accepted, by
none of a user who was not in the room, and it is there once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any, cast

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hubbub
from hubbub.chat.rooms.room import RoomState
from hubbub.encryption import EncryptedSession, Rotation, Unreadable, encrypted
from hubbub.errors import HubbubError
from hubbub.journal.event import Event
from tests.encryption.faulty import Crash, Fault, FaultySession
from tests.encryption.kit import PASSPHRASE, Party, make_quick

USERS = ("ann", "bob", "cid", "dan")
DEVICES_MAX = 3
VISITS = 12
CRASHES = 0.3


class Life:
    """
    One life.

    Args:
        party: the hub and the stores.
        random: what happens.
    """

    def __init__(self, party: Party, random: Random) -> None:
        self.party = party
        self.random = random
        self.room = ""
        self.recovery: dict[str, str] = {}
        self.devices: list[tuple[str, str]] = []
        # Those that the server knows: a device may crash before it is added.
        self.added: set[tuple[str, str]] = set()
        # A text -> the devices that there were when it was sent.
        self.sent: dict[str, set[tuple[str, str]]] = {}
        self.acknowledged: set[str] = set()

    async def begin(self) -> None:
        for user in USERS:
            async with self.opened((user, "first"), Fault()) as device:
                self.recovery[user] = await device.recovery_key()
                if not self.room:
                    room = await device.chat.create_room("Room", encrypted=True)
                    self.room = room.id
                await device.chat.join(self.room)
            self.devices.append((user, "first"))

    @asynccontextmanager
    async def opened(self, address: tuple[str, str], fault: Fault) -> Any:
        user, device = address
        path = self.party.store(user, device)
        await anyio.to_thread.run_sync(make_quick, path)
        async with self.party.hub.session(user, nickname=user) as session:
            faulty = cast(hubbub.Session, FaultySession(session, fault))
            async with encrypted(
                faulty,
                store=path,
                passphrase=PASSPHRASE,
                recovery_key=self.recovery.get(user),
                rotation=Rotation(messages=3),
            ) as device_session:
                self.added.add(address)
                yield device_session

    async def run(self) -> None:
        await self.begin()
        for visit in range(VISITS):
            if self.random.random() < 0.2:
                self.add_device()
            visitors = self.random.sample(self.devices, min(2, len(self.devices)))
            async with anyio.create_task_group() as tasks:
                for address in visitors:
                    tasks.start_soon(self.visit, address, visit)
        await self.check()

    def add_device(self) -> None:
        user = self.random.choice(USERS)
        count = sum(owner == user for owner, _ in self.devices)
        if count < DEVICES_MAX:
            self.devices.append((user, f"device {count}"))

    async def visit(self, address: tuple[str, str], visit: int) -> None:
        crashes = self.random.random() < CRASHES
        fault = Fault(self.random.randint(0, 25) if crashes else None)
        try:
            async with self.opened(address, fault) as device:
                for step in range(self.random.randint(1, 3)):
                    await self.act(device, address, f"secret {visit} {step} of {address}")
        except* Crash:
            fault.left = None

    async def act(self, device: EncryptedSession, address: tuple[str, str], text: str) -> None:
        what = self.random.choice(["send", "send", "send", "read", "leave", "join"])
        # A user who is not in the room is refused, which is as it should be.
        with suppress(HubbubError):
            match what:
                case "send":
                    self.sent[text] = set(self.added)
                    await device.chat.send(self.room, text, key=text)
                    self.acknowledged.add(text)
                case "read":
                    await device.chat.history(self.room)
                case "leave":
                    await device.chat.leave(self.room)
                case "join":
                    await device.chat.join(self.room)

    async def check(self) -> None:
        for user in USERS:
            async with self.party.hub.session(user) as plain:
                await plain.chat.join(self.room)
        events = await self.events()
        members = members_at(events)
        read = {address: await self.read_by(address) for address in self.devices}
        texts = {
            seq: text
            for found in read.values()
            for seq, text in found.items()
            if not isinstance(text, Unreadable)
        }
        assert len(set(texts.values())) == len(texts)
        assert self.acknowledged <= set(texts.values())
        for seq, text in texts.items():
            for address in self.devices:
                if address[0] not in members[seq]:
                    assert isinstance(read[address][seq], Unreadable), (seq, address)
                elif address in self.sent[str(text)]:
                    assert read[address][seq] == text, (seq, text, address, read[address][seq])

    async def events(self) -> list[Event]:
        async with self.party.hub.session("ann") as plain:
            return await plain.read(f"room/{self.room}", limit=500)

    async def read_by(self, address: tuple[str, str]) -> dict[int, object]:
        async with self.opened(address, Fault()) as device:
            messages = await device.chat.history(self.room, limit=500)
        return {
            message.seq: Unreadable(message.reason) if hasattr(message, "reason") else message.text
            for message in messages
        }


def members_at(events: Sequence[Event]) -> dict[int, set[str]]:
    """Return a room's members at each of its events."""
    room, found = RoomState(), {}
    for event in events:
        room.apply(event)
        found[event.seq] = set(room.roles)
    return found


async def live(seed: int) -> None:
    with tempfile.TemporaryDirectory() as directory:
        async with Party.opened(Path(directory)) as party:
            await Life(party, Random(seed)).run()


# Each is a life of a second or less: few in an ordinary run, many under the profile "fuzz". The
# devices run at the same time in threads, so nothing but the seed could be made smaller.
@pytest.mark.timeout(60)
@settings(max_examples=settings().max_examples // 8)
@given(st.integers(0, 1 << 32))
async def test_members_read_and_others_do_not_whatever_crashes(seed: int) -> None:
    await live(seed)
