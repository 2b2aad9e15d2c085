from __future__ import annotations

from base64 import b64encode

import psycopg
import pytest
from anyio import to_thread

from hubbub.journal.cluster import notify_bus
from hubbub.journal.cluster.bus_url import open_notify_bus
from hubbub.journal.cluster.notify_bus import BEGUN_BYTES_MAX, NOTIFY_QUEUE_BYTES_MAX
from hubbub.local_servers import ServerProcess
from hubbub.local_servers.server_process import free_port
from tests.journal.cluster.kit import in_trouble, listening, until


async def test_it_connects_again_by_itself_and_says_that_frames_were_lost(
    postgres: ServerProcess,
) -> None:
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        await to_thread.run_sync(postgres.kill)
        await until(lambda: a.bus.trouble != "")
        a.bus.publish(0, b"nobody is there")
        await to_thread.run_sync(postgres.restart)
        await a.until(lambda: a.losses == 2)
        a.bus.publish(0, b"here again")
        await a.until(lambda: a.frames != [])

        assert a.frames == [b"here again"]
        assert a.bus.trouble == ""


async def test_a_session_that_the_server_ends_is_opened_again(postgres: ServerProcess) -> None:
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        await to_thread.run_sync(end_sessions, postgres.url)
        await a.until(lambda: a.losses == 2)
        a.bus.publish(0, b"hello")
        await a.until(lambda: a.frames == [b"hello"])


async def test_a_server_that_stands_still_is_noticed_without_its_connection(
    postgres: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify_bus, "SEND_SECONDS_MAX", 0.2)
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        await to_thread.run_sync(postgres.stop)
        a.bus.publish(0, b"a heartbeat")
        await until(lambda: a.bus.trouble != "")
        await to_thread.run_sync(postgres.cont)
        await a.until(lambda: a.losses == 2)


async def test_a_server_that_is_down_and_a_wrong_password_are_told_in_a_sentence(
    postgres: ServerProcess,
) -> None:
    wrong = open_notify_bus(postgres.url.replace("hubbub:", "hubbub:x"), "j")
    down = open_notify_bus(f"postgresql://hubbub@127.0.0.1:{free_port()}/postgres", "j")
    await in_trouble(wrong, down)

    assert "password authentication failed" in wrong.trouble
    assert "Connection refused" in down.trouble


async def test_what_others_write_to_the_channel_hurts_nobody(postgres: ServerProcess) -> None:
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        await to_thread.run_sync(notify, postgres.url, ["", ".", ".?", "+aGVs", "x", "ü"])
        a.bus.publish(0, b"hello")
        await a.until(lambda: b"hello" in a.frames)


async def test_parts_without_an_end_are_not_kept(postgres: ServerProcess) -> None:
    part = f"+ {b64encode(b'x' * 4 * 1024).decode()}"
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        await to_thread.run_sync(notify, postgres.url, [part] * 20)
        await to_thread.run_sync(notify, postgres.url, [". "])
        await a.until(lambda: b"" in a.frames)

        assert list(map(len, a.frames)) == [BEGUN_BYTES_MAX, 0]


async def test_what_waits_to_be_sent_is_bounded(postgres: ServerProcess) -> None:
    async with listening(open_notify_bus(postgres.url, "j")) as (a,):
        for _ in range(200):
            a.bus.publish(0, b"x" * 32 * 1024)

        assert a.bus._queue.size == NOTIFY_QUEUE_BYTES_MAX  # type: ignore[attr-defined]


def notify(url: str, payloads: list[str]) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for payload in payloads:
            connection.execute("SELECT pg_notify('hubbub_j', %s)", [payload])


def end_sessions(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'hubbub bus'"
        )
