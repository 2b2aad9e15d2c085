"""Opening a hub, using it, leaving it."""

from __future__ import annotations

import subprocess
import sys

import anyio
import pytest

import hubbub
from hubbub import Closed, Invalid, NotAllowed


async def test_a_use_after_leaving_is_refused() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        pass

    with pytest.raises(Closed):
        await ann.chat.create_room("Room")
    with pytest.raises(Closed):
        async with hub.session("bob"):
            pass


async def test_a_use_before_entering_is_refused() -> None:
    hub = hubbub.open("memory://")

    with pytest.raises(Closed):
        async with hub.session("ann"):
            pass


async def test_what_was_accepted_is_finished_when_the_hub_is_left(tmp_path: anyio.Path) -> None:
    path = f"{tmp_path}/hub.db"
    settings = hubbub.Settings(message_limit=1_000)
    async with (
        anyio.create_task_group() as tasks,
        hubbub.open(path, settings=settings) as hub,
        hub.session("ann") as ann,
    ):
        room = await ann.chat.create_room("Room")
        for number in range(100):
            tasks.start_soon(ann.chat.send, room.id, str(number))
        await anyio.lowlevel.checkpoint()
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        history = await ann.chat.history(room.id, limit=500)

    assert {message.text for message in history} == {str(number) for number in range(100)}


@pytest.mark.parametrize("url", ["redis://here", "http://there"])
async def test_an_unknown_store_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="memory://"):
        async with hubbub.open(url):
            pass


@pytest.mark.parametrize("user_id", ["", "a/b", "x" * 101, "a\nb", 7, None])
async def test_a_bad_user_id_is_refused(user_id: str) -> None:
    async with hubbub.open("memory://") as hub:
        with pytest.raises(Invalid):
            async with hub.session(user_id):
                pass

        assert hub.presence.online() == []


async def test_a_role_is_one_of_three() -> None:
    async with hubbub.open("memory://") as hub:
        with pytest.raises(Invalid, match="admin"):
            async with hub.session("ann", role="king"):
                pass


async def test_a_moderator_of_everything_moderates_every_room() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        sent = await ann.chat.send(room.id, "hello")
        async with hub.session("mod", role="moderator") as mod, hub.session("bob") as bob:
            await mod.chat.join(room.id)
            await bob.chat.join(room.id)
            deleted = await mod.chat.delete(room.id, sent.seq)
            with pytest.raises(NotAllowed):
                await bob.chat.delete(room.id, sent.seq)

    assert deleted.deleted


async def test_an_exception_in_the_body_comes_out_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError):
        async with hubbub.open("memory://"):
            raise ZeroDivisionError


async def test_a_nickname_has_a_limit_of_characters() -> None:
    async with hubbub.open("memory://", settings=hubbub.Settings(name_chars_max=5)) as hub:
        with pytest.raises(Invalid, match="5"):
            async with hub.session("ann", nickname="x" * 6):
                pass


async def test_a_text_has_a_limit_of_characters() -> None:
    settings = hubbub.Settings(text_chars_max=5)
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "x" * 5)
        with pytest.raises(Invalid, match="5"):
            await ann.chat.send(room.id, "x" * 6)


def test_importing_the_library_imports_no_server_and_no_client() -> None:
    heavy = "starlette", "uvicorn", "hypercorn", "httpx2", "typer", "rich", "trio", "jwt"
    code = f"import sys, hubbub; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
