from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Invalid, NotFound
from tests.session.worlds import OpenWorld, until


async def test_a_session_knows_its_user(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        assert alice.user.nickname == "Alice"
        assert alice.user.status == "online"
        assert alice.user.joined_at == w.clock.now()
        assert alice.user.rating == 1500
        assert await alice.users.get(alice.user.id) == alice.user


async def test_each_guest_is_somebody_else(world: OpenWorld) -> None:
    async with world() as w:
        one, other = await w.sessions("Alice", "Alice")

        assert one.user.id != other.user.id


async def test_several_are_looked_up_in_the_order_asked_for(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        found = await alice.users.get_many([bob.user.id, alice.user.id])

        assert [user.nickname for user in found] == ["Bob", "Alice"]


async def test_nobody_of_that_id_is_not_found(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        with pytest.raises(NotFound, match="no user 'nobody'"):
            await alice.users.get("nobody")
        with pytest.raises(NotFound):
            await alice.users.get_many([alice.user.id, "nobody"])


async def test_who_is_online_is_listed_until_they_leave(world: OpenWorld) -> None:
    # Not every server tells with what code a socket was closed.
    async with world(hubbub.Settings(presence_grace_seconds=0.0)) as w:
        alice = await w.session("Alice")
        async with w.visit("Bob") as bob:
            both = await alice.users.online()

        async def bob_is_gone() -> bool:
            return (await alice.users.get(bob.user.id)).status == "offline"

        await until(bob_is_gone)

        assert [user.nickname for user in both] == ["Alice", "Bob"]
        assert [user.nickname for user in await alice.users.online()] == ["Alice"]


async def test_who_is_online_is_listed_by_page(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, cid = await w.sessions("Alice", "Bob", "Cid")

        async def all_are_online() -> bool:
            return len(await alice.users.online()) == 3

        await until(all_are_online)
        first = await alice.users.online(limit=2)
        second = await alice.users.online(after=first[-1].id, limit=2)

        # A node lists its own users first, and the sessions are on several nodes.
        assert len(first) == 2
        assert {user.id for user in first + second} == {one.user.id for one in (alice, bob, cid)}
        with pytest.raises(NotFound, match="not online"):
            await alice.users.online(after="nobody")
        with pytest.raises(Invalid):
            await alice.users.online(limit=501)


async def test_a_profile_is_changed_in_parts(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        renamed = await alice.users.update(nickname="  Alicia ")
        await alice.users.update(avatar="🦊")
        seen = await bob.users.get(alice.user.id)

        assert renamed.nickname == "Alicia"
        assert (seen.nickname, seen.avatar) == ("Alicia", "🦊")


async def test_a_nickname_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        for nickname in ("", " ", "x" * 101, "a\nb"):
            with pytest.raises(Invalid):
                await alice.users.update(nickname=nickname)
            with pytest.raises(Invalid):
                await w.session(nickname)
