"""The devices that a room's messages are encrypted for, and the keys that read them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random

import anyio
import anyio.lowlevel
import pytest

from hubbub import Event
from hubbub.chat.events import Said, SealedMessage
from hubbub.encryption import EncryptedSession, Rotation, Unreadable, UnreadableMessage
from hubbub.encryption.backups import Backups
from hubbub.encryption.payloads import RoomKey
from hubbub.encryption.rooms import TRIES_MAX
from hubbub.errors import HubbubError, NotMember, RateLimited, RosterChanged
from tests.encryption.kit import Party
from tests.encryption.tampering import changed, sealed_events
from tests.encryption.test_device import room_of
from tests.encryption.test_lives import members_at
from tests.encryption.test_mischief import reading


def texts(messages: Sequence[object]) -> list[str]:
    return [
        message.reason if isinstance(message, UnreadableMessage) else message.text  # type: ignore[attr-defined]
        for message in messages
    ]


async def hand_over(sender: EncryptedSession, to: EncryptedSession, *keys: RoomKey) -> None:
    """Send a device keys, one after another, and wait until it has them."""
    known = await sender._device.devices_of([to.user.id])
    for key in keys:
        await sender._device.send({to._device.address: key}, known)
    await to._device.inbox.catch_up()


def key_of(device: EncryptedSession, room: str, index: int = 0, stream: str = "") -> RoomKey:
    """Export the key of a device's present session in a room."""
    outbound = device._rooms._outbound[f"room/{room}"]
    inbound = device._rooms._reader(outbound.id, device._device.address)
    assert inbound is not None
    return RoomKey(stream or f"room/{room}", inbound.exported(index), exported=True)


async def test_whoever_hands_anothers_key_on_takes_nobodys_place(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("eve") as eve,
        party.device("bob") as bob,
    ):
        lobby = await room_of(eve, bob, ann)
        room = await room_of(ann, eve)
        await ann.chat.send(room, "the first secret")
        await eve.chat.history(room)
        # Eve gives Ann's key to Bob, as hers, before Ann has given it to him.
        outbound = ann._rooms._outbound[f"room/{room}"]
        inbound = eve._rooms._reader(outbound.id, ann._device.address)
        assert inbound is not None
        await hand_over(eve, bob, RoomKey(f"room/{room}", inbound.exported(), exported=True))
        await bob.chat.join(room)
        await ann.chat.send(room, "the second secret")

        assert lobby != room
        first, second = await bob.chat.history(room)
        assert isinstance(first, UnreadableMessage)
        assert second.text == "the second secret"


async def test_a_message_in_a_session_of_somebody_else_is_forged_until_its_key_comes(
    tmp_path: Path,
) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("eve") as eve,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, eve)
        await ann.chat.send(room, "a secret")
        await eve.chat.history(room)
        [sealed] = sealed_events(await ann._session.read(f"room/{room}"))
        assert isinstance(sealed.data, SealedMessage)
        inbound = eve._rooms._reader(sealed.data.session, ann._device.address)
        assert inbound is not None
        await bob.chat.join(room)
        await hand_over(eve, bob, RoomKey(f"room/{room}", inbound.exported(), exported=True))
        assert texts(await bob.chat.history(room)) == ["forged"]
        await hand_over(ann, bob, key_of(ann, room))
        await anyio.wait_all_tasks_blocked()
        await bob._retry(list(bob._rooms.sessions().values()))

        assert texts(await bob.chat.history(room)) == ["a secret"]


async def test_a_late_key_reads_what_has_waited_for_it(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann)
        for number in range(3):
            await ann.chat.send(room, f"secret {number}")
        await bob.chat.join(room)
        assert texts(await bob.chat.history(room)) == ["no_key"] * 3
        async with bob.follow(f"room/{room}") as events:
            # The later part first, then all of it, and then both again.
            for index in (2, 0, 2, 0):
                await hand_over(ann, bob, key_of(ann, room, index))
            with anyio.fail_after(10):
                found = [await anext(events) for _ in range(3)]

        assert sorted(one.data.text for one in found) == [  # type: ignore[attr-defined]
            "secret 0",
            "secret 1",
            "secret 2",
        ]
        assert texts(await bob.chat.history(room)) == ["secret 0", "secret 1", "secret 2"]


async def test_a_key_that_was_handed_over_for_another_room_reads_nothing(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann)
        await ann.chat.send(room, "a secret")
        other = await room_of(ann, bob)
        await bob.chat.join(room)
        await hand_over(ann, bob, key_of(ann, room, stream=f"room/{other}"))

        assert texts(await bob.chat.history(room)) == ["readdressed"]


async def test_the_newest_page_first_takes_no_replay_for_the_original(tmp_path: Path) -> None:
    def again(events: list[Event]) -> list[Event]:
        first = sealed_events(events)[0]
        return [*events, changed(first, seq=events[-1].seq + 1)]

    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann, bob)
        first = await ann.chat.send(room, "the original")
        for number in range(4):
            await ann.chat.send(room, f"secret {number}")
        async with reading(party, "bob", again) as bob:
            [last] = await bob.read(f"room/{room}", after=first.seq + 4)
            assert last.data == Unreadable("replayed")
            page = await bob.chat.history(room, limit=2)
            everything = await bob.chat.history(room)

        assert texts(page) == ["secret 3", "replayed"]
        assert texts(everything) == [
            "the original",
            *(f"secret {number}" for number in range(4)),
            "replayed",
        ]


async def test_pages_read_twice_in_any_order_are_no_replays(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        sent = [await ann.chat.send(room, f"secret {number}") for number in range(6)]
        for after in (sent[4].seq, sent[0].seq, 0, sent[2].seq, 0):
            for event in await bob.read(f"room/{room}", after=after):
                if event.seq >= sent[0].seq:
                    assert event.data == Said(f"secret {event.seq - sent[0].seq}")


class Racing:
    """
    Users who come and go, with devices that come and go, while others send.

    Args:
        party: the hub and the stores.
        room: the room's id.
    """

    def __init__(self, party: Party, room: str, ann: EncryptedSession) -> None:
        self.party = party
        self.room = room
        self.ann = ann
        self.read: dict[tuple[str, str], dict[int, str]] = {}
        self.sent: dict[int, str] = {}
        self.begun: dict[str, set[tuple[str, str]]] = {}
        # Devices that were there from some message on, and not removed since.
        self.there: set[tuple[str, str]] = set()

    async def send(self, device: EncryptedSession, count: int) -> None:
        """Send messages one after another; a user who is out of the room does not."""
        for number in range(count):
            text = f"{device.user.id} says {number}"
            self.begun[text] = set(self.there)
            try:
                message = await device.chat.send(self.room, text)
            except (NotMember, RosterChanged):
                await anyio.lowlevel.checkpoint()
                continue
            self.sent[message.seq] = text

    async def come_and_go(self, device: EncryptedSession, count: int) -> None:
        for number in range(count):
            if number % 2:
                await self.ann.chat.kick(self.room, device.user.id)
            else:
                await device.chat.leave(self.room)
            await device.chat.join(self.room)

    async def add_devices(self, user: str, recovery_key: str, count: int) -> None:
        """Add a device, let it read, and remove it from another one."""
        for number in range(count):
            name = f"device {number}"
            async with self.party.device(user, name, recovery_key=recovery_key) as device:
                address = (user, name)
                self.there.add(address)
                await device.chat.history(self.room, limit=500)
                self.there.discard(address)
                self.read[address] = await read_by(device, self.room)
                gone = device.device_id
            async with self.party.hub.session(user) as plain:
                await plain.keys.remove_device(gone)


async def read_by(device: EncryptedSession, room: str) -> dict[int, str]:
    return {
        message.seq: message.text
        for message in await device.chat.history(room, limit=500)
        if not isinstance(message, UnreadableMessage)
    }


async def test_exactly_those_read_whom_the_room_has_when_a_message_is_accepted(
    tmp_path: Path,
) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
        party.device("cid") as cid,
        party.device("dan") as dan,
    ):
        room = await room_of(ann, bob, cid, dan)
        key = await bob.recovery_key()
        racing = Racing(party, room, ann)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(racing.send, ann, 40)
            tasks.start_soon(racing.send, bob, 40)
            tasks.start_soon(racing.send, dan, 40)
            tasks.start_soon(racing.come_and_go, cid, 8)
            tasks.start_soon(racing.come_and_go, dan, 8)
            tasks.start_soon(racing.add_devices, "bob", key, 4)
        events = await ann._session.read(f"room/{room}", limit=500)
        members = members_at(events)
        for device in (ann, bob, cid, dan):
            read = await read_by(device, room)
            there = {seq for seq in racing.sent if device.user.id in members[seq]}

            assert read == {seq: racing.sent[seq] for seq in there}
        for address, read in racing.read.items():
            for seq, text in racing.sent.items():
                if address in racing.begun[text]:
                    assert read.get(seq, text) == text
            assert set(read.items()) <= set(racing.sent.items())
        changes = [
            event for event in events if event.type in ("joined", "left", "kicked", "devices")
        ]
        assert len(racing.sent) > 60
        assert len(changes) > 30


async def test_a_room_that_changes_all_the_time_is_given_up(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        stream, tries = f"room/{room}", []

        async def deliver(session: str, body: str, roster: int) -> None:
            tries.append(roster)
            await bob.chat.leave(room)
            await bob.chat.join(room)
            raise RosterChanged("it has changed again")

        with pytest.raises(RosterChanged):
            await ann._rooms.send(stream, Said("words"), None, deliver)
        assert len(set(tries)) == TRIES_MAX


async def test_a_key_that_came_just_before_a_crash_reads_what_has_waited(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann)
            await ann.chat.send(room, "a secret")
            await bob.chat.join(room)
            assert texts(await bob.chat.history(room)) == ["no_key"]
            # The program ends before the key that comes is used.
            bob._retry = nothing  # type: ignore[method-assign]
            await hand_over(ann, bob, key_of(ann, room))
            assert texts(await bob.chat.history(room)) == ["no_key"]
            assert await bob._disk.ask(bob._disk.store.all, "fresh")
        async with party.device("bob") as bob:
            assert texts(await bob.chat.history(room)) == ["a secret"]


async def nothing(sessions: object) -> None:
    await anyio.sleep_forever()


async def test_a_key_is_backed_up_although_the_server_was_busy_or_the_program_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    async def busy(self: Backups, sessions: object) -> None:
        refused.append(1)
        raise RateLimited("Too many changes.", retry_after=3_600.0)

    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann, bob)
            key = await bob.recovery_key()
            with monkeypatch.context() as patch:
                patch.setattr(Backups, "add", busy)
                await ann.chat.send(room, "a secret")
                assert texts(await bob.chat.history(room)) == ["a secret"]
                await anyio.wait_all_tasks_blocked()
                assert refused
        async with party.device("bob") as bob:
            await anyio.wait_all_tasks_blocked()
            while await bob._disk.ask(bob._disk.store.all, "fresh"):
                await anyio.lowlevel.checkpoint()
        async with party.device("bob", "laptop", recovery_key=key) as laptop:
            assert texts(await laptop.chat.history(room)) == ["a secret"]


async def test_restoring_backs_nothing_up_again(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)
        key = await ann.recovery_key()
        await ann.chat.send(room, "a secret")
        while await ann._disk.ask(ann._disk.store.all, "fresh"):
            await anyio.lowlevel.checkpoint()
        before = len(await ann.read("backup/ann"))
        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            await laptop.restore(key)
            await anyio.wait_all_tasks_blocked()

            assert len(await laptop.read("backup/ann")) == before


async def test_after_each_message_another_session_if_it_is_so_wished(tmp_path: Path) -> None:
    random = Random(5)
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=Rotation(messages=1)) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        said = [f"secret {random.random()}" for _ in range(5)]
        for text in said:
            await ann.chat.send(room, text)
        events = sealed_events(await ann._session.read(f"room/{room}"))

        assert len({event.data.session for event in events}) == 5  # type: ignore[attr-defined]
        assert texts(await bob.chat.history(room)) == said


async def test_a_user_who_is_not_in_the_room_is_refused_as_ever(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann)

        with pytest.raises(HubbubError):
            await bob.chat.send(room, "let me in")
