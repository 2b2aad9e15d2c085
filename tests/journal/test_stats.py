"""How a hub is doing."""

from __future__ import annotations

from contextlib import suppress

import anyio

import hubbub
from hubbub.journal.live.topic import Follower
from hubbub.journal.stats import SHOWN_MAX


async def test_a_new_hub_has_done_little() -> None:
    async with hubbub.open("memory://") as hub:
        stats = hub.meter.stats()

    assert (stats.connections, stats.users, stats.calls_queued) == (0, 0, 0)
    assert (stats.batch_calls, stats.commit_seconds_p99) == (0.0, 0.0)


async def test_what_is_decided_and_refused_is_counted() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        before = hub.meter.stats()
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "hi")
        with suppress(hubbub.Invalid):
            await ann.chat.send(room.id, "")
        after = hub.meter.stats()

    # The hub has commands of its own, besides these three.
    assert after.calls - before.calls >= 3
    assert after.refusals - before.refusals == 1
    assert after.batches - before.batches >= 2
    assert after.events["message"] == 1
    assert 0 < after.commit_seconds_median <= after.commit_seconds_p99


async def test_followers_that_are_behind_are_named_the_slowest_first() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        async with ann.follow(room.stream, after=0):
            topic = hub.journal.topic(room.stream)
            assert topic is not None
            await anyio.wait_all_tasks_blocked()
            for number in range(SHOWN_MAX + 1):
                topic.followers[Follower(f"slow {number}", 2 - number % 2)] = None
            stats = hub.meter.stats()
            for follower in [one for one in topic.followers if one.user.startswith("slow")]:
                del topic.followers[follower]

    assert (stats.slowest[0].stream, stats.slowest[0].behind) == (room.stream, 2)
    assert stats.slowest[0].user == "ann"
    assert len(stats.slowest) <= SHOWN_MAX
    # The schedules, which the hub itself follows, do not count.
    assert (stats.topics, stats.followers) == (1, SHOWN_MAX + 2)


async def test_a_room_is_shown_by_its_name() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        [traffic] = hub.meter.stats().rooms

    assert (traffic.stream, traffic.name, traffic.events) == (room.stream, "Room", 2)


async def test_a_room_that_is_closed_is_not_shown() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.close_room(room.id)

        assert hub.meter.stats().rooms == []


async def test_a_feature_whose_streams_cannot_be_named_hides_no_others() -> None:
    def name_of(state: object) -> str:
        raise ZeroDivisionError

    odd = hubbub.Feature(name="odd", traffic={"user": name_of})
    features = [odd, *hubbub.FEATURES]
    async with hubbub.open("memory://", features=features) as hub, hub.session("ann") as ann:
        await ann.chat.create_room("Room")
        shown = [traffic.name for traffic in hub.meter.stats().rooms]

    assert shown == ["Room"]
