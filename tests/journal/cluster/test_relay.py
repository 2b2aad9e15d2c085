from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from random import Random

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubbub.journal.cluster.bus import SHARDS
from hubbub.journal.cluster.frames import shard_of
from hubbub.journal.cluster.hearing import PEER_SILENT_SECONDS_MAX
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.journal.cluster.relay import BUS_POLL_SECONDS, ECHO_SECONDS_MAX, SETTLE_SECONDS_MAX
from hubbub.testing import FaultyBus, run_in_virtual_time
from tests.event_loop import Backend
from tests.journal.cluster.kit import Member, SharedRecords, cluster

Run = Callable[[Callable[[], Awaitable[None]]], None]

# Less than any pause of a relay.
SOON = 0.001
# Every shard has some of them.
STREAMS = [f"room/{n}" for n in range(40)]


@pytest.fixture
def run(backend: Backend) -> Run:
    return partial(run_in_virtual_time, backend=backend)


def test_an_event_and_a_signal_reach_all_other_nodes_at_once(run: Run) -> None:
    async def send() -> None:
        async with cluster(SharedRecords(), MemoryBus()) as (a, b, c):
            for one in (a, b, c):
                one.follow("room/1")
            a.write("room/1", b"hello", b"you")
            b.relay.signal("room/1", b"typing")
            await anyio.sleep(SOON)

            assert [one.had["room/1"] for one in (a, b, c)] == [[b"hello", b"you"]] * 3
            assert [one.signals for one in (a, b, c)] == [
                [("room/1", b"typing")],
                [],
                [("room/1", b"typing")],
            ]
            assert a.heard == [("room/1", 1, (b"hello", b"you"))]
            assert b.caught_up == c.caught_up == []

    run(send)


def test_an_idle_cluster_asks_the_store_for_nothing(run: Run) -> None:
    async def idle() -> None:
        store = SharedRecords()
        async with cluster(store, MemoryBus()) as (a, b, _):
            a.follow(*STREAMS)
            b.write("room/1", b"hello")
            asked = len(store.asked)
            await anyio.sleep(60)

            assert len(store.asked) == asked
            assert not a.relay.away

    run(idle)


def test_a_lost_frame_is_noticed_by_the_next_one(run: Run) -> None:
    async def lose() -> None:
        store, bus = SharedRecords(), FaultyBus(Random(1))
        async with cluster(store, bus) as (a, b, _):
            b.follow("room/1", "room/2")
            twin = next(name for name in STREAMS[2:] if shard_of(name) == shard_of("room/1"))
            bus.losses = 1.0
            a.write("room/1", b"lost")
            bus.losses = 0.0
            a.write(twin, b"another")
            await anyio.sleep(SOON)

            assert b.had["room/1"] == [b"lost"]
            assert b.caught_up == ["room/1"]

    run(lose)


def test_a_lost_frame_is_noticed_by_the_next_heartbeat(run: Run) -> None:
    async def lose() -> None:
        bus = FaultyBus(Random(1))
        async with cluster(SharedRecords(), bus) as (a, b, _):
            b.follow("room/1")
            bus.losses = 1.0
            a.write("room/1", b"lost")
            bus.losses = 0.0
            await anyio.sleep(2 * BUS_POLL_SECONDS + SOON)

            assert b.had["room/1"] == [b"lost"]

    run(lose)


def test_an_interrupted_bus_loses_nothing(run: Run) -> None:
    async def interrupt() -> None:
        bus = FaultyBus(Random(1), delays=1.0)
        async with cluster(SharedRecords(), bus) as (a, b, _):
            b.follow("room/1")
            a.write("room/1", b"on its way")
            bus.interrupt()
            await anyio.sleep(SOON)

            assert b.had["room/1"] == [b"on its way"]

    run(interrupt)


def test_what_a_node_committed_before_it_died_is_found(run: Run) -> None:
    async def die() -> None:
        store = SharedRecords()
        async with cluster(store, MemoryBus(), "ab") as (a, _):
            a.follow("room/1")
            store.written["room/1"] += [b"nobody told of it"]
            store.beat("c", "", "", leaving=False)
            await anyio.sleep(6)

            assert a.nodes.live() == {"a", "b"}
            assert a.had["room/1"] == [b"nobody told of it"]

    run(die)


def test_a_bus_that_is_away_is_logged_once_and_the_store_is_polled(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def away() -> None:
        bus = FaultyBus(Random(1))
        async with cluster(SharedRecords(), bus, "ab") as (a, b):
            b.follow("room/1")
            bus.away = True
            await anyio.sleep(ECHO_SECONDS_MAX + 3 * BUS_POLL_SECONDS + SOON)
            assert a.relay.away
            for n in range(20):
                a.write("room/1", b"%d" % n)
                await anyio.sleep(BUS_POLL_SECONDS + 0.1)
                assert len(b.had["room/1"]) == n + 1
            bus.away = False
            await anyio.sleep(3 * BUS_POLL_SECONDS)
            assert not a.relay.away

    with caplog.at_level(logging.WARNING):
        run(away)

    assert sum("The bus is away" in line for line in caplog.messages) == 2
    assert sum("The bus is back" in line for line in caplog.messages) == 2


def test_a_bus_in_trouble_is_away_at_once_and_the_log_says_why(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def trouble() -> None:
        bus = FaultyBus(Random(1))
        async with cluster(SharedRecords(), bus, "a") as (a,):
            bus.trouble = "Start Valkey."
            await anyio.sleep(BUS_POLL_SECONDS + SOON)

            assert a.relay.away

    run(trouble)

    assert any(line.endswith("Start Valkey.") for line in caplog.messages)


def test_nodes_that_have_different_buses_read_the_store(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def apart() -> None:
        store = SharedRecords()
        a, b = Member("a", store, MemoryBus()), Member("b", store, MemoryBus())
        async with anyio.create_task_group() as tasks:
            for one in (a, b):
                one.follow("room/1")
                tasks.start_soon(one.run)
            await anyio.sleep(PEER_SILENT_SECONDS_MAX + 2)
            assert a.relay.away
            a.write("room/1", b"hello")
            await anyio.sleep(BUS_POLL_SECONDS + 0.1)
            tasks.cancel_scope.cancel()

        assert b.had["room/1"] == [b"hello"]

    run(apart)

    away = [line for line in caplog.messages if "The bus is away" in line]
    assert len(away) == 2
    assert all(line.endswith("Do all nodes have the same bus?") for line in away)


def test_the_others_read_the_store_while_a_node_has_lost_its_bus(run: Run) -> None:
    async def lose() -> None:
        store, bus = SharedRecords(), MemoryBus()
        lonely = FaultyBus(Random(1))
        a, b = Member("a", store, bus), Member("b", store, bus)
        c = Member("c", store, lonely)
        lonely.trouble = "It cannot be reached."
        async with anyio.create_task_group() as tasks:
            for one in (a, b, c):
                one.follow("room/1")
                tasks.start_soon(one.run)
            await anyio.sleep(PEER_SILENT_SECONDS_MAX + 2)
            c.write("room/1", b"hello")
            await anyio.sleep(BUS_POLL_SECONDS + 0.1)
            assert [one.had["room/1"] for one in (a, b)] == [[b"hello"]] * 2
            await c.nodes.leave()
            tasks.cancel_scope.cancel()

    run(lose)


def test_a_node_that_dies_is_no_trouble_of_the_bus(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    async def die() -> None:
        store, bus = SharedRecords(), MemoryBus()
        async with cluster(store, bus, "ab") as members:
            with anyio.move_on_after(10):
                await Member("c", store, bus).run()
            assert members[0].nodes.is_live("c")
            for _ in range(20):
                await anyio.sleep(BUS_POLL_SECONDS)
                assert not any(one.relay.away for one in members)

    run(die)

    assert "The bus is away" not in caplog.text


def test_the_store_may_be_away_when_a_loss_is_noticed(run: Run) -> None:
    async def away() -> None:
        store, bus = SharedRecords(), FaultyBus(Random(1))
        async with cluster(store, bus) as (a, b, _):
            b.follow("room/1")
            a.write("room/1", b"on its way")
            store.away = True
            bus.interrupt()
            await anyio.sleep(30)
            store.away = False
            await anyio.sleep(1)

            assert b.had["room/1"] == [b"on its way"]

    run(away)


def test_what_nobody_told_of_is_found_when_the_store_is_back(run: Run) -> None:
    async def back() -> None:
        store = SharedRecords()
        async with cluster(store, MemoryBus()) as (_, b, _):
            b.follow("room/1")
            store.away = True
            # The answer to this commit is lost, so its node tells nobody.
            store.written["room/1"].append(b"in doubt")
            await anyio.sleep(5)
            assert b.had["room/1"] == []
            store.away = False
            await anyio.sleep(2)

            assert b.had["room/1"] == [b"in doubt"]

    run(back)


def test_rubbish_and_a_failing_ear_hurt_nobody(run: Run, caplog: pytest.LogCaptureFixture) -> None:
    async def rubbish() -> None:
        bus = MemoryBus()
        async with cluster(SharedRecords(), bus, "ab") as (a, b):
            b.follow("room/1")
            for data in (b"", b"\xc1", b"\x91" * 5_000, b"x" * 100):
                bus.publish(0, data)
            b.relay._ears.signal = lambda stream, body: 1 / 0  # type: ignore[assignment]
            a.relay.signal("room/1", b"typing")
            a.write("room/1", b"hello")
            await anyio.sleep(SOON)

            assert b.had["room/1"] == [b"hello"]

    run(rubbish)

    assert sum("no frame of this journal" in line for line in caplog.messages) == 2
    assert any("could not be handled" in line for line in caplog.messages)


def test_a_commit_that_no_frame_can_carry_is_a_note_and_the_store_is_read(run: Run) -> None:
    async def large() -> None:
        bus = FaultyBus(Random(1))
        async with cluster(SharedRecords(), bus, "ab") as (a, b):
            b.follow("room/1")
            a.write("room/1", b"x" * bus.frame_bytes_max, b"y")
            await anyio.sleep(SOON)

            assert b.heard == []
            assert b.had["room/1"] == a._store.written["room/1"]

    run(large)


# Messages


def test_a_message_is_heard_by_all_others_and_a_request_is_answered_by_one(run: Run) -> None:
    async def talk() -> None:
        heard: list[tuple[str, str, bytes]] = []

        def note(me: str, node: str, body: bytes) -> None:
            heard.append((me, node, body))

        async def answer(node: str, body: bytes) -> bytes:
            return node.encode() + body

        async with cluster(SharedRecords(), MemoryBus()) as members:
            for one in members:
                one.nodes.hear["news"] = partial(note, one.nodes.me)
                one.nodes.answer["sum"] = answer
            a, _, _ = members
            a.nodes.tell("news", b"!")
            answers = [await a.nodes.ask(one, "sum", b"?", 1) for one in "abc"]

        assert sorted(heard) == [("b", "a", b"!"), ("c", "a", b"!")]
        assert answers == [b"a?"] * 3

    run(talk)


# Whatever happens


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    losses=st.sampled_from([0.0, 0.1, 0.6]),
    repeats=st.sampled_from([0.0, 0.3]),
    delays=st.sampled_from([0.0, 0.5]),
)
def test_whatever_the_bus_does_every_follower_has_every_event_once_in_order(
    backend: Backend, seed: int, losses: float, repeats: float, delays: float
) -> None:
    random = Random(seed)

    async def storm() -> None:
        store = SharedRecords()
        bus = FaultyBus(random, losses=losses, repeats=repeats, delays=delays)
        async with cluster(store, bus) as members:
            for one in members:
                one.follow(*random.sample(STREAMS, 12))
            for n in range(60):
                random.choice(members).write(random.choice(STREAMS), b"%d" % n)
                if random.random() < 0.02:
                    bus.interrupt()
                bus.away = random.random() < 0.02 if not bus.away else random.random() < 0.8
                await anyio.sleep(random.choice([0, 0, 0.01, 0.3]))
            bus.away, bus.losses = False, 0.0
            await anyio.sleep(3)

            for one in members:
                assert all(had == store.written[name] for name, had in one.had.items())
                assert len({(name, first) for name, first, _ in one.heard}) == len(one.heard)

    run_in_virtual_time(storm, backend=backend)


def test_every_shard_has_streams_in_these_tests() -> None:
    assert {shard_of(name) for name in STREAMS} == set(range(SHARDS))


@pytest.mark.parametrize("away", [False, True])
def test_a_node_that_ends_waits_until_its_frames_have_gone_out(run: Run, away: bool) -> None:
    async def end() -> None:
        store, bus = SharedRecords(), FaultyBus(Random(1))
        async with cluster(store, bus, "ab") as (_, b):
            leaver = Member("c", store, bus)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(leaver.run)
                await anyio.sleep(1.1)
                b.follow("room/1")
                bus.away = away
                leaver.write("room/1", b"the last word")
                leaver.relay.signal("room/1", b"gone")
                began = anyio.current_time()
                tasks.cancel_scope.cancel()

            assert (anyio.current_time() - began == pytest.approx(SETTLE_SECONDS_MAX)) == away
            assert b.heard == ([] if away else [("room/1", 1, [b"the last word"])])
            assert b.signals == ([] if away else [("room/1", b"gone")])

    run(end)
