from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from hubbub.testing.simulation.host import Host
from hubbub.testing.simulation.network import Network
from tests.event_loop import Backend
from tests.testing.simulation.world import PORT, echo, in_world


async def serve(host: Host) -> None:
    await host.listen(PORT).serve(echo)


@asynccontextmanager
async def running(host: Host) -> AsyncIterator[None]:
    """Let it serve in the background."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(host.run, serve)
        await host.up()
        yield
        tasks.cancel_scope.cancel()


class Recorder:
    """A disk that notes what happened to it."""

    def __init__(self) -> None:
        self.happened: list[str] = []

    def lose_power(self) -> None:
        self.happened.append("lost power")

    def restore(self) -> None:
        self.happened.append("restored")


def test_it_runs_until_its_function_returns(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async def fn(host: Host) -> None:
            assert host.is_up
            await anyio.sleep(10)

        host = Host("server", network)
        await host.run(fn)

        assert anyio.current_time() == pytest.approx(10)
        assert not host.is_up

    in_world(test, backend)


def test_what_its_function_raises_is_raised(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async def fn(_: Host) -> None:
            raise LookupError("its own fault")

        with pytest.raises(LookupError, match="its own fault"):
            await Host("server").run(fn)

    in_world(test, backend)


def test_after_a_restart_its_function_runs_again(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        async with running(host):
            host.crash()
            assert not host.is_up
            await anyio.sleep(10)
            host.restart()
            assert host.is_up
            await anyio.sleep(1)
            async with await network.connect("client", "server", PORT) as client:
                await client.send(b"hello")

                assert await client.receive() == b"hello"
        assert (host.lives, host.crashes) == (2, 1)

    in_world(test, backend)


def test_a_crash_resets_its_connections_and_closes_its_ports(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        async with running(host):
            client = await network.connect("client", "server", PORT)
            host.crash()

            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()
            with pytest.raises(ConnectionRefusedError):
                await network.connect("client", "server", PORT)

    in_world(test, backend)


def test_a_silent_crash_is_noticed_by_nobody_until_it_is_back(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        async with running(host):
            client = await network.connect("client", "server", PORT)
            host.crash(silently=True)
            await client.send(b"are you there?")
            with anyio.move_on_after(600) as waited:
                await client.receive()
            assert waited.cancelled_caught
            host.restart()

            with pytest.raises(anyio.BrokenResourceError):
                await client.receive()

    in_world(test, backend)


def test_nobody_sees_what_its_tasks_do_after_a_crash(backend: Backend) -> None:
    async def test(network: Network) -> None:
        refused: list[str] = []

        async def fn(host: Host) -> None:
            stream = await host.connect("witness", PORT)
            try:
                await anyio.sleep_forever()
            finally:
                with anyio.CancelScope(shield=True):
                    try:
                        await stream.send(b"goodbye")
                    except anyio.BrokenResourceError:
                        refused.append("stream")
                    for call in (host.connect("witness", PORT), network.connect("x", "y", 1)):
                        try:
                            await call
                        except ConnectionAbortedError:
                            refused.append("connect")
                    try:
                        host.listen(81)
                    except ConnectionAbortedError:
                        refused.append("listen")
                raise LookupError("nobody hears this")

        listener, host = network.listen("witness", PORT), Host("server", network)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.run, fn)
            stream = await listener.accept()
            await anyio.sleep(1)
            host.crash()
            with pytest.raises(anyio.BrokenResourceError):
                await stream.receive()
            tasks.cancel_scope.cancel()

        assert refused == ["stream", "connect", "connect", "listen"]

    in_world(test, backend)


def test_it_can_restart_while_the_old_tasks_are_dying(backend: Backend) -> None:
    async def test(network: Network) -> None:
        happened: list[str] = []

        async def fn(host: Host) -> None:
            life = host.lives
            listener = host.listen(PORT)
            try:
                await listener.serve(echo)
            finally:
                with anyio.CancelScope(shield=True):
                    await anyio.sleep(100)
                    # In the old life still, though the host is up.
                    try:
                        await network.connect("server", "server", PORT)
                    except ConnectionAbortedError:
                        happened.append(f"life {life} was refused")

        host = Host("server", network)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.run, fn)
            await anyio.sleep(1)
            host.restart()
            await anyio.sleep(1)
            async with await network.connect("client", "server", PORT) as client:
                await client.send(b"hello")
                assert await client.receive() == b"hello"
            await anyio.sleep(200)
            assert host.is_up
            tasks.cancel_scope.cancel()

        assert happened == ["life 1 was refused"]

    in_world(test, backend)


def test_it_can_crash_before_its_first_step(backend: Backend) -> None:
    async def test(network: Network) -> None:
        lives: list[int] = []

        async def fn(host: Host) -> None:
            lives.append(host.lives)
            await anyio.sleep_forever()

        host = Host("server", network)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(host.run, fn)
            await host.up()
            host.restart()
            # The second life crashes at once; whether the first has begun, the order decides.
            host.restart()
            await anyio.sleep(1)
            host.stop()

        assert lives[-1] == 3
        assert 2 not in lives

    in_world(test, backend)


def test_its_disk_loses_power_with_it(backend: Backend) -> None:
    async def test(network: Network) -> None:
        disk = Recorder()
        host = Host("server", network, disk)
        async with running(host):
            host.crash()
            host.crash()
            assert disk.happened == ["lost power"]
            host.restart()

            assert disk.happened == ["lost power", "restored"]

    in_world(test, backend)


def test_to_stop_it_is_no_crash(backend: Backend) -> None:
    async def test(network: Network) -> None:
        said: list[bytes] = []

        async def fn(host: Host) -> None:
            async with await host.connect("witness", PORT) as stream:
                try:
                    await anyio.sleep_forever()
                finally:
                    stream.write_nowait(b"goodbye")

        async with network.listen("witness", PORT) as listener:
            host = Host("server", network)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(host.run, fn)
                stream = await listener.accept()
                await anyio.sleep(1)
                host.stop()
            async with stream:
                said += [data async for data in stream]

        assert said == [b"goodbye"]

    in_world(test, backend)


def test_what_it_left_open_is_closed_when_it_ends(backend: Backend) -> None:
    async def test(network: Network) -> None:
        async def fn(host: Host) -> None:
            host.listen(PORT)
            await host.connect("server", PORT)

        await Host("server", network).run(fn)

        assert network.links == []
        network.listen("server", PORT)

    in_world(test, backend)


def test_waiting_for_a_host_ends_when_it_is_up(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        async with anyio.create_task_group() as tasks, running(host):
            host.crash()
            tasks.start_soon(host.up)
            await anyio.sleep(5)
            host.restart()

        assert anyio.current_time() == pytest.approx(5)

    in_world(test, backend)


def test_it_runs_one_function_at_a_time(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        with pytest.raises(RuntimeError, match="call run"):
            host.restart()
        async with running(host):
            with pytest.raises(RuntimeError, match="one function"):
                await host.run(serve)

    in_world(test, backend)


def test_without_a_network_it_cannot_connect(backend: Backend) -> None:
    async def test(_: Network) -> None:
        with pytest.raises(RuntimeError, match="on no network"):
            await Host("hermit").connect("server", PORT)

    in_world(test, backend)


def test_a_host_that_is_cancelled_is_down(backend: Backend) -> None:
    async def test(network: Network) -> None:
        host = Host("server", network)
        async with running(host):
            pass

        assert not host.is_up
        assert "down" in repr(host)
        network.listen("server", PORT)

    in_world(test, backend)
