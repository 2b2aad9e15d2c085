"""Permissions for encrypting a room, and the links to a user's encrypted rooms."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.chat.rooms.encryption import ALGORITHM, ENCRYPTED_ROOMS_MAX
from hubbub.errors import Conflict
from hubbub.journal.link import Linked, Unlinked


async def test_a_users_encrypted_rooms_are_noted_with_their_keys() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room", encrypted=True)
        await ann.chat.leave(room.id)
        events = await ann.read("keys/ann")

        assert [event.data for event in events] == [Linked(room.stream), Unlinked(room.stream)]


async def test_a_plain_room_is_not() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.chat.create_room("Room")

        assert await ann.read("keys/ann") == []


async def test_a_user_is_in_so_many_encrypted_rooms() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        for number in range(ENCRYPTED_ROOMS_MAX):
            await ann.chat.create_room(f"Room {number}", encrypted=True)

        with pytest.raises(Conflict, match="which is the most"):
            await ann.chat.create_room("One more", encrypted=True)
        await ann.chat.create_room("A plain one")


async def test_a_hub_without_keys_encrypts_no_room() -> None:
    features = [hubbub.USERS, hubbub.CHAT]
    async with hubbub.open("memory://", features=features) as hub, hub.session("ann") as ann:
        with pytest.raises(Conflict, match="no feature 'keys'"):
            await ann.chat.create_room("Room", encrypted=True)


async def test_a_closed_room_is_not_encrypted() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.close_room(room.id)

        with pytest.raises(Conflict, match="closed"):
            await ann.chat.encrypt(room.id)


async def test_the_algorithm_is_named_in_the_room() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room", encrypted=True)

        assert room.encrypted == ALGORITHM
