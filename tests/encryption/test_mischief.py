"""Whatever a server makes of what it has, nobody reads anything that was not written so."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from anyio import to_thread

import hubbub
from hubbub import Event
from hubbub.encryption import EncryptedSession, UnreadableMessage, encrypted
from hubbub.encryption.encoding import to_base64
from hubbub.encryption.identity import UserKey
from hubbub.errors import Untrusted
from hubbub.keys.device import OneTimeKey, UserKeys
from hubbub.keys.events import SignedKey
from tests.encryption.kit import PASSPHRASE, Party, make_quick
from tests.encryption.tampering import TamperingSession, changed, sealed_events

Change = Callable[[list[Event]], list[Event]]


@asynccontextmanager
async def reading(
    party: Party,
    user: str,
    events: Change = list,
    keys: dict[str, Callable[[Any], Any]] | None = None,
) -> AsyncIterator[EncryptedSession]:
    """Connect a user through a server that changes things."""
    path = party.store(user)
    await to_thread.run_sync(make_quick, path)
    async with party.hub.session(user, nickname=user) as session:
        there = cast(hubbub.Session, TamperingSession(session, events, keys))
        async with encrypted(there, store=path, passphrase=PASSPHRASE) as device:
            yield device


async def two_messages(ann: EncryptedSession, room: str) -> None:
    await ann.chat.send(room, "the first secret")
    await ann.chat.send(room, "the second secret")


async def what_bob_reads(tmp_path: Path, change: Change) -> list[str]:
    """Return the texts, or the reasons why there are none, when a server changes events."""
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        async with party.device("bob") as bob:
            await bob.chat.join(room)
        await two_messages(ann, room)
        async with reading(party, "bob", change) as bob:
            return [
                message.reason if isinstance(message, UnreadableMessage) else message.text
                for message in await bob.chat.history(room)
            ]


def with_last(events: list[Event], **changes: object) -> list[Event]:
    """Return events of which the last is another."""
    return [*events[:-1], changed(events[-1], **changes)]


async def test_an_honest_server_changes_nothing(tmp_path: Path) -> None:
    read = await what_bob_reads(tmp_path, list)

    assert read == ["the first secret", "the second secret"]


async def test_a_message_that_is_sent_again_is_replayed(tmp_path: Path) -> None:
    read = await what_bob_reads(
        tmp_path, lambda events: [*events, changed(events[-1], seq=events[-1].seq + 1)]
    )

    assert read == ["the first secret", "the second secret", "replayed"]


async def test_a_message_in_the_place_of_another_is_replayed(tmp_path: Path) -> None:
    def twice(events: list[Event]) -> list[Event]:
        first, _ = sealed_events(events)
        return with_last(events, body=first.data.body)  # type: ignore[attr-defined]

    assert await what_bob_reads(tmp_path, twice) == ["the first secret", "replayed"]


@pytest.mark.parametrize("at", [0, 1, 5, 20, 60, 100, -1, -2, -30, -80])
async def test_an_altered_byte_is_noticed(tmp_path: Path, at: int) -> None:
    def altered(events: list[Event]) -> list[Event]:
        body = list(events[-1].data.body)  # type: ignore[attr-defined]
        body[at] = "B" if body[at] != "B" else "C"
        return with_last(events, body="".join(body))

    first, second = await what_bob_reads(tmp_path, altered)

    assert first == "the first secret"
    # The index is a part of what is signed; another one looks like a session not handed over.
    assert second in {"altered", "no_key", "the second secret"} - (
        {"the second secret"} if at != -1 else set()
    )


async def test_a_message_as_somebody_elses_is_forged(tmp_path: Path) -> None:
    read = await what_bob_reads(tmp_path, lambda events: with_last(events, by="bob"))

    assert read == ["the first secret", "forged"]


async def test_a_message_as_of_another_device_is_forged(tmp_path: Path) -> None:
    read = await what_bob_reads(tmp_path, lambda events: with_last(events, device="laptop"))

    assert read == ["the first secret", "forged"]


async def test_a_message_of_an_unknown_session_has_no_key(tmp_path: Path) -> None:
    read = await what_bob_reads(tmp_path, lambda events: with_last(events, session="other"))

    assert read == ["the first secret", "no_key"]


async def test_a_message_whose_text_was_taken_away_is_not_read_as_empty(tmp_path: Path) -> None:
    read = await what_bob_reads(tmp_path, lambda events: with_last(events, body=""))

    assert read == ["the first secret", "altered"]


async def test_a_message_in_another_room_is_readdressed(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        rooms = [(await ann.chat.create_room(name, encrypted=True)).id for name in ("a", "b")]
        async with party.device("bob") as bob:
            for room in rooms:
                await bob.chat.join(room)
        await two_messages(ann, rooms[0])
        await ann.chat.send(rooms[1], "here")
        stolen = sealed_events(await ann._session.read(f"room/{rooms[0]}"))[0]

        def moved(events: list[Event]) -> list[Event]:
            if events[0].stream != f"room/{rooms[1]}":
                return events
            seq = events[-1].seq + 1
            return [*events, changed(stolen, stream=events[0].stream, seq=seq)]

        async with reading(party, "bob", moved) as bob:
            _, message = await bob.chat.history(rooms[1])

            assert isinstance(message, UnreadableMessage)
            assert message.reason == "readdressed"


async def test_an_edit_of_another_message_does_not_count(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann") as ann:
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        async with party.device("bob") as bob:
            await bob.chat.join(room)
        first = await ann.chat.send(room, "yes")
        second = await ann.chat.send(room, "no")
        await ann.chat.edit(room, first.seq, "certainly")

        async with reading(party, "bob", lambda es: with_last(es, ref=second.seq)) as bob:
            texts = [message.text for message in await bob.chat.history(room)]

            assert texts == ["yes", "no"]


async def test_an_edit_by_another_member_does_not_count(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        await bob.chat.join(room)
        sent = await ann.chat.send(room, "mine")
        await bob.chat.history(room)
        await bob.chat._change(room, f"room/{room}", sent.seq, hubbub.chat.events.Edited("yours"))

        [message] = await ann.chat.history(room)
        assert message.text == "mine"


def with_another_device(found: dict[str, UserKeys]) -> dict[str, UserKeys]:
    """Add a device to each user that the user has not signed."""
    for user, keys in found.items():
        [signed, *_] = keys.devices.values()
        own = msgspec.structs.replace(signed.keys, device="spy", user=user)
        keys.devices["spy"] = msgspec.structs.replace(signed, keys=own)
    return found


async def test_a_device_that_its_user_has_not_signed_gets_nothing(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("bob") as bob,
        reading(party, "ann", keys={"devices": with_another_device}) as ann,
    ):
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        await bob.chat.join(room)
        await ann.chat.send(room, "a secret")

        assert "spy" not in await ann.devices("bob")


def with_another_user_key(found: dict[str, UserKeys]) -> dict[str, UserKeys]:
    """Give each user another key."""
    return {
        user: msgspec.structs.replace(keys, user_key=UserKey().public)
        for user, keys in found.items()
    }


async def test_a_user_key_that_the_server_changes_stops_the_sending(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("bob") as bob:
        async with reading(party, "ann") as ann:
            room = (await ann.chat.create_room("Secrets", encrypted=True)).id
            await bob.chat.join(room)
            await ann.chat.send(room, "a secret")
        async with reading(party, "ann", keys={"devices": with_another_user_key}) as ann:
            with pytest.raises(Untrusted):
                await ann.chat.send(room, "another secret")


@pytest.mark.parametrize("key", [to_base64(bytes(32)), "A" * 43, "junk"])
async def test_a_one_time_key_of_the_servers_own_is_not_used(tmp_path: Path, key: str) -> None:
    def swapped(found: dict[str, OneTimeKey]) -> dict[str, OneTimeKey]:
        return {
            name: msgspec.structs.replace(one, key=SignedKey(key, one.key.signature))
            for name, one in found.items()
        }

    async with (
        Party.opened(tmp_path) as party,
        party.device("bob") as bob,
        reading(party, "ann", keys={"claim": swapped}) as ann,
    ):
        room = (await ann.chat.create_room("Secrets", encrypted=True)).id
        await bob.chat.join(room)
        await ann.chat.send(room, "a secret")

        assert await bob.read(f"device/bob/{bob.device_id}") == []
        [message] = await bob.chat.history(room)
        assert isinstance(message, UnreadableMessage)
