"""Presence, and its signals."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict
from tests.session.worlds import OpenWorld, heard, until


async def test_who_shares_a_room_is_told(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("r")
        async with w.visit("Bob") as bob:
            await bob.chat.join(room.id)
            async with alice.signals(room.stream) as signals:
                await bob.users.set_away(away=True)
                away = await heard(signals, "away")
                await bob.users.set_away(away=False)
                back = await heard(signals, "online")
                status = (await alice.users.get(bob.user.id)).status

        assert (away.type, away.by, away.body) == ("presence", bob.user.id, {"status": "away"})
        assert (back.by, back.body) == (bob.user.id, {"status": "online"})
        assert status == "online"


async def test_who_leaves_is_offline_for_those_who_share_a_room(world: OpenWorld) -> None:
    # Not every server tells with what code a socket was closed.
    async with world(hubbub.Settings(presence_grace_seconds=0.0)) as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("r")
        async with alice.signals(room.stream) as signals:
            async with w.visit("Bob") as bob:
                await bob.chat.join(room.id)
            told = await heard(signals, "offline")

        assert (told.by, told.body) == (bob.user.id, {"status": "offline"})


async def test_those_who_share_nothing_are_not_told(world: OpenWorld) -> None:
    async with world() as w:
        alice, eve = await w.sessions("Alice", "Eve")
        room = await alice.chat.create_room("r")
        async with alice.signals(room.stream) as signals:
            await eve.users.set_away(away=True)
            await alice.chat.typing(room.id)
            told = [await anext(signals)]
            while told[-1].type != "typing":
                told.append(await anext(signals))

        assert {one.by for one in told} == {alice.user.id}


async def test_a_room_that_many_follow_is_not_told(world: OpenWorld) -> None:
    async with world(hubbub.Settings(presence_followers_max=1)) as w:
        if w.others:
            pytest.skip("Each node compares with its own followers.")
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        async with alice.signals(room.stream) as signals:
            async with bob.signals(room.stream):
                await bob.users.set_away(away=True)
                await bob.chat.typing(room.id)
                crowded = [await anext(signals)]
                while crowded[-1].type != "typing":
                    crowded.append(await anext(signals))
            await until_alone(w, room)
            await bob.users.set_away(away=False)
            alone = await heard(signals, "online")

        assert {"status": "away"} not in [one.body for one in crowded]
        assert alone.by == bob.user.id


async def until_alone(w: object, room: hubbub.Room) -> None:
    hub: hubbub.Hubbub = w.hub  # type: ignore[attr-defined]

    async def alone() -> bool:
        topic = hub.journal.topic(room.stream)
        return topic is not None and len(topic.followers) == 1

    await until(alone)


async def test_one_is_away_when_all_of_ones_sessions_are(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        async with w.hub.session(bob.user.id) as beside:
            await bob.users.set_away(away=True)
            before = (await alice.users.get(bob.user.id)).status
            await beside.users.set_away(away=True)

            async def is_away() -> bool:
                # What was told a moment ago may be told again for a moment.
                await alice.users.set_away(away=False)
                return (await alice.users.get(bob.user.id)).status == "away"

            await until(is_away)

        assert before == "online"


async def test_who_is_not_connected_cannot_be_away() -> None:
    async with hubbub.open("memory://") as hub:
        request = hub.session_of(hub.actor("ann", "user"))

        with pytest.raises(Conflict, match="connected"):
            await request.users.set_away(away=True)


async def test_who_comes_and_goes_too_often_is_told_of_in_the_end(world: OpenWorld) -> None:
    settings = hubbub.Settings(presence_limit=2, signal_period=0.2)
    async with world(settings) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        w.clock.passed += 1
        async with alice.signals(room.stream) as signals:
            for number in range(9):
                await bob.users.set_away(away=number % 2 == 0)
            w.clock.passed += 1
            with anyio.fail_after(5):
                first = await heard(signals, "away")
                told = [first.body] + [(await anext(signals)).body for _ in range(2)]
            await alice.chat.typing(room.id)
            last = await anext(signals)

        away, online = {"status": "away"}, {"status": "online"}
        assert told == [away, online, away]
        assert last.type == "typing"
