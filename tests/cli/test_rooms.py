"""Rooms are found by what somebody calls them."""

from __future__ import annotations

import anyio
import pytest

from hubbub import Invalid, NotFound, Session
from hubbub.cli.rooms import PAGE, all_rooms, open_room
from tests.cli.paper import opened


async def test_a_room_is_made_if_there_is_none_of_its_name() -> None:
    async with opened() as (_, ann, _bob):
        room = await open_room(ann, "Lobby")

    assert (room.name, room.members) == ("Lobby", ["ann"])


async def test_a_name_leads_into_the_room_that_is_there() -> None:
    async with opened() as (_, ann, bob):
        made = await open_room(ann, "Lobby")
        found = await open_room(bob, "Lobby")

    assert found.id == made.id
    assert found.members == ["ann", "bob"]


async def test_an_id_leads_into_a_room() -> None:
    async with opened() as (_, ann, bob):
        made = await open_room(ann, "Lobby")

        assert (await open_room(bob, made.id)).id == made.id


async def test_an_id_that_is_not_there_makes_no_room() -> None:
    async with opened() as (_, ann, bob):
        made = await open_room(ann, "Lobby")
        with pytest.raises(NotFound):
            await open_room(bob, made.id[:-1] + ("0" if made.id[-1] != "0" else "1"))

        assert len(await all_rooms(bob)) == 1


async def test_of_several_of_one_name_it_is_the_oldest() -> None:
    async with opened() as (_, ann, bob):
        first = await ann.chat.create_room("Lobby")
        await ann.chat.create_room("Lobby")

        assert (await open_room(bob, "Lobby")).id == first.id


async def test_a_name_in_other_case_leads_into_the_room_if_none_has_it_as_it_is() -> None:
    async with opened() as (_, ann, bob):
        made = await open_room(ann, "Lobby")
        found = await open_room(bob, "lobby")
        own = await ann.chat.create_room("LOBBY")
        exact = await open_room(bob, "LOBBY")

    assert found.id == made.id
    assert exact.id == own.id


async def test_two_who_come_at_once_meet_though_there_was_no_room() -> None:
    rooms: dict[str, str] = {}

    async def come(session: Session) -> None:
        rooms[session.user.id] = (await open_room(session, "Lobby")).id

    async with opened() as (_, ann, bob), anyio.create_task_group() as tasks:
        tasks.start_soon(come, ann)
        tasks.start_soon(come, bob)

    assert rooms["ann"] == rooms["bob"]


async def test_all_rooms_are_more_than_a_page() -> None:
    async with opened() as (_, ann, _bob):
        made = [await ann.chat.create_room(f"Room {number}") for number in range(PAGE + 5)]
        found = await all_rooms(ann)

    assert [room.id for room in found] == [room.id for room in made]


async def test_a_bad_name_is_refused() -> None:
    async with opened() as (_, ann, _bob):
        with pytest.raises(Invalid):
            await open_room(ann, "two\nlines")
