from __future__ import annotations

from pathlib import Path

import anyio

import hubbub
from hubbub.demo.bots import ROBIN, bot_session
from hubbub.demo.lobby import LOBBY, open_lobby
from tests.demo.demo_hub import Backend, in_demo, on_each_backend, texts_in

# Longer than a key is remembered.
LATER = 8 * 24 * 3600.0


async def rooms_and_texts(hub: hubbub.Hubbub) -> list[list[str]]:
    """Return the texts of all messages, room by room."""
    async with hub.session("ann") as ann:
        rooms = await ann.chat.rooms()
        return [await texts_in(ann, await ann.chat.join(room.id)) for room in rooms]


async def test_the_lobby_is_public_and_says_what_there_is_to_try() -> None:
    async with hubbub.open("memory://") as hub:
        async with bot_session(hub, ROBIN) as robin:
            room = await open_lobby(robin, games=True, shop=False)
        ((*texts,),) = await rooms_and_texts(hub)

    assert room is not None
    assert (room.name, room.private, room.creator) == (LOBBY, False, ROBIN.id)
    assert [text.split()[0] for text in texts] == ["Welcome", "Chat:", "Games:"]


async def test_the_lobby_is_made_once_by_whoever_opens_it() -> None:
    async def open_it() -> None:
        async with bot_session(hub, ROBIN) as robin:
            await open_lobby(robin, games=True, shop=True)

    async with hubbub.open("memory://") as hub:
        async with anyio.create_task_group() as tasks:
            for _ in range(5):
                tasks.start_soon(open_it)
        (texts,) = await rooms_and_texts(hub)

    assert len(texts) == len(set(texts)) == 4


@on_each_backend
def test_neither_the_lobby_nor_the_welcome_is_doubled_after_a_long_time(
    tmp_path: Path, backend: Backend
) -> None:
    seen: list[list[list[str]]] = []

    async def look(hub: hubbub.Hubbub) -> None:
        seen.append(await rooms_and_texts(hub))

    in_demo(backend, look, look, url=str(tmp_path / "hub.db"), pause=LATER)

    first, second = seen
    assert len(first) == len(second) == 1
    assert len(first[0]) == 4
    assert second == first


async def test_a_welcome_that_was_cut_off_is_finished() -> None:
    async with hubbub.open("memory://") as hub:
        async with bot_session(hub, ROBIN) as robin:
            await open_lobby(robin, games=False, shop=False)
            await open_lobby(robin, games=True, shop=True)
        (texts,) = await rooms_and_texts(hub)

    assert len(texts) == len(set(texts)) == 4


async def test_another_room_of_that_name_is_left_alone() -> None:
    async with hubbub.open("memory://") as hub:
        async with hub.session("ann") as ann:
            own = await ann.chat.create_room(LOBBY)
        async with bot_session(hub, ROBIN) as robin:
            room = await open_lobby(robin, games=True, shop=True)

    assert room is not None
    assert room.id != own.id


async def test_a_lobby_that_an_admin_has_closed_stays_closed() -> None:
    async with hubbub.open("memory://") as hub, bot_session(hub, ROBIN) as robin:
        room = await open_lobby(robin, games=True, shop=True)
        assert room is not None
        async with hub.session("root", role="admin") as root:
            await root.chat.close_room(room.id)
        again = await open_lobby(robin, games=True, shop=True)

    assert again is None
