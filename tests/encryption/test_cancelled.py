"""Whatever is cancelled, at whichever await: nothing is lost, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import pytest

from hubbub.encryption import EncryptedSession, Rotation
from hubbub.encryption.inbox import DeviceInbox
from hubbub.errors import HubbubError
from tests.encryption.cancelling import cancelled_at
from tests.encryption.kit import Party

EACH = Rotation(messages=1)
# More awaits than any of these calls has.
AWAITS_MAX = 1_000


async def everywhere(work: Callable[[int], Coroutine[Any, Any, object]]) -> int:
    """Begin something again and again, cancelled one await later each time, until it ends."""
    for number in count():
        assert number < AWAITS_MAX
        if not await cancelled_at(number, work(number)):
            return number
    raise AssertionError


async def room_of(ann: EncryptedSession, *others: EncryptedSession) -> str:
    room = str((await ann.chat.create_room("Secrets", encrypted=True)).id)
    for other in others:
        await other.chat.join(room)
    return room


async def texts_of(device: EncryptedSession, room: str) -> list[str]:
    return [message.text for message in await device.chat.history(room, limit=500)]


async def nothing(self: DeviceInbox) -> None:
    await anyio.sleep_forever()


async def test_reading_that_is_cancelled_loses_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the calls that are cancelled take keys in.
    monkeypatch.setattr(DeviceInbox, "follow", nothing)
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=EACH) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        sent: list[str] = []

        async def read(number: int) -> None:
            with anyio.CancelScope(shield=True):
                sent.append(f"secret {number}")
                await ann.chat.send(room, sent[-1])
            await bob.chat.history(room)

        assert await everywhere(read) > 3
        assert await texts_of(bob, room) == sent
        # Bob's device could read each key that it was sent, so it has asked for none again.
        await anyio.wait_all_tasks_blocked()
        assert await ann.read(f"device/ann/{ann.device_id}") == []


async def test_reading_what_strangers_say_may_be_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Only the calls that are cancelled take keys in.
    monkeypatch.setattr(DeviceInbox, "follow", nothing)
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=EACH) as ann,
        party.device("bob", keep_keys=False) as bob,
    ):
        room = await room_of(ann, bob)
        sent: list[str] = []

        async def read(number: int) -> None:
            with anyio.CancelScope(shield=True):
                # To Bob, Ann is new each time.
                bob._trust._users.pop("ann", None)
                sent.append(f"secret {number}")
                await ann.chat.send(room, sent[-1])
            await bob.chat.history(room)

        assert await everywhere(read) > 3
        assert await texts_of(bob, room) == sent
        # Bob's device could read each key that it was sent, so it has asked for none again.
        await anyio.wait_all_tasks_blocked()
        assert await ann.read(f"device/ann/{ann.device_id}") == []


async def test_sending_that_is_cancelled_sends_once_when_it_is_repeated(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=EACH) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        sent: list[str] = []

        async def send(number: int) -> None:
            text = f"secret {number}"
            try:
                await ann.chat.send(room, text, key=text)
            finally:
                with anyio.CancelScope(shield=True):
                    await ann.chat.send(room, text, key=text)
                    sent.append(text)

        assert await everywhere(send) > 5
        assert await texts_of(ann, room) == sent
        assert await texts_of(bob, room) == sent


async def test_a_store_whose_opening_was_cancelled_opens(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann", rotation=EACH) as ann:
        room = await room_of(ann)
        sent: list[str] = []

        async def visit() -> None:
            async with party.device("bob") as bob:
                await bob.chat.join(room)

        async def open_it(number: int) -> None:
            with anyio.CancelScope(shield=True):
                sent.append(f"secret {number}")
                await ann.chat.send(room, sent[-1])
            await visit()

        await visit()
        assert await everywhere(open_it) > 10
        async with party.device("bob") as bob:
            assert await texts_of(bob, room) == sent


async def test_a_new_device_whose_opening_was_cancelled_opens(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)

        async def visit(user: str) -> None:
            async with party.device(user) as device:
                await device.chat.join(room)

        async def open_one(number: int) -> None:
            user = f"user{number}"
            try:
                await visit(user)
            finally:
                with anyio.CancelScope(shield=True):
                    await visit(user)

        number = await everywhere(open_one)
        sent = await ann.chat.send(room, "a secret for all")
        assert number > 10
        for user in (f"user{one}" for one in range(0, number, 3)):
            async with party.device(user) as device:
                [*_, last] = await device.chat.history(room)
                assert (last.seq, last.text) == (sent.seq, "a secret for all")


async def test_a_restore_that_was_cancelled_can_be_repeated(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)
        key = await ann.recovery_key()
        await ann.chat.send(room, "before the restore")

        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            await everywhere(lambda number: laptop.restore(key))
            await laptop.restore(key)
            assert await texts_of(laptop, room) == ["before the restore"]


async def test_a_backup_that_was_cancelled_can_be_begun_again(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)
        await ann.chat.send(room, "before the backup")
        await everywhere(lambda number: ann.recovery_key())
        key = await ann.recovery_key()

        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            assert await texts_of(laptop, room) == ["before the backup"]


async def test_a_verification_that_was_cancelled_can_be_begun_again(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await room_of(ann, bob)

        async def verify(one: EncryptedSession, other: str) -> None:
            async with one.verify(other) as verification:
                await verification.match()

        async def other_side() -> None:
            try:
                await verify(bob, "ann")
            except HubbubError:
                return

        async def both(number: int) -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(other_side)
                try:
                    # The other side may have given up, and then nobody answers any more.
                    with anyio.move_on_after(2):
                        assert await cancelled_at(number, verify(ann, "bob")) in (True, False)
                finally:
                    tasks.cancel_scope.cancel()

        for number in range(40):
            await both(number)
        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(verify, ann, "bob")
                tasks.start_soon(verify, bob, "ann")
        assert ann._trust.of("bob").verified  # type: ignore[union-attr]
