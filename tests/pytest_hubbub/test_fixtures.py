"""The fixtures, in tests of this suite and in a stranger's project under each plugin."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

import anyio
import pytest
from anyio.abc import TaskGroup

import hubbub
from hubbub.testing import ManualClock, Sessions, VirtualClock
from tests.pytest_hubbub.project import run_project


async def test_users_meet_in_the_hub(hub: hubbub.Hubbub, session: Sessions) -> None:
    ann = await session("ann")
    await session("bob", role="moderator", nickname="Bobby")

    online = await ann.users.online()

    assert [user.nickname for user in online] == ["ann", "Bobby"]
    async with hub.session("cho") as cho:
        assert len(await cho.users.online()) == 3


async def test_the_hub_has_the_clock_of_the_test(
    hub: hubbub.Hubbub, session: Sessions, clock: ManualClock
) -> None:
    ann = await session("ann")
    room = await ann.chat.create_room("Lobby")
    await clock.advance(60)
    message = await ann.chat.send(room.id, "hello")

    assert message.at - room.created_at == timedelta(seconds=60)
    assert hub.settings.clock is clock


async def test_a_task_in_the_background_ends_with_the_test(tasks: TaskGroup) -> None:
    assert isinstance(tasks, TaskGroup)
    tasks.start_soon(anyio.sleep_forever)


@pytest.mark.simulated(seeds=2)
async def test_in_a_simulation_the_clock_is_that_of_the_event_loop(
    session: Sessions, clock: VirtualClock, tasks: TaskGroup
) -> None:
    ann, begun = await session("ann"), clock.now()
    tasks.start_soon(anyio.sleep_forever)
    await clock.advance(3600)
    room = await ann.chat.create_room("Lobby")

    assert room.created_at - begun >= timedelta(hours=1)


class TestWithSettings:
    """Tests whose hub has settings of their own."""

    @pytest.fixture
    def hub_settings(self, clock: ManualClock) -> hubbub.Settings:
        return hubbub.Settings(clock=clock, message_limit=1)

    async def test_the_limit_is_theirs(self, session: Sessions, clock: ManualClock) -> None:
        ann = await session("ann")
        room = await ann.chat.create_room("Lobby")
        await ann.chat.send(room.id, "one")
        with pytest.raises(hubbub.RateLimited):
            await ann.chat.send(room.id, "two")
        await clock.advance(60)

        await ann.chat.send(room.id, "two")


STRICT = """
import anyio
import pytest
import pytest_asyncio
import sniffio


@pytest.fixture
def room_name(hub):
    return "Lobby"


@pytest.fixture(scope="module")
def anyio_backend():
    return "trio"


@pytest.fixture(scope="module")
async def of_the_module(anyio_backend):
    yield "wide"


async def chats(session, name, library):
    assert sniffio.current_async_library() == library
    ann = await session("ann")
    await ann.chat.create_room(name)


@pytest.mark.asyncio
async def test_of_pytest_asyncio(hub, session, clock, tasks, room_name):
    await chats(session, room_name, "asyncio")


@pytest.mark.asyncio
@pytest.mark.simulated(seeds=2)
async def test_simulated_of_pytest_asyncio(hub, session, clock, tasks, room_name):
    await chats(session, room_name, "asyncio")


@pytest_asyncio.fixture
async def theirs(hub):
    async with hub.session("ann") as ann:
        yield ann


@pytest.mark.asyncio
async def test_fixture_of_pytest_asyncio_with_a_session(theirs):
    assert [user.id for user in await theirs.users.online()] == ["ann"]


@pytest.mark.anyio
async def test_of_anyio(hub, session, clock, tasks, room_name, of_the_module):
    await chats(session, room_name, "trio")
    assert of_the_module == "wide"


@pytest.mark.anyio
@pytest.mark.simulated(seeds=2)
async def test_simulated_of_anyio(hub, session, clock, tasks, room_name, of_the_module):
    await chats(session, room_name, "trio")
    assert of_the_module == "wide"


@pytest.mark.simulated(seeds=2)
async def test_simulated_of_nobody(hub, session, clock, tasks, room_name):
    await chats(session, room_name, "asyncio")


@pytest.mark.simulated(seeds=2, backend="trio")
async def test_simulated_on_trio(hub, session, clock, tasks, room_name):
    await chats(session, room_name, "trio")


async def crash():
    raise ValueError("crashed")


@pytest.mark.anyio
async def test_a_crash(tasks):
    tasks.start_soon(crash)
    await anyio.sleep(60)


@pytest.mark.anyio
async def test_a_crash_in_the_hub(hub):
    hub._tasks.start_soon(crash)
    await anyio.sleep(60)


@pytest.mark.asyncio
@pytest.mark.simulated(seeds=2)
async def test_a_crash_in_a_simulated_hub(hub):
    hub._tasks.start_soon(crash)
    await anyio.sleep(60)
"""

PYTEST_TRIO = """
import pytest
import trio


@pytest.fixture
async def room(session, nursery):
    nursery.start_soon(trio.sleep_forever)
    ann = await session("ann")
    yield await ann.chat.create_room("Lobby")


@pytest.mark.trio
async def test_of_pytest_trio(hub, session, clock, tasks, room):
    assert room.members == ["ann"]
    await session("bob")


@pytest.mark.trio
@pytest.mark.simulated(seeds=2)
async def test_simulated(hub, session, clock, tasks):
    assert trio.current_time() < 60
    await trio.sleep(3600)


@pytest.mark.trio
@pytest.mark.simulated(seeds=2)
async def test_with_a_foreign_nursery(nursery):
    pass


@pytest.mark.trio
async def test_a_crash(tasks):
    async def crash():
        raise ValueError("crashed")

    tasks.start_soon(crash)
    await trio.sleep(60)
"""


def test_the_fixtures_need_no_mode_of_a_plugin(tmp_path: Path) -> None:
    run = run_project(tmp_path, STRICT)

    crashes = {name for name in run.outcomes if "crash" in name}
    assert len(crashes) == 3
    assert {name for name, each in run.outcomes.items() if each != "passed"} == crashes, run.text
    assert run.text.count("ValueError: crashed") >= 3
    # Nothing waited for the minute to pass.
    assert float(re.findall(r" in ([0-9.]+)s", run.text)[-1]) < 30


@pytest.mark.skipif(find_spec("pytest_trio") is None, reason="pytest-trio is not installed")
def test_the_fixtures_serve_pytest_trio(tmp_path: Path) -> None:
    run = run_project(tmp_path, PYTEST_TRIO, "-p", "trio")

    assert run.outcomes == {
        "test_of_pytest_trio": "passed",
        "test_simulated": "passed",
        "test_with_a_foreign_nursery": "failed",
        "test_a_crash": "failed",
    }, run.text
    assert "ValueError: crashed" in run.text
    assert "the fixture 'tasks' is a task group" in run.text.replace("\n", " ")
