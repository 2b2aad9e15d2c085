"""Encrypted rooms: the server takes ciphertext only, for exactly the members and devices of now."""

from __future__ import annotations

import pytest

from hubbub import Room, Session
from hubbub.chat.messages.message import Sealed
from hubbub.chat.messages.sealed import SEALED_CHARS_MAX
from hubbub.errors import (
    Conflict,
    Encrypted,
    Invalid,
    KeyReused,
    NotAllowed,
    NotEncrypted,
    NotFound,
    NotMember,
    RosterChanged,
)
from tests.session.test_keys import KEY, add_device, signed
from tests.session.worlds import OpenWorld

SEALED = ("phone", "session", "c2VhbGVk")


async def encrypted_room(*sessions: Session) -> Room:
    first, *others = sessions
    await add_device(first)
    room = await first.chat.create_room("Secrets", encrypted=True)
    for session in others:
        await add_device(session)
        room = await session.chat.join(room.id)
    return room


async def test_a_room_says_that_it_is_encrypted(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        room = await ann.chat.create_room("Secrets", encrypted=True)
        plain = await ann.chat.create_room("Plain")

        assert room.encrypted == "megolm.1"
        assert plain.encrypted == ""


async def test_a_sealed_message_is_kept_as_it_came(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)
        sent = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)

        assert sent.sealed == Sealed(*SEALED)
        assert await bob.chat.history(room.id) == [sent]
        assert await bob.chat.unread() == {room.id: 1}


@pytest.mark.parametrize("what", ["join", "leave", "kick", "ban", "add_device", "remove_device"])
async def test_each_change_of_the_roster_refuses_what_was_encrypted_before(
    world: OpenWorld, what: str
) -> None:
    async with world() as here:
        ann, bob, cid = [await here.session(name) for name in ("Ann", "Bob", "Cid")]
        room = await encrypted_room(ann, bob)
        match what:
            case "join":
                await cid.chat.join(room.id)
            case "leave":
                await bob.chat.leave(room.id)
            case "kick":
                await ann.chat.kick(room.id, bob.user.id)
            case "ban":
                await ann.chat.ban(room.id, bob.user.id)
            case "add_device":
                await bob.keys.add_device("laptop", "Laptop", signed(bob, "laptop"), KEY)
            case "remove_device":
                await bob.keys.remove_device("phone")

        with pytest.raises(RosterChanged):
            await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)
        now = await ann.chat.join(room.id)
        await ann.chat.send_sealed(room.id, *SEALED, roster=now.roster)


async def test_messages_do_not_change_the_roster(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)
        for _ in range(3):
            await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)

        assert (await bob.chat.join(room.id)).roster == room.roster


async def test_plain_messages_are_refused_in_an_encrypted_room(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)
        sent = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)

        with pytest.raises(Encrypted):
            await ann.chat.send(room.id, "in the clear")
        with pytest.raises(Encrypted):
            await ann.chat.edit(room.id, sent.seq, "in the clear")
        with pytest.raises(Encrypted):
            await ann.chat.react(room.id, sent.seq, "👍")
        with pytest.raises(Encrypted):
            await ann.chat.search(room.id, "clear")


async def test_sealed_messages_are_refused_in_a_plain_room(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        room = await ann.chat.create_room("Plain")

        with pytest.raises(NotEncrypted):
            await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)


async def test_a_room_once_encrypted_stays_so(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "in the clear")
        first = await ann.chat.encrypt(room.id)

        assert await ann.chat.encrypt(room.id) == first
        with pytest.raises(Encrypted):
            await ann.chat.send(room.id, "in the clear")


async def test_only_the_creator_encrypts_a_room(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await ann.chat.create_room("Room")
        await bob.chat.join(room.id)

        with pytest.raises(NotAllowed, match="creator"):
            await bob.chat.encrypt(room.id)


async def test_either_user_encrypts_a_direct_conversation(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        sent = await ann.chat.send_direct(bob.user.id, "in the clear")
        room = await bob.chat.encrypt(sent.stream)

        assert room.encrypted
        with pytest.raises(Encrypted):
            await ann.chat.send_direct(bob.user.id, "in the clear")


async def test_a_direct_conversation_may_begin_encrypted(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        first, second = sorted((ann.user.id, bob.user.id))
        room = await ann.chat.encrypt(f"direct/{first}/{second}")

        assert set(room.members) == {ann.user.id, bob.user.id}
        assert [one.id for one in await bob.chat.directs()] == [room.id]


async def test_a_conversation_of_others_is_not_begun(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob, eve = [await here.session(name) for name in ("Ann", "Bob", "Eve")]
        first, second = sorted((ann.user.id, bob.user.id))

        with pytest.raises(NotFound):
            await eve.chat.encrypt(f"direct/{first}/{second}")
        with pytest.raises(NotFound):
            await ann.chat.encrypt(f"direct/{second}/{first}")


async def test_a_device_of_another_user_sends_nothing(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)

        with pytest.raises(NotAllowed, match="no device"):
            await bob.chat.send_sealed(room.id, "laptop", "session", "c2VhbGVk", roster=room.roster)


async def test_a_stranger_sends_nothing(world: OpenWorld) -> None:
    async with world() as here:
        ann, eve = await here.session("Ann"), await here.session("Eve")
        room = await encrypted_room(ann)
        await add_device(eve)

        with pytest.raises(NotMember):
            await eve.chat.send_sealed(room.id, *SEALED, roster=room.roster)


async def test_a_key_returns_the_first_message_whatever_the_ciphertext(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        room = await encrypted_room(ann)
        first = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster, key="k")
        anew = await ann.chat.send_sealed(
            room.id, "phone", "other", "b3RoZXI", roster=room.roster, key="k"
        )

        assert anew == first
        with pytest.raises(KeyReused):
            await ann.chat.send_sealed(
                room.id, *SEALED, roster=room.roster, reply_to=first.seq, key="k"
            )


async def test_a_change_is_kept_with_its_message(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)
        sent = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)
        await bob.chat.change_sealed(room.id, sent.seq, *SEALED, roster=room.roster)
        [event] = await ann.read(room.stream, after=sent.seq)

        assert (event.type, event.ref, event.by) == ("sealed_change", sent.seq, bob.user.id)


async def test_a_deleted_message_is_no_longer_given_out(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.session("Ann"), await here.session("Bob")
        room = await encrypted_room(ann, bob)
        sent = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)
        await ann.chat.change_sealed(room.id, sent.seq, *SEALED, roster=room.roster)
        await ann.chat.delete(room.id, sent.seq)
        [message] = await bob.chat.history(room.id)

        assert message.deleted
        assert message.sealed == Sealed("phone", "session", "")
        assert "c2VhbGVk" not in str(await bob.read(room.stream))
        with pytest.raises(Conflict, match="deleted"):
            await ann.chat.change_sealed(room.id, sent.seq, *SEALED, roster=room.roster)


async def test_plain_and_sealed_messages_are_one_history(world: OpenWorld) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        await add_device(ann)
        room = await ann.chat.create_room("Room")
        plain = [await ann.chat.send(room.id, f"{number}") for number in range(3)]
        room = await ann.chat.encrypt(room.id)
        sealed = [
            await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster) for _ in range(3)
        ]
        everything = [*plain, *sealed]

        assert await ann.chat.history(room.id) == everything
        assert await ann.chat.history(room.id, limit=4) == everything[2:]
        assert await ann.chat.history(room.id, after=0, limit=4) == everything[:4]
        before = everything[4].seq
        assert await ann.chat.history(room.id, before=before, limit=2) == everything[2:4]


@pytest.mark.parametrize(
    ("device", "session", "body"),
    [
        ("", "session", "body"),
        ("phone", "", "body"),
        ("phone", "session", ""),
        ("phone", "session", "ü"),
        ("phone", "session", "A" * (SEALED_CHARS_MAX + 1)),
        ("p" * 65, "session", "body"),
    ],
)
async def test_a_sealed_message_has_limits(
    world: OpenWorld, device: str, session: str, body: str
) -> None:
    async with world() as here:
        ann = await here.session("Ann")
        room = await encrypted_room(ann)

        with pytest.raises(Invalid):
            await ann.chat.send_sealed(room.id, device, session, body, roster=room.roster)
