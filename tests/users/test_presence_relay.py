from __future__ import annotations

from contextlib import AsyncExitStack
from random import Random

import anyio
import msgspec
import pytest

from hubbub.journal.cluster.frames import MESSAGE_BYTES_MAX
from hubbub.journal.cluster.no_bus import NoBus
from hubbub.journal.cluster.nodes import NODE_SILENT_SECONDS_MAX
from hubbub.testing import FaultyBus
from hubbub.users.presence_map import PRESENCE_SILENT_SECONDS_MAX, PRESENCE_USERS_MAX
from hubbub.users.presence_relay import (
    PAGE_BYTES_MAX,
    PAGE_SECONDS_MAX,
    PRESENCE_BEAT_SECONDS,
)
from hubbub.users.presence_signals import PART_BYTES_MAX, PresenceNews
from tests.event_loop import Backend
from tests.journal.cluster.kit import until
from tests.users.node_kit import Cluster, die, in_cluster

GRACE_SECONDS = 3.0


def test_every_node_knows_the_users_of_all(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.nodes() as (one, two), one.session("ann"):
            async with two.session("bob") as bob:
                await until(lambda: two.is_connected("ann") and one.is_connected("bob"))
                assert [user.id for user in await bob.users.online()] == ["bob", "ann"]
                await bob.users.set_away(away=True)
                await until(lambda: one.presence.status("bob") == "away")
            await until(lambda: not one.is_connected("bob"))

            assert one.presence.status("bob") == "offline"
            assert (one.presence.count, two.presence.count) == (1, 0)

    in_cluster(backend, story)


def test_a_user_who_moves_to_another_node_stays_online(backend: Backend) -> None:
    seen = set[str]()

    async def story(cluster: Cluster) -> None:
        async with cluster.nodes() as (one, two), cluster.node() as three, AsyncExitStack() as late:
            actor = one.actor("ann", "user")
            one.connect(actor)
            await until(lambda: three.presence.status("ann") == "online")
            one.disconnect(actor, lost=True)
            for _ in range(100):
                seen.add(three.presence.status("ann"))
                await anyio.sleep(0.05)
                if not one.is_connected("ann"):
                    await late.enter_async_context(two.session("ann"))
                    break
            await anyio.sleep(2 * GRACE_SECONDS)
            seen.add(three.presence.status("ann"))

    in_cluster(backend, story)
    assert seen == {"online"}


def test_a_node_that_joins_fetches_more_users_than_one_message_carries(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one:
            names = [f"{number:0100d}" for number in range(3 * PAGE_BYTES_MAX // 100)]
            for name in names:
                one.presence.connect(name, name)
            async with cluster.node() as two:
                await until(lambda: two.knows_presence)

                assert two.presence.online() == names
                one.presence.disconnect(names[7], names[7])
                await until(lambda: not two.is_connected(names[7]))
                assert len(two.presence.online()) == len(names) - 1

    in_cluster(backend, story)


def test_the_users_of_a_dead_node_go_offline_after_the_grace_period(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.nodes() as (one, two),
            two.session("bob") as bob,
            one.session("ann") as ann,
        ):
            room = await bob.chat.create_room("Room")
            await ann.chat.join(room.id)
            await until(lambda: two.is_connected("ann"))
            async with bob.signals(room.stream) as signals:
                died = list[str]()
                two.presence.moved = died.append
                die(one)
                start = anyio.current_time()
                await until(lambda: not two.is_connected("ann"))
                dead = anyio.current_time() - start
                assert two.presence.status("ann") == "online"
                with anyio.fail_after(10):
                    signal = await anext(signals)
                gone = anyio.current_time() - start

            assert NODE_SILENT_SECONDS_MAX - 1 <= dead <= NODE_SILENT_SECONDS_MAX + 1.5
            assert GRACE_SECONDS <= gone - dead <= GRACE_SECONDS + 2 * PRESENCE_BEAT_SECONDS
            assert died == ["ann"]
            assert (signal.by, signal.body) == ("ann", {"status": "offline"})

    in_cluster(backend, story)


def test_the_users_are_not_known_while_the_nodes_are_not(
    backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.nodes() as (one, two), one.session("ann"):
            await until(lambda: two.is_connected("ann"))
            monkeypatch.setattr(type(two.journal.nodes), "fresh", False)

            assert not two.knows_presence
            monkeypatch.undo()
            assert two.knows_presence

    in_cluster(backend, story)


def test_without_a_bus_a_node_knows_that_it_does_not_know_the_users(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.node() as one:
            assert one.knows_presence
            async with cluster.node() as two, two.session("ann"):
                await anyio.sleep(NODE_SILENT_SECONDS_MAX)
                assert not one.knows_presence
                assert not one.is_connected("ann")

    in_cluster(backend, story, NoBus())


def test_users_are_known_again_after_a_node_was_silent(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.nodes() as (one, two), one.session("ann"):
            await until(lambda: two.is_connected("ann"))
            send, one.journal.nodes.messages.send = one.journal.nodes.messages.send, None
            async with one.session("bob"):
                await anyio.sleep(PRESENCE_SILENT_SECONDS_MAX + 1)
                assert (two.knows_presence, two.is_connected("bob")) == (False, False)
                assert two.is_connected("ann")
                one.journal.nodes.messages.send = send
                await until(lambda: two.knows_presence and two.is_connected("bob"))

    in_cluster(backend, story)


def test_each_node_compares_with_its_own_followers(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with (
            cluster.nodes(presence_followers_max=1) as (one, two),
            one.session("ann") as ann,
            one.session("cid") as cid,
            two.session("bob") as bob,
        ):
            room = await ann.chat.create_room("Room")
            await bob.chat.join(room.id)
            await cid.chat.join(room.id)
            async with (
                bob.signals(room.stream) as heard,
                ann.signals(room.stream) as first,
                cid.signals(room.stream),
            ):
                await ann.users.set_away(away=True)
                with anyio.fail_after(2):
                    signal = await anext(heard)
                assert (signal.by, signal.body) == ("ann", {"status": "away"})
                with anyio.move_on_after(2) as waited:
                    await anext(first)
                assert waited.cancelled_caught

    in_cluster(backend, story)


def test_a_node_has_room_for_many_users() -> None:
    assert PRESENCE_USERS_MAX >= 1_000_000


def test_nodes_agree_though_the_bus_loses_repeats_and_delays(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        random = Random(2)
        async with cluster.node() as one, cluster.node() as two:
            users = [f"user-{number}" for number in range(20)]
            for _ in range(300):
                hub, user = random.choice([one, two]), random.choice(users)
                if hub.presence.sessions(user):
                    hub.presence.disconnect(user, user, lost=random.random() < 0.5)
                else:
                    hub.presence.connect(user, user)
                await anyio.sleep(random.uniform(0, 0.1))
            assert isinstance(cluster.bus, FaultyBus)
            # What is delayed may come too late to count.
            cluster.bus.losses = cluster.bus.delays = 0
            await anyio.sleep(GRACE_SECONDS + 2 * PAGE_SECONDS_MAX)

            assert one.knows_presence
            assert two.knows_presence
            for user in users:
                connected = any(hub.presence.sessions(user) for hub in (one, two))
                assert [hub.is_connected(user) for hub in (one, two)] == [connected] * 2
                assert one.presence.status(user) == two.presence.status(user)

    in_cluster(backend, story, FaultyBus(Random(1), losses=0.3, repeats=0.3, delays=0.5))


def test_a_message_has_room_for_its_streams() -> None:
    streams = ["s" * 64] * (PART_BYTES_MAX // 64)
    news = PresenceNews("\U0001f600" * 100, "online", streams)

    assert len(msgspec.msgpack.encode(news)) <= MESSAGE_BYTES_MAX


def test_a_node_looks_at_users_it_knows_when_they_connect_elsewhere(backend: Backend) -> None:
    async def story(cluster: Cluster) -> None:
        async with cluster.nodes() as (one, two):
            async with two.session("ann"):
                pass
            moved = list[str]()
            two.presence.moved = moved.append
            async with one.session("bob"), one.session("ann") as ann:
                await until(lambda: two.is_connected("ann") and two.is_connected("bob"))
                await ann.users.set_away(away=True)
                await anyio.sleep(1)

            assert moved == ["ann"]

    in_cluster(backend, story)
