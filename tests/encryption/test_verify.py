"""Verification: two users see the same numbers, or learn that somebody is between them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import pytest

from hubbub.encryption import EncryptedSession
from hubbub.encryption.identity import UserKey, canonical
from hubbub.encryption.payloads import (
    VerifyCancel,
    VerifyStart,
)
from hubbub.encryption.verify import (
    ASKED_MAX,
    MESSAGES_MAX,
    VERIFY_SECONDS,
    Verification,
    Verifications,
)
from hubbub.errors import Conflict, Invalid, NotAllowed, NotFound, Untrusted
from hubbub.keys.device import UserKeys
from hubbub.keys.events import SignedDevice
from hubbub.testing import run_in_virtual_time
from tests.encryption.kit import Party
from tests.encryption.test_mischief import reading
from tests.event_loop import Backend

# Of a server that is between two users.
BETWEEN = UserKey()

Side = Callable[[Verification], Awaitable[None]]


async def verify(device: EncryptedSession, user: str, do: Side) -> None:
    async with device.verify(user) as verification:
        await do(verification)


async def match(verification: Verification) -> None:
    await verification.match()


def verified(device: EncryptedSession, user: str) -> bool:
    found = device._trust.of(user)
    return found is not None and found.verified


async def test_both_see_the_same_numbers_and_know_each_other_from_then_on(tmp_path: Path) -> None:
    seen: list[tuple[int, int, int]] = []

    async def compare(verification: Verification) -> None:
        seen.append(verification.numbers)
        await verification.match()

    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", trust="verified") as ann,
        party.device("bob") as bob,
    ):
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        await bob.chat.join(room)
        with pytest.raises(Untrusted):
            await ann.chat.send(room, "a secret")
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify, ann, "bob", compare)
            tasks.start_soon(verify, bob, "ann", compare)

        assert seen[0] == seen[1]
        assert all(1_000 <= number <= 9_191 for number in seen[0])
        assert verified(ann, "bob")
        assert verified(bob, "ann")
        await ann.chat.send(room, "a secret")


@pytest.mark.parametrize("first", ["ann", "bob"])
async def test_it_does_not_matter_who_begins(tmp_path: Path, first: str) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        one, other = (ann, bob) if first == "ann" else (bob, ann)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify, one, other.user.id, match)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(verify, other, one.user.id, match)

        assert verified(ann, "bob")
        assert verified(bob, "ann")


async def in_one_room(*devices: EncryptedSession) -> str:
    first, *others = devices
    room = (await first.chat.create_room("Secrets", encrypted=True)).id
    for device in others:
        await device.chat.join(room)
    return str(room)


async def test_numbers_that_differ_verify_nobody(tmp_path: Path) -> None:
    async def differ(verification: Verification) -> None:
        await verification.mismatch()

    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify, ann, "bob", differ)
            with pytest.raises(NotAllowed, match="the numbers are not the same"):
                await verify(bob, "ann", match)

        assert not verified(ann, "bob")
        assert not verified(bob, "ann")


@pytest.mark.parametrize("ends", ["ann", "bob"])
async def test_a_side_that_ends_early_tells_the_other(tmp_path: Path, ends: str) -> None:
    async def leave(verification: Verification) -> None:
        raise RuntimeError("the window was closed")

    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        one, other = (ann, bob) if ends == "ann" else (bob, ann)

        async def end() -> None:
            with pytest.raises(RuntimeError):
                await verify(one, other.user.id, leave)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(end)
            with pytest.raises(NotAllowed, match="has stopped"):
                await verify(other, one.user.id, match)


async def test_a_start_that_was_given_up_is_not_answered(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify, ann, "bob", match)
            await until(lambda: bool(bob._verifications._asked))
            tasks.cancel_scope.cancel()
        await until(lambda: not bob._verifications._asked)

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(verify, ann, "bob", match)
                tasks.start_soon(verify, bob, "ann", match)
        assert verified(ann, "bob")


async def test_whoever_begins_anew_is_answered_anew(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        known = await ann._device.devices_of(["bob"])
        # Ann's program was killed after it had begun.
        await ann._device.send(dict.fromkeys(known, VerifyStart("an old one")), known)
        await until(lambda: bool(bob._verifications._asked))

        with anyio.fail_after(5):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(verify, bob, "ann", match)
                await anyio.wait_all_tasks_blocked()
                tasks.start_soon(verify, ann, "bob", match)
        assert verified(ann, "bob")
        assert verified(bob, "ann")


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(5):
        while not happened():
            await anyio.lowlevel.checkpoint()


def of_the_servers_own(found: dict[str, UserKeys]) -> dict[str, UserKeys]:
    """Give Bob another user key, which has signed the devices."""
    if "bob" in found:
        devices = {
            name: SignedDevice(one.keys, BETWEEN.sign(canonical(one.keys)), one.by_device)
            for name, one in found["bob"].devices.items()
        }
        found["bob"] = UserKeys(BETWEEN.public, devices)
    return found


async def test_a_user_key_that_the_server_has_put_between_is_found(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        reading(party, "ann", keys={"devices": of_the_servers_own}) as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)

        async def refused() -> None:
            with pytest.raises(NotAllowed, match="another key than the server says"):
                await verify(ann, "bob", match)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refused)
            tasks.start_soon(verify, bob, "ann", match)

        assert not verified(ann, "bob")


async def test_only_other_users_who_have_devices_are_verified(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.hub.session("dan"):
            with pytest.raises(NotFound):
                await verify(ann, "dan", match)
        with pytest.raises(Invalid):
            await verify(ann, "ann", match)


async def test_one_user_is_verified_once_at_a_time(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await in_one_room(ann, bob)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(verify, ann, "bob", match)
            await until(lambda: bool(ann._verifications._open))
            with pytest.raises(Conflict, match="already"):
                await verify(ann, "bob", match)
            tasks.cancel_scope.cancel()


def test_it_ends_if_the_other_side_does_not_answer_in_time(
    tmp_path: Path, backend: Backend
) -> None:
    async def alone() -> float:
        async with (
            Party.opened(tmp_path) as party,
            party.device("ann") as ann,
            party.device("bob") as bob,
        ):
            await in_one_room(ann, bob)
            begun = anyio.current_time()
            with pytest.raises(Conflict, match="two minutes"):
                await verify(ann, "bob", match)
            return anyio.current_time() - begun

    assert VERIFY_SECONDS <= run_in_virtual_time(alone, backend=backend) < VERIFY_SECONDS + 10


def verifications() -> Verifications:
    return Verifications(cast(Any, None), cast(Any, None), cast(Any, None))


async def test_only_so_many_users_who_have_asked_are_remembered() -> None:
    asked = verifications()
    for number in range(ASKED_MAX + 3):
        asked.take((f"user{number}", "phone"), VerifyStart("one"))

    assert list(asked._asked) == [f"user{number}" for number in range(3, ASKED_MAX + 3)]


async def test_a_start_that_was_taken_back_is_forgotten() -> None:
    asked = verifications()
    asked.take(("bob", "phone"), VerifyStart("one"))
    asked.take(("bob", "phone"), VerifyCancel("another", ""))
    assert list(asked._asked) == ["bob"]
    asked.take(("bob", "phone"), VerifyCancel("one", ""))

    assert list(asked._asked) == []


async def test_more_messages_than_any_verification_needs_are_dropped() -> None:
    open_one = verifications()
    send, receive = anyio.create_memory_object_stream[Any](MESSAGES_MAX)
    open_one._open["bob"] = send
    with send, receive:
        for _ in range(MESSAGES_MAX + 5):
            open_one.take(("bob", "phone"), VerifyCancel("one", ""))

        assert receive.statistics().current_buffer_used == MESSAGES_MAX
