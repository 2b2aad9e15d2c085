"""One device: its stock of keys, its removal, and devices that have no keys."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest
import vodozemac
from anyio import to_thread

import hubbub
from hubbub.encryption import EncryptedSession, UnreadableMessage, encrypted
from hubbub.encryption.device import FALLBACK_SECONDS, STOCK_MIN
from hubbub.encryption.identity import UserKey
from hubbub.encryption.olm import ONE_TIME_KEYS
from hubbub.encryption.rooms import KEYLESS_SECONDS
from hubbub.errors import Conflict, NotAllowed
from hubbub.keys.device import OneTimeKey, UserKeys
from hubbub.keys.events import DeviceKeys, FallbackKeySet, SignedKey
from hubbub.keys.feature import CLAIMS_MAX
from hubbub.testing import VirtualClock, run_in_virtual_time
from tests.encryption.faulty import Crash, Fault, FaultySession
from tests.encryption.kit import PASSPHRASE, Party, make_quick
from tests.encryption.tampering import TamperingSession
from tests.encryption.test_mischief import reading
from tests.event_loop import Backend
from tests.session.worlds import SetClock


async def room_of(ann: EncryptedSession, *others: EncryptedSession) -> str:
    room = str((await ann.chat.create_room("Secrets", encrypted=True)).id)
    for other in others:
        await other.chat.join(room)
    return room


async def stock_of(device: EncryptedSession) -> int:
    return int(await device._session.keys.publish(device.device_id, {}))


async def until_stock(device: EncryptedSession, right: Callable[[int], bool]) -> None:
    with anyio.fail_after(10):
        while not right(await stock_of(device)):
            await anyio.lowlevel.checkpoint()


async def test_new_keys_are_made_when_few_are_left(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)
        assert await stock_of(ann) == ONE_TIME_KEYS
        name = "/".join(ann._device.address)
        claimed: list[OneTimeKey] = []
        for number in range(4):
            async with party.hub.session(f"user{number}") as other:
                await other.chat.join(room)
                for _ in range(CLAIMS_MAX):
                    found = await other.keys.claim([name])
                    claimed.append(found[name])
        await until_stock(ann, lambda stock: stock > STOCK_MIN)

        assert len({key.id for key in claimed}) == 4 * CLAIMS_MAX > ONE_TIME_KEYS - STOCK_MIN
        assert not any(key.fallback for key in claimed)


async def test_new_keys_are_made_at_the_next_opening(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann") as ann:
            room = await room_of(ann)
            name = "/".join(ann._device.address)
        for number in range(3):
            async with party.hub.session(f"user{number}") as other:
                await other.chat.join(room)
                for _ in range(CLAIMS_MAX):
                    await other.keys.claim([name])
        async with party.device("ann") as ann:
            assert await stock_of(ann) == ONE_TIME_KEYS


async def test_the_fallback_key_is_another_one_after_a_week(tmp_path: Path) -> None:
    clock = SetClock()
    fallbacks: list[int] = []
    async with Party.opened(tmp_path) as party:
        for passed in (0.0, FALLBACK_SECONDS / 2, FALLBACK_SECONDS, FALLBACK_SECONDS * 1.5):
            clock.passed = passed
            async with party.device("ann", clock=clock) as ann:
                events = await ann.read("keys/ann")
                fallbacks.append(sum(isinstance(one.data, FallbackKeySet) for one in events))

    assert fallbacks == [1, 1, 2, 2]


def test_the_fallback_key_of_a_session_that_lasts_is_another_one_each_week(
    tmp_path: Path, backend: Backend
) -> None:
    async def three_weeks() -> int:
        async with (
            Party.opened(tmp_path) as party,
            party.device("ann", clock=VirtualClock()) as ann,
        ):
            await anyio.sleep(FALLBACK_SECONDS * 2 + 60)
            events = await ann.read("keys/ann")
            return sum(isinstance(one.data, FallbackKeySet) for one in events)

    assert run_in_virtual_time(three_weeks, backend=backend) == 3


async def test_a_device_that_is_removed_while_it_is_connected_is_told_so(tmp_path: Path) -> None:
    async def removed_from_another(party: Party) -> None:
        async with party.device("ann") as ann:
            key = await ann.recovery_key()
            async with party.device("ann", "laptop", recovery_key=key) as laptop:
                await laptop.remove_device(ann.device_id)
                await anyio.sleep_forever()

    async with Party.opened(tmp_path) as party:
        with pytest.raises(NotAllowed, match="This device was removed"):
            await removed_from_another(party)


async def test_a_device_that_was_removed_does_not_open_again(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann") as ann:
            key, gone = await ann.recovery_key(), ann.device_id
        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            await laptop.remove_device(gone)
        with pytest.raises(NotAllowed, match="This device was removed"):
            async with party.device("ann"):
                pass


async def test_beginning_anew_tells_the_other_devices(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        with pytest.raises(NotAllowed, match="This device was removed"):
            async with party.device("ann"), party.device("ann", "laptop", replace=True):
                await anyio.sleep_forever()


async def test_a_store_of_another_server_is_refused(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann"):
        pass
    async with Party.opened(tmp_path) as other:
        with pytest.raises(Conflict, match="another user or server"):
            async with other.device("ann"):
                pass


async def add_keyless(session: hubbub.Session, device: str) -> UserKey:
    """Add a device as one that crashes before it publishes keys."""
    account, user_key = vodozemac.Account(), UserKey()
    keys = DeviceKeys(
        session.user.id,
        device,
        session.journal_id,
        account.ed25519_key.to_base64(),
        account.curve25519_key.to_base64(),
    )
    signed = user_key.signed_device(keys, account)
    await session.keys.add_device(device, "Phone", signed, user_key.public)
    return user_key


async def test_a_device_without_keys_keeps_nobody_from_sending(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
        party.hub.session("eve") as eve,
    ):
        room = await room_of(ann, bob)
        await eve.chat.join(room)
        await add_keyless(eve, "broken")
        for number in range(CLAIMS_MAX + 3):
            # Each time the members are others, and the keys are handed out anew.
            await eve.chat.leave(room)
            await eve.chat.join(room)
            await ann.chat.send(room, f"secret {number}")

        read = [message.text for message in await bob.chat.history(room)]
        assert read == [f"secret {number}" for number in range(CLAIMS_MAX + 3)]


async def test_a_device_that_publishes_its_first_keys_is_handed_all_that_comes(
    tmp_path: Path,
) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await room_of(ann)
        async with party.hub.session("bob") as bob:
            await bob.chat.join(room)
        path = party.store("bob")
        await to_thread.run_sync(make_quick, path)
        fault = Fault()
        async with party.hub.session("bob") as session:
            # The program ends when the device is added, and before it has any keys.
            faulty = cast(hubbub.Session, FaultySession(session, fault))
            for left in range(20):
                fault.left = left
                try:
                    async with encrypted(faulty, store=path, passphrase=PASSPHRASE):
                        fault.left = None
                except Crash:
                    await ann.chat.send(room, f"after {left} steps")
                    continue
                break
        sent = await ann.chat.send(room, "now")
        async with party.device("bob") as device:
            [*_, last] = await device.chat.history(room)

            assert left > 5
            assert (last.seq, last.text) == (sent.seq, "now")


def signed_by_nobody(found: dict[str, OneTimeKey]) -> dict[str, OneTimeKey]:
    """Change the key of each device of Eve's."""
    return {
        name: OneTimeKey(one.id, SignedKey("A" * 43, one.key.signature), one.fallback)
        if name.startswith("eve/")
        else one
        for name, one in found.items()
    }


async def test_a_device_whose_keys_are_not_its_own_keeps_nobody_from_sending(
    tmp_path: Path,
) -> None:
    async with (
        Party.opened(tmp_path) as party,
        reading(party, "ann", keys={"claim": signed_by_nobody}) as ann,
        party.device("bob") as bob,
        party.device("eve") as eve,
    ):
        room = await room_of(ann, bob)
        for number in range(CLAIMS_MAX + 3):
            await eve.chat.join(room)
            await ann.chat.send(room, f"secret {number}")
            await eve.chat.leave(room)

        read = [message.text for message in await bob.chat.history(room)]
        assert read == [f"secret {number}" for number in range(CLAIMS_MAX + 3)]


async def test_a_device_that_has_keys_at_last_reads_from_then_on(tmp_path: Path) -> None:
    hidden = [True]
    clock = SetClock()

    def none_of_bob(found: dict[str, OneTimeKey]) -> dict[str, OneTimeKey]:
        return {name: one for name, one in found.items() if not hidden[0]}

    async with Party.opened(tmp_path) as party, party.device("bob") as bob:
        path = party.store("ann")
        async with claiming(party, path, clock, none_of_bob) as ann:
            room = await room_of(ann, bob)
            await ann.chat.send(room, "before")
            hidden[0] = False
            await ann.chat.send(room, "a moment later")
            clock.passed += KEYLESS_SECONDS
            await ann.chat.send(room, "after")

            first, second, third = await bob.chat.history(room)
            assert isinstance(first, UnreadableMessage)
            assert isinstance(second, UnreadableMessage)
            assert third.text == "after"


@asynccontextmanager
async def claiming(
    party: Party, path: Path, clock: SetClock, change: Callable[[Any], Any]
) -> AsyncIterator[EncryptedSession]:
    """Connect Ann, through a server that hands out other keys, with a clock."""
    await to_thread.run_sync(make_quick, path)
    async with party.hub.session("ann") as session:
        there = cast(hubbub.Session, TamperingSession(session, keys={"claim": change}))
        async with encrypted(there, store=path, passphrase=PASSPHRASE, clock=clock) as device:
            yield device


async def test_the_servers_word_for_a_device_is_not_enough(tmp_path: Path) -> None:
    def nothing(found: dict[str, UserKeys]) -> dict[str, UserKeys]:
        return {}

    async with (
        Party.opened(tmp_path) as party,
        reading(party, "ann", keys={"devices": nothing}) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        await ann.chat.send(room, "nobody else reads it")

        [message] = await bob.chat.history(room)
        assert isinstance(message, UnreadableMessage)
        assert [one.text for one in await ann.chat.history(room)] == ["nobody else reads it"]
