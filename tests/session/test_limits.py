"""How many messages one may send."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.errors import Invalid, RateLimited
from tests.server.memory_socket import Client, clients
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld

# As they are by default: 10 messages in any 60 seconds.
DEFAULT = hubbub.Settings()


async def test_of_15_at_a_time_exactly_10_pass(world: OpenWorld) -> None:
    async with world(DEFAULT) as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        outcomes: list[object] = []

        async def send(n: int) -> None:
            try:
                outcomes.append(await alice.chat.send(room.id, f"message {n}"))
            except RateLimited as error:
                outcomes.append(error.retry_after)

        async with anyio.create_task_group() as tasks:
            for n in range(15):
                tasks.start_soon(send, n)

        assert len([o for o in outcomes if isinstance(o, hubbub.Message)]) == 10
        assert [o for o in outcomes if not isinstance(o, hubbub.Message)] == [60.0] * 5
        assert len(await bob.chat.history(room.id)) == 10


async def test_only_what_was_accepted_is_charged(world: OpenWorld) -> None:
    async with world(DEFAULT) as w:
        room, (alice, _) = await in_a_room(w, "Alice", "Bob")
        for _ in range(20):
            with pytest.raises(Invalid):
                await alice.chat.send(room.id, "")
        first = await alice.chat.send(room.id, "0", key="k")
        for n in range(1, 10):
            await alice.chat.send(room.id, str(n))
        again = await alice.chat.send(room.id, "0", key="k")

        with pytest.raises(RateLimited):
            await alice.chat.send(room.id, "one too many")
        assert again == first


async def test_each_message_counts_for_a_minute(world: OpenWorld) -> None:
    async with world(DEFAULT) as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        for n in range(10):
            w.clock.passed = float(n)
            await alice.chat.send(room.id, str(n))
        with pytest.raises(RateLimited) as limited:
            await alice.chat.send_direct(bob.user.id, "a conversation counts as well")
        w.clock.passed += limited.value.retry_after or 0
        await alice.chat.send(room.id, "the first is over")

        assert limited.value.retry_after == 51.0
        with pytest.raises(RateLimited):
            await alice.chat.send(room.id, "the second is not")
        assert (await bob.chat.send(room.id, "others have their own")).by == bob.user.id


async def test_the_application_s_own_voice_has_no_message_limit() -> None:
    async with (
        hubbub.open("memory://") as hub,
        hub.session("shop", role="admin") as shop,
        hub.session("mod", role="moderator") as moderator,
    ):
        room = await shop.chat.create_room("News")
        await moderator.chat.join(room.id)
        sent = [await shop.chat.send(room.id, str(n)) for n in range(11)]
        sent += [await shop.chat.send_direct("mod", str(n)) for n in range(11)]
        for n in range(10):
            await moderator.chat.send(room.id, str(n))

        with pytest.raises(RateLimited):
            await moderator.chat.send(room.id, "one too many")
        assert len(sent) == 22


async def test_an_admin_who_comes_over_a_network_has_one() -> None:
    async with clients(settings=DEFAULT) as (gateway, _):
        admin = Client(gateway)
        await admin.ask("session.sign_in", token=gateway.tokens.sign("root", "admin"))
        room = (await admin.ask("chat.create_room", name="r"))["result"]
        answers = [
            await admin.ask("chat.send", room_id=room["id"], text="hi")
            for _ in range(DEFAULT.message_limit + 1)
        ]

    assert ["error" in answer for answer in answers] == [False] * 10 + [True]
