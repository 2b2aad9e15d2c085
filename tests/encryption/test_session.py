"""Encrypted sessions: the same methods, and the server sees none of the words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from hubbub import Message
from hubbub.chat.events import Edited, Reacted, Said
from hubbub.encryption import EncryptedSession, Rotation, UnreadableMessage, encrypted
from hubbub.errors import (
    Conflict,
    Encrypted,
    Invalid,
    KeyReused,
    NotAuthor,
    NotFound,
    OtherDevices,
    StoreTooOld,
    Untrusted,
)
from tests.encryption.kit import PASSPHRASE, Party


def texts(messages: Sequence[Message]) -> list[str]:
    return [message.text for message in messages]


async def room_of_two(ann: EncryptedSession, bob: EncryptedSession) -> str:
    room = await ann.chat.create_room("Secrets", encrypted=True)
    await bob.chat.join(room.id)
    return str(room.id)


async def test_a_member_reads_what_another_has_encrypted(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        await ann.chat.send(room, "the first secret")

        assert texts(await bob.chat.history(room)) == ["the first secret"]


async def test_the_server_has_no_text(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann") as ann, party.device("bob") as bob:
            room = await room_of_two(ann, bob)
            await ann.chat.send(room, "the first secret")
        async with party.hub.session("bob") as plain:
            [message] = await plain.chat.history(room)

            assert message.text == ""
            assert message.sealed is not None
            assert "secret" not in message.sealed.body


async def test_edits_and_reactions_are_encrypted_too(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        sent = await ann.chat.send(room, "teh secret")
        await ann.chat.edit(room, sent.seq, "the secret")
        await bob.chat.react(room, sent.seq, "👍")

        [message] = await ann.chat.history(room)
        assert message.text == "the secret"
        assert message.reactions == {"👍": ["bob"]}
        [kept] = await ann.read(f"room/{room}", after=sent.seq, limit=1)
        assert kept.data == Edited("the secret")


async def test_a_follower_gets_words(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        async with bob.follow(f"room/{room}") as events:
            sent = await ann.chat.send(room, "the first secret")
            await ann.chat.react(room, sent.seq, "👍")
            first, second = [await anext(events) for _ in range(2)]

        assert first.data == Said("the first secret")
        assert second.data == Reacted("👍")


async def test_a_direct_conversation_begins_encrypted(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        sent = await ann.chat.send_direct("bob", "for you alone")
        await bob.chat.send_direct("ann", "and for you")

        found = texts(await bob.chat.history(sent.stream))
        assert found == ["for you alone", "and for you"]


async def test_a_newcomer_reads_from_now_on(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
        party.device("cid") as cid,
    ):
        room = await room_of_two(ann, bob)
        await ann.chat.send(room, "before")
        await cid.chat.join(room)
        await ann.chat.send(room, "after")

        before, after = await cid.chat.history(room)
        assert isinstance(before, UnreadableMessage)
        assert before.reason == "no_key"
        assert after.text == "after"


async def test_a_user_who_was_kicked_reads_nothing_more(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        await ann.chat.send(room, "before")
        await bob.chat.history(room)
        await ann.chat.kick(room, "bob")
        sent = await ann.chat.send(room, "after")
        [event] = await ann.read(f"room/{room}", after=sent.seq - 1, limit=1)
        assert event.data == Said("after")
        await ann.chat.invite(room, "bob")
        await bob.chat.join(room)

        _, after = await bob.chat.history(room)
        assert isinstance(after, UnreadableMessage)


async def test_both_devices_of_a_user_read(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        recovery = await bob.recovery_key()
        async with party.device("bob", "laptop", recovery_key=recovery) as laptop:
            await ann.chat.send(room, "to both")

            assert texts(await bob.chat.history(room)) == ["to both"]
            assert texts(await laptop.chat.history(room)) == ["to both"]


async def test_a_new_store_is_restored_by_the_recovery_key(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of_two(ann, bob)
            await ann.chat.send(room, "before")
            await bob.chat.history(room)
            recovery = await bob.recovery_key()
        party.store("bob").unlink()
        async with party.device("bob", recovery_key=recovery) as again:
            await ann.chat.send(room, "after")

            assert texts(await again.chat.history(room)) == ["before", "after"]


async def test_a_second_device_needs_the_recovery_key(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann"):
        with pytest.raises(OtherDevices, match="recovery key"):
            async with party.device("ann", "laptop"):
                pass


async def test_whoever_begins_anew_is_not_trusted_until_accepted(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of_two(ann, bob)
            await ann.chat.send(room, "before")
        party.store("bob").unlink()
        async with party.device("bob", replace=True) as again:
            with pytest.raises(Untrusted, match="has changed"):
                await ann.chat.send(room, "after")
            await ann.accept("bob")
            await ann.chat.send(room, "after")

            assert texts(await again.chat.history(room))[-1] == "after"


async def test_with_trust_in_verified_users_nothing_is_sent_to_others(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", trust="verified") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)

        with pytest.raises(Untrusted, match="not verified"):
            await ann.chat.send(room, "a secret")


async def test_the_same_store_reads_on_after_a_restart(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob") as bob:
            room = await room_of_two(ann, bob)
            await ann.chat.send(room, "before")
            await bob.chat.history(room)
        await ann.chat.send(room, "meanwhile")
        async with party.device("bob") as bob:
            assert texts(await bob.chat.history(room)) == ["before", "meanwhile"]


async def test_an_older_copy_of_a_store_is_found_out(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann"):
            pass
        copy = party.store("ann").read_bytes()
        async with party.device("ann"):
            pass
        party.store("ann").write_bytes(copy)

        with pytest.raises(StoreTooOld):
            async with party.device("ann"):
                pass


async def test_a_store_in_use_is_refused(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann"):
        with pytest.raises(Conflict, match="open in another program"):
            async with party.device("ann"):
                pass


async def test_a_wrong_passphrase_is_refused(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann"):
            pass
        async with party.hub.session("ann") as session:
            with pytest.raises(Invalid, match="passphrase"):
                async with encrypted(session, store=party.store("ann"), passphrase="other"):
                    pass


async def test_a_store_of_another_user_is_refused(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann"):
            pass
        async with party.hub.session("bob") as session:
            with pytest.raises(Conflict, match="another user"):
                async with encrypted(session, store=party.store("ann"), passphrase=PASSPHRASE):
                    pass


async def test_a_plain_message_in_an_encrypted_room_is_refused(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.hub.session("ann") as plain,
    ):
        room = await ann.chat.create_room("Secrets", encrypted=True)

        with pytest.raises(Encrypted):
            await plain.chat.send(room.id, "in the clear")


async def test_a_key_that_is_used_again_returns_the_first_message(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await ann.chat.create_room("Secrets", encrypted=True)
        first = await ann.chat.send(room.id, "once", key="k")

        assert await ann.chat.send(room.id, "once", key="k") == first
        with pytest.raises(KeyReused):
            await ann.chat.send(room.id, "otherwise", key="k")


async def test_only_the_author_edits(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        sent = await ann.chat.send(room, "a secret")

        with pytest.raises(NotAuthor):
            await bob.chat.edit(room, sent.seq, "another")


async def test_a_deleted_message_is_forgotten_by_the_store(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        sent = await ann.chat.send(room, "a secret")
        await bob.chat.history(room)
        await ann.chat.delete(room, sent.seq)
        [message] = await bob.chat.history(room)

        assert message.deleted
        assert message.text == ""
        assert await bob.chat.search(room, "secret") == []


async def test_search_finds_words_on_the_device(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        for text in ("apples", "pears", "green apples"):
            await ann.chat.send(room, text)

        assert texts(await bob.chat.search(room, "apple")) == ["green apples", "apples"]


async def test_what_was_said_before_the_encryption_is_still_read(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "in the clear")
        await ann.chat.encrypt(room.id)
        await ann.chat.send(room.id, "sealed")

        assert texts(await ann.chat.history(room.id)) == ["in the clear", "sealed"]
        assert texts(await ann.chat.history(room.id, after=0, limit=1)) == ["in the clear"]
        assert texts(await ann.chat.history(room.id, limit=1)) == ["sealed"]


async def test_keys_that_are_not_kept_cannot_be_backed_up(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        async with party.device("bob", keep_keys=False) as bob:
            room = await room_of_two(ann, bob)
            await ann.chat.send(room, "read once")
            assert texts(await bob.chat.history(room)) == ["read once"]
            recovery = await bob.recovery_key()
        party.store("bob").unlink()
        async with party.device("bob", recovery_key=recovery) as again:
            [message] = await again.chat.history(room)

            assert isinstance(message, UnreadableMessage)


async def test_a_session_is_replaced_after_some_messages(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party:
        often = Rotation(messages=2)
        async with party.device("ann", rotation=often) as ann, party.device("bob") as bob:
            room = await room_of_two(ann, bob)
            for number in range(5):
                await ann.chat.send(room, f"message {number}")
            found = await party_sessions(party, room)

            assert len(found) == 3
            assert len(texts(await bob.chat.history(room))) == 5


async def party_sessions(party: Party, room: str) -> set[str]:
    async with party.hub.session("ann") as plain:
        history = await plain.chat.history(room)
    return {message.sealed.session for message in history if message.sealed is not None}


async def test_many_messages_at_once_are_all_read(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of_two(ann, bob)
        async with anyio.create_task_group() as tasks:
            for number in range(20):
                tasks.start_soon(ann.chat.send, room, f"message {number}")

        found = texts(await bob.chat.history(room))
        assert sorted(found) == sorted(f"message {number}" for number in range(20))


async def test_there_is_no_backup_to_restore(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        with pytest.raises(NotFound, match="no backup"):
            await ann.restore("a" * 52)


async def test_a_wrong_recovery_key_is_refused(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        await ann.recovery_key()

        with pytest.raises(Invalid, match="recovery key is wrong"):
            await ann.restore("a" * 52)
