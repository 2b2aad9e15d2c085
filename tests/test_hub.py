"""Opening a hub, using it, leaving it."""

from __future__ import annotations

import gc
import logging
import subprocess
import sys
import weakref
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import anyio
import apsw
import pytest

import hubbub
from hubbub import Closed, Invalid, NotAllowed, StorageError
from hubbub.clock import SystemClock
from hubbub.feature_set import stream_bytes_max
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.hub import Hubbub
from hubbub.ids import time_of
from hubbub.journal import containment
from hubbub.journal.command import Command, nothing
from hubbub.journal.event import STREAM_BYTES_MAX
from hubbub.journal.stores.sqlite import SQLiteStore
from hubbub.shop.runtime import Storefront
from hubbub.stores import MemoryStore


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


# Containment


async def fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize(
    "error",
    [
        ZeroDivisionError(),
        OSError(5, "broken"),
        RecursionError(),
        ExceptionGroup("x", [KeyError()]),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_what_the_hub_was_asked_to_run_fails_alone(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    done = anyio.Event()

    async def finish() -> None:
        done.set()

    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        hub.start(fail, error)
        hub.start(finish)
        with anyio.fail_after(5):
            await done.wait()
            await ann.chat.create_room("it goes on")

    failures = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(failures) == 1


Task = Callable[[Hubbub], tuple[Any, str]]


@pytest.mark.parametrize(
    "task",
    [
        lambda hub: (hub.presence, "run"),
        lambda hub: (hub.runtime(MatchSupervisor), "run"),
        lambda hub: (hub.runtime(MatchSupervisor), "_follow"),
        lambda hub: (hub.runtime(MatchSupervisor), "_ring"),
        lambda hub: (hub.runtime(MatchSupervisor).matchmaker, "run"),
        lambda hub: (hub.runtime(Storefront).processor, "run"),
    ],
    ids=["presence", "supervisor", "schedules", "timers", "matchmaking", "payments"],
)
async def test_a_task_of_the_hub_that_fails_starts_again(
    task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(containment, "RESTART_SECONDS_MIN", 0.001)
    failures, again = [0], anyio.Event()
    async with hubbub.open("memory://") as hub:
        thing, name = task(hub)
    kind = type(thing)
    before: Callable[..., Awaitable[None]] = getattr(kind, name)

    async def flaky(*args: Any) -> None:
        if failures[0] < 3:
            failures[0] += 1
            raise ZeroDivisionError
        again.set()
        await before(*args)

    monkeypatch.setattr(kind, name, flaky)
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        with anyio.fail_after(5):
            await again.wait()
            await ann.chat.create_room("it goes on")


@pytest.mark.parametrize("failures", [1, 5])
async def test_a_hub_outlives_a_disk_that_fails_while_its_schedules_are_loaded(
    tmp_path: anyio.Path, monkeypatch: pytest.MonkeyPatch, failures: int
) -> None:
    monkeypatch.setattr(containment, "RESTART_SECONDS_MIN", 0.001)
    left, before = [failures], SQLiteStore._snapshots

    def snapshots(self: SQLiteStore, streams: Any) -> Any:
        if left[0] and any(stream.startswith("agenda/") for stream in streams):
            left[0] -= 1
            raise apsw.IOError("disk I/O error")
        return before(self, streams)

    monkeypatch.setattr(SQLiteStore, "_snapshots", snapshots)
    async with hubbub.open(f"{tmp_path}/hub.db") as hub, hub.session("ann") as ann:
        with anyio.fail_after(10):
            while left[0]:  # noqa: ASYNC110  (a thread says it)
                await anyio.sleep(0.01)
            await ann.chat.create_room("it goes on")
            while not hub.is_healthy:  # noqa: ASYNC110  (nobody is told)
                await anyio.sleep(0.01)


async def test_a_hub_whose_store_fails_says_so_and_names_no_path(
    tmp_path: anyio.Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "hub.db"
    async with hubbub.open(f"{path}") as hub, hub.session("ann") as ann:
        before = hub.is_healthy
        await anyio.Path(path).unlink()
        messages = []
        for _ in range(50):
            with pytest.raises(StorageError) as error:
                await ann.chat.create_room("Room")
            messages.append(error.value.message)
        after = hub.is_healthy

    assert (before, after) == (True, False)
    assert not any(str(tmp_path) in message for message in messages)
    assert not hub.is_healthy
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 1
    assert "hub.db" in caplog.text


async def test_the_applications_busy_threads_hold_up_no_hub(tmp_path: anyio.Path) -> None:
    everybody = anyio.to_thread.current_default_thread_limiter()
    everybody.total_tokens, before = 1, everybody.total_tokens
    settings = hubbub.Settings(commit_seconds_max=2.0)
    try:
        await everybody.acquire_on_behalf_of("the application")
        with anyio.fail_after(10):
            async with (
                hubbub.open(f"{tmp_path}/hub.db", settings=settings) as hub,
                hub.session("ann") as ann,
            ):
                room = await ann.chat.create_room("Room")
                await ann.chat.send(room.id, "hello")
                found = await ann.chat.search(room.id, "hello")
                read = await ann.read(room.stream)
    finally:
        everybody.release_on_behalf_of("the application")
        everybody.total_tokens = before

    assert len(found) == 1
    assert read


@pytest.mark.parametrize(("chars", "least"), [(1, STREAM_BYTES_MAX), (1_000, 8_000)])
def test_two_of_the_longest_ids_fit_in_a_streams_name(chars: int, least: int) -> None:
    assert stream_bytes_max(chars) >= max(least, len("direct//") + 8 * chars)


async def test_users_with_the_longest_ids_can_write_to_each_other() -> None:
    longest, other = "\U0001f600" * 100, "\U0001f601" * 100
    async with hubbub.open("memory://") as hub, hub.session(longest) as one, hub.session(other):
        sent = await one.chat.send_direct(other, "hello")

    assert sent.text == "hello"


class EarlyClock(SystemClock):
    """The clock of a node, an hour ahead."""

    def now(self) -> datetime:
        return super().now() + timedelta(hours=1)


async def test_ids_have_the_time_of_a_shared_store() -> None:
    settings = hubbub.Settings(clock=EarlyClock())
    async with (
        hubbub.open(store=MemoryStore(shared=True), settings=settings) as hub,
        hub.session("ann") as ann,
    ):
        room = await ann.chat.create_room("Room")

    assert abs(time_of(room.id) - SystemClock().now()) < timedelta(minutes=1)


async def test_a_closed_hub_leaves_the_memory() -> None:
    async def open_and_close() -> weakref.ref[Hubbub]:
        async with hubbub.open("memory://") as hub:
            # The last command leads back to the hub.
            await hub.itself.execute(Command("ann", nothing, lambda states, events: hub.is_open))
            return weakref.ref(hub)

    closed = await open_and_close()
    gc.collect()

    assert closed() is None
