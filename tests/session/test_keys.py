"""The devices of users: public keys are handed out, and nobody reads what is not theirs."""

from __future__ import annotations

import pytest

from hubbub import Session
from hubbub.errors import (
    Conflict,
    Invalid,
    NotAllowed,
    NotFound,
    RateLimited,
    StoreTooOld,
)
from hubbub.keys.checks import (
    CALL_CHARS_MAX,
    CLAIM_DEVICES_MAX,
    DEVICES_MAX,
    KEY_ID_DIGITS_MAX,
    ONE_TIME_KEYS_MAX,
    USERS_MAX,
)
from hubbub.keys.device import Device, SealedBody
from hubbub.keys.events import DeviceKeys, SealedKey, SignedDevice, SignedKey
from hubbub.keys.feature import CLAIMS_MAX, DELIVERIES_MAX
from hubbub.keys.service import ENTRIES_MAX
from tests.session.worlds import OpenWorld

KEY = "A" * 43
OTHER_KEY = "B" * 43
SIGNATURE = "C" * 86
SIGNED_KEY = SignedKey(KEY, SIGNATURE)


def signed(session: Session, device: str = "phone", **changed: str) -> SignedDevice:
    known = {
        "user": session.user.id,
        "device": device,
        "journal": session.journal_id,
        "ed25519": KEY,
        "curve25519": KEY,
    }
    return SignedDevice(DeviceKeys(**{**known, **changed}), SIGNATURE, SIGNATURE)


async def add_device(session: Session, device: str = "phone") -> Device:
    return await session.keys.add_device(device, "Phone", signed(session, device), KEY)


async def publish(session: Session, count: int, first: int = 0) -> int:
    keys = {str(first + number): SIGNED_KEY for number in range(count)}
    return await session.keys.publish("phone", keys)


async def in_one_room(*sessions: Session) -> str:
    first, *others = sessions
    room = await first.chat.create_room("Secrets", encrypted=True)
    for session in others:
        await session.chat.join(room.id)
    return room.id


async def test_others_see_the_devices_of_a_user(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        added = await add_device(ann)
        found = await bob.keys.devices([ann.user.id, bob.user.id])

        assert found.keys() == {ann.user.id}
        assert found[ann.user.id].user_key == KEY
        assert found[ann.user.id].devices == {"phone": added.signed}


async def test_to_add_a_device_twice_is_to_add_it_once(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        assert await add_device(ann) == await add_device(ann)


async def test_a_device_id_is_used_once(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)

        with pytest.raises(Conflict, match="is taken"):
            await ann.keys.add_device("phone", "Other", signed(ann, ed25519=OTHER_KEY), KEY)


async def test_a_user_has_only_so_many_devices(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        for number in range(DEVICES_MAX):
            await add_device(ann, f"device-{number}")

        with pytest.raises(Conflict, match="remove one"):
            await add_device(ann, "one-more")


async def test_another_user_key_must_be_meant(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        laptop = signed(ann, "laptop")

        with pytest.raises(Conflict, match="replace=True"):
            await ann.keys.add_device("laptop", "Laptop", laptop, OTHER_KEY)
        await ann.keys.add_device("laptop", "Laptop", laptop, OTHER_KEY, replace=True)
        found = await ann.keys.devices([ann.user.id])
        assert found[ann.user.id].devices.keys() == {"laptop"}


@pytest.mark.parametrize("field", ["user", "device", "journal", "ed25519", "curve25519"])
async def test_keys_that_name_something_else_are_refused(world: OpenWorld, field: str) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(Invalid):
            await ann.keys.add_device("phone", "Phone", signed(ann, **{field: "other"}), KEY)


async def test_a_one_time_key_is_handed_out_once(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await publish(ann, 3)
        name = f"{ann.user.id}/phone"
        claimed = [await bob.keys.claim([name]) for _ in range(4)]

        assert [found[name].id for found in claimed[:3]] == ["0", "1", "2"]
        assert claimed[3] == {}


async def test_a_claim_with_its_key_hands_out_the_same(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await publish(ann, 2)
        name = f"{ann.user.id}/phone"

        first = await bob.keys.claim([name], key="claim")
        assert await bob.keys.claim([name], key="claim") == first


async def test_the_fallback_key_is_handed_out_when_there_is_no_other(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await ann.keys.publish("phone", {}, ("7", SIGNED_KEY))
        name = f"{ann.user.id}/phone"
        first, second = [(await bob.keys.claim([name]))[name] for _ in range(2)]

        assert first == second
        assert first.fallback


async def test_a_stranger_takes_no_keys(world: OpenWorld) -> None:
    async with world() as here:
        ann, eve = await here.session("Ann"), await here.session("Eve")
        await in_one_room(ann)
        await add_device(ann)
        await publish(ann, 1)

        with pytest.raises(NotAllowed, match="no encrypted room"):
            await eve.keys.claim([f"{ann.user.id}/phone"])


async def test_a_user_who_was_kicked_takes_no_keys(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await in_one_room(ann, bob)
        await add_device(ann)
        await ann.chat.kick(room, bob.user.id)

        with pytest.raises(NotAllowed):
            await bob.keys.claim([f"{ann.user.id}/phone"])


async def test_nobody_empties_the_stock_of_a_device(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await publish(ann, 20)
        for _ in range(CLAIMS_MAX):
            await bob.keys.claim([f"{ann.user.id}/phone"])

        assert await bob.keys.claim([f"{ann.user.id}/phone"]) == {}
        assert await ann.keys.publish("phone", {}) == 20 - CLAIMS_MAX


async def test_a_key_id_is_not_used_again(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await publish(ann, 2)
        await bob.keys.claim([f"{ann.user.id}/phone"])

        with pytest.raises(Conflict, match="was used before"):
            await publish(ann, 1)
        with pytest.raises(Conflict, match="was used before"):
            await ann.keys.publish("phone", {"1": SignedKey(OTHER_KEY, SIGNATURE)})
        assert await publish(ann, 1, first=1) == 1


async def test_a_device_has_only_so_many_keys_in_stock(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        await publish(ann, ONE_TIME_KEYS_MAX)

        with pytest.raises(Conflict, match="in stock"):
            await publish(ann, 1, first=1_000)


async def test_a_device_gets_what_was_sent_to_it(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await add_device(bob)
        name = f"{ann.user.id}/phone"
        await bob.keys.deliver("phone", {name: SealedBody(0, "aGVsbG8")}, key="once")
        await bob.keys.deliver("phone", {name: SealedBody(0, "aGVsbG8")}, key="once")
        [event] = await ann.read(f"device/{name}")

        assert event.by == bob.user.id
        assert event.data == SealedKey("phone", KEY, 0, "aGVsbG8")


async def test_nobody_else_reads_what_was_sent_to_a_device(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await add_device(ann)

        for stream in ("keys/{}", "device/{}/phone", "backup/{}"):
            with pytest.raises(NotAllowed):
                await bob.read(stream.format(ann.user.id))


async def test_a_device_that_is_gone_is_passed_over(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await add_device(bob)
        await ann.keys.remove_device("phone")
        await bob.keys.deliver("phone", {f"{ann.user.id}/phone": SealedBody(0, "aGVsbG8")})

        assert await ann.read(f"device/{ann.user.id}/phone") == []


async def test_nothing_is_sent_from_a_device_that_is_not_there(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)

        with pytest.raises(NotFound, match="no device"):
            await bob.keys.deliver("phone", {f"{ann.user.id}/phone": SealedBody(0, "aGVsbG8")})


async def test_a_call_with_too_much_ciphertext_is_refused(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        part = SealedBody(0, "A" * (CALL_CHARS_MAX // 4))
        sealed = {f"{ann.user.id}/device-{number}": part for number in range(5)}

        with pytest.raises(Invalid, match="split it"):
            await ann.keys.deliver("phone", sealed)


async def test_a_store_opens_once_for_each_time(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        await ann.keys.open("phone", 1)
        await ann.keys.open("phone", 2, key="second")
        await ann.keys.open("phone", 2, key="second")

        with pytest.raises(StoreTooOld, match="older copy"):
            await ann.keys.open("phone", 2)


async def test_what_was_received_never_goes_back(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        await in_one_room(ann, bob)
        await add_device(ann)
        await add_device(bob)
        name = f"{ann.user.id}/phone"
        for _ in range(2):
            await bob.keys.deliver("phone", {name: SealedBody(1, "aGVsbG8")})
        await ann.keys.received("phone", 2)
        await ann.keys.received("phone", 1)

        assert len(await ann.read(f"device/{name}")) == 3
        with pytest.raises(NotFound):
            await ann.keys.received("phone", 9)


async def test_a_backup_takes_entries_of_its_own_version(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await ann.keys.begin_backup("one", "c2FsdA", "Y2hlY2s")
        await ann.keys.back_up("one", {"session": "c2VhbGVk"})

        with pytest.raises(Conflict, match="Another backup stands"):
            await ann.keys.back_up("two", {"session": "c2VhbGVk"})
        with pytest.raises(Conflict, match="already"):
            await ann.keys.begin_backup("one", "c2FsdA", "Y2hlY2s")
        assert len(await ann.read(f"backup/{ann.user.id}")) == 2


async def test_lists_have_limits(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")

        with pytest.raises(Invalid):
            await ann.keys.devices(["ann"] * (USERS_MAX + 1))
        with pytest.raises(Invalid):
            await ann.keys.claim([f"ann/{number}" for number in range(CLAIM_DEVICES_MAX + 1)])


@pytest.mark.parametrize(
    ("key_id", "key"),
    [("x", SIGNED_KEY), ("01", SIGNED_KEY), ("1", SignedKey("short", SIGNATURE))],
)
async def test_a_key_of_another_form_is_refused(
    world: OpenWorld, key_id: str, key: SignedKey
) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)

        with pytest.raises(Invalid):
            await ann.keys.publish("phone", {key_id: key})


async def test_a_user_writes_to_devices_only_so_often(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        await add_device(ann, "laptop")
        sealed = {f"{ann.user.id}/laptop": SealedBody(1, "aGVsbG8")}
        for _ in range(DELIVERIES_MAX):
            await ann.keys.deliver("phone", sealed)

        with pytest.raises(RateLimited, match="messages to devices"):
            await ann.keys.deliver("phone", sealed)


async def test_the_number_of_a_key_has_only_so_many_digits(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)

        assert await ann.keys.publish("phone", {"9" * KEY_ID_DIGITS_MAX: SIGNED_KEY}) == 1
        with pytest.raises(Invalid):
            await ann.keys.publish("phone", {"1" + "0" * KEY_ID_DIGITS_MAX: SIGNED_KEY})


async def test_one_call_backs_only_so_many_entries_up(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await ann.keys.begin_backup("one", "c2FsdA", "Y2hlY2s")
        entries = {f"session{number}": "c2VhbGVk" for number in range(ENTRIES_MAX + 1)}

        with pytest.raises(Invalid, match="entries"):
            await ann.keys.back_up("one", entries)
        entries.popitem()
        await ann.keys.back_up("one", entries)
