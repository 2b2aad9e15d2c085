"""Single calls that sign in and out, over the simulated network."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from random import Random

import anyio

import hubbub
from hubbub.client.dial import Dial
from hubbub.server import Identity, create_app
from hubbub.server.gateway import Gateway
from hubbub.simulator.dialing import PORT, SERVER, dial_over
from hubbub.simulator.sign_in_calls import (
    ANSWER_SECONDS_MAX,
    CallOutcome,
    session_of,
    stay_signed_in,
    try_sign_in,
    try_sign_out,
)
from hubbub.simulator.stream_server import StreamServer
from hubbub.testing import VirtualClock
from hubbub.testing.simulation import Network, simulate
from hubbub.testing.simulation.stream import NetworkStream
from tests.event_loop import Backend
from tests.simulator.worlds import CLIENT


def with_server(backend: Backend, use: Callable[[Dial], Awaitable[None]]) -> None:
    """Serve a hub whose application has a user ann, with sign-ins 1 and 2."""

    async def who(token: str) -> Identity | None:
        known = token in ("1", "2")
        return Identity("ann", session=f"ann-{token}", fresh=True) if known else None

    async def run() -> None:
        network, settings = Network(Random(1)), hubbub.Settings(clock=VirtualClock())
        async with hubbub.open("memory://", settings=settings) as hub:
            gateway = Gateway(hub, who, watch_signals=False)
            server = StreamServer(create_app(hub, gateway=gateway, page=False), gateway)
            async with (
                network.listen(SERVER, PORT) as listener,
                anyio.create_task_group() as tasks,
            ):
                tasks.start_soon(server.serve, listener)
                await use(dial_over(network, CLIENT, Random(2)))
                tasks.cancel_scope.cancel()

    simulate(run, backend=backend, seed=1)


def test_a_sign_in_gives_the_tokens_of_its_session(backend: Backend) -> None:
    async def use(dial: Dial) -> None:
        first = await try_sign_in(dial, "1")
        again = await try_sign_in(dial, str(first.refresh_token))
        refused = await try_sign_in(dial, "nobody")

        assert first.outcome is again.outcome is True
        assert session_of(first.token) == session_of(again.token) == "ann-1"
        assert first.refresh_token != again.refresh_token
        assert refused.outcome is False
        assert "not valid" in refused.said

    with_server(backend, use)


def test_a_sign_out_ends_one_sign_in_or_all(backend: Backend) -> None:
    async def use(dial: Dial) -> None:
        one, two = [await try_sign_in(dial, name) for name in ("1", "2")]
        out = await try_sign_out(dial, one.token, everywhere=False)
        after = [(await try_sign_in(dial, each.token)).outcome for each in (one, two)]
        again = await try_sign_out(dial, one.token, everywhere=False)
        await try_sign_out(dial, two.token, everywhere=True)

        assert out.outcome is True
        assert after == [False, True]
        assert again.outcome is False
        assert (await try_sign_in(dial, two.token)).outcome is False

    with_server(backend, use)


def test_a_connection_stays_until_its_sign_in_ends(backend: Backend) -> None:
    async def use(dial: Dial) -> None:
        one, left = await try_sign_in(dial, "1"), list[float]()

        async def stay() -> None:
            await stay_signed_in(dial, one.token)
            left.append(anyio.current_time())

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(stay)
            await anyio.sleep(30)
            assert left == []
            await try_sign_out(dial, one.token, everywhere=False)
        await stay_signed_in(dial, one.token)

        assert left[0] < 35

    with_server(backend, use)


def test_without_an_answer_the_outcome_is_unknown(backend: Backend) -> None:
    async def silent(stream: NetworkStream) -> None:
        async with stream:
            await anyio.sleep_forever()

    async def run() -> None:
        network = Network(Random(1))
        dial = dial_over(network, CLIENT, Random(2))
        assert await try_sign_in(dial, "1") == CallOutcome(None)
        async with network.listen(SERVER, PORT) as listener, anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, silent)
            began = anyio.current_time()
            assert await try_sign_out(dial, "1", everywhere=True) == CallOutcome(None)
            assert anyio.current_time() - began <= ANSWER_SECONDS_MAX
            tasks.cancel_scope.cancel()

    simulate(run, backend=backend, seed=1)
