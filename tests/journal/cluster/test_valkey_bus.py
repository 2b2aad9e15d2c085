from __future__ import annotations

import gc
import logging
import re
from collections.abc import Iterator

import anyio
import pytest
from anyio import to_thread
from coredis.exceptions import PrimaryNotFoundError, StalePrimaryError

from hubbub.journal.cluster import valkey_servers
from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.bus_url import open_bus, read_bus_url
from hubbub.journal.cluster.valkey_bus import (
    BUS_QUEUE_BYTES_MAX,
    SILENT_SECONDS_MAX,
    ValkeyBus,
)
from hubbub.local_servers import ServerProcess
from hubbub.local_servers.server_process import free_port
from tests.journal.cluster.kit import in_trouble, listening, until
from tests.journal.cluster.valkey_kit import Watched, ask, one_server, password, watched


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Fail here, and not in the middle of another test, if a bus leaves something open."""
    yield
    gc.collect()


@pytest.fixture
def one_of_a_cluster() -> Iterator[ServerProcess]:
    with one_server(cluster_enabled="yes", cluster_port=str(free_port())) as server:
        yield server


@pytest.fixture
def lone_sentinel() -> Iterator[Watched]:
    with watched(sentinels=1) as running:
        yield running


@pytest.fixture
def limited() -> Iterator[ServerProcess]:
    """Run a server with a user that has no right but to connect."""
    with one_server(user="ann on >secret +@connection") as server:
        yield server


async def test_it_connects_again_by_itself_and_says_that_frames_were_lost(
    valkey: ServerProcess, caplog: pytest.LogCaptureFixture
) -> None:
    async with listening(open_bus(valkey.url, "j"), open_bus(valkey.url, "j")) as (a, b):
        await to_thread.run_sync(valkey.kill)
        await until(lambda: a.bus.trouble != "" and b.bus.trouble != "")
        a.bus.publish(0, b"nobody is there")
        await to_thread.run_sync(valkey.restart)
        await a.until(lambda: a.losses == 2)
        await b.until(lambda: b.losses == 2)
        b.bus.publish(0, b"here again")
        await a.until(lambda: a.frames != [])

        assert a.frames == [b"here again"]
        assert a.bus.trouble == ""

    gc.collect()
    assert [record for record in caplog.records if record.levelno > logging.INFO] == []


async def test_a_server_that_stands_still_is_noticed_without_its_connection(
    valkey: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(valkey_servers, "ANSWER_SECONDS_MAX", 0.2)
    async with listening(open_bus(valkey.url, "j")) as (a,):
        await to_thread.run_sync(valkey.stop)
        a.bus.publish(0, b"a heartbeat")
        await until(lambda: a.bus.trouble != "")
        trouble = a.bus.trouble
        await to_thread.run_sync(valkey.cont)
        await a.until(lambda: a.losses == 2)

    assert "it does not answer" in trouble
    # The log must not show what users write.
    assert "heartbeat" not in trouble


async def test_a_server_that_is_down_and_a_wrong_password_are_told_in_a_sentence(
    valkey: ServerProcess,
) -> None:
    wrong = open_bus(valkey.url.replace("redis://:", "redis://:x"), "j")
    down = open_bus(f"redis://127.0.0.1:{free_port()}", "j")
    await in_trouble(wrong, down)

    assert "refuses the sign-in: correct the user and password" in wrong.trouble
    assert "cannot be reached: start it, or correct its URL" in down.trouble
    assert password(valkey) not in wrong.trouble


async def test_in_a_cluster_each_shard_has_a_channel_of_its_own(
    one_of_a_cluster: ServerProcess,
) -> None:
    await serve_all_slots(one_of_a_cluster)
    url = one_of_a_cluster.url.replace("redis://", "redis+cluster://")
    async with listening(open_bus(url, "j"), open_bus(url, "j")) as (a, b):
        for shard in range(SHARDS):
            a.bus.publish(shard, b"%d" % shard)
        await b.until(lambda: len(b.frames) == SHARDS)

        assert sorted(b.frames) == [b"%d" % shard for shard in range(SHARDS)]


async def test_sentinels_lead_to_the_server_that_they_watch(lone_sentinel: Watched) -> None:
    # The first host does not answer.
    url = lone_sentinel.url.replace("@", f"@127.0.0.1:{free_port()},")
    unknown = open_bus(url.replace("/main", "/other"), "j")
    async with listening(open_bus(url, "j")) as (a,):
        a.bus.publish(3, b"hello")
        await a.until(lambda: a.frames == [b"hello"])
    await in_trouble(unknown)

    assert re.fullmatch(r"The sentinels at 127.*, 127.* know no other\.", unknown.trouble)


def test_a_service_that_the_sentinels_do_not_know_is_told_in_a_sentence() -> None:
    bus = ValkeyBus(read_bus_url("redis+sentinel://one,two:5/main"), "j")

    assert (
        bus._trouble(PrimaryNotFoundError("no primary"))
        == "The sentinels at one:26379, two:5 know no main."
    )
    assert "no primary" in bus._trouble(StalePrimaryError("a replica"))


async def test_a_server_of_another_kind_is_told_in_a_sentence(valkey: ServerProcess) -> None:
    cluster = open_bus(valkey.url.replace("redis:", "redis+cluster:"), "j")
    sentinel = open_bus(valkey.url.replace("redis:", "redis+sentinel:"), "j")
    await in_trouble(cluster, sentinel)

    assert cluster.trouble.endswith("refuses a command (ResponseError): is it a cluster?")
    assert sentinel.trouble.endswith("refuses a command (UnknownCommandError): is it a sentinel?")


async def test_a_cluster_that_does_not_serve_all_slots_is_told_in_a_sentence(
    one_of_a_cluster: ServerProcess,
) -> None:
    bus = open_bus(one_of_a_cluster.url.replace("redis:", "redis+cluster:"), "j")
    await in_trouble(bus)

    assert "is down: it does not serve all its slots" in bus.trouble


@pytest.mark.parametrize(
    ("kind", "commands"),
    [("", "+subscribe +publish"), ("+cluster", "+ssubscribe +spublish +cluster|slots")],
)
async def test_a_user_needs_only_the_commands_that_the_page_names(
    one_of_a_cluster: ServerProcess, kind: str, commands: str
) -> None:
    await serve_all_slots(one_of_a_cluster)
    user = f"ACL SETUSER ann on >secret resetchannels &hubbub/* {commands}"
    assert "-" not in await to_thread.run_sync(ask, one_of_a_cluster, user)
    url = f"redis{kind}://ann:secret@127.0.0.1:{one_of_a_cluster.port}"
    async with listening(open_bus(url, "j")) as (a,):
        a.bus.publish(0, b"hello")
        await a.until(lambda: a.frames == [b"hello"])


async def test_a_user_who_may_do_too_little_is_told_in_a_sentence_at_once(
    limited: ServerProcess,
) -> None:
    bus = open_bus(f"redis://ann:secret@127.0.0.1:{limited.port}", "j")
    began = anyio.current_time()
    await in_trouble(bus)

    assert "lets this user do too little: allow the channels hubbub/*" in bus.trouble
    assert anyio.current_time() - began < SILENT_SECONDS_MAX


async def test_what_waits_to_be_sent_is_bounded(valkey: ServerProcess) -> None:
    async with listening(open_bus(valkey.url, "j")) as (a,):
        for _ in range(40):
            a.bus.publish(0, b"x" * 1024 * 1024)

        assert a.bus._queues[0].size == BUS_QUEUE_BYTES_MAX  # type: ignore[attr-defined]


async def serve_all_slots(server: ServerProcess) -> None:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(b"AUTH %s\r\n" % password(server).encode())
        await stream.send(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
        answer = b""
        # A cluster of one node begins once it has looked for others.
        while b"cluster_state:ok" not in answer:
            await stream.send(b"CLUSTER INFO\r\n")
            answer = await stream.receive()
