"""Roles, and what moderators may do."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Banned, Conflict, Invalid, Muted, NotAllowed, NotFound, NotMember
from tests.session.worlds import OpenWorld, World


async def in_a_room(w: World, *nicknames: str) -> tuple[hubbub.Room, list[hubbub.Session]]:
    """Let the first make a room, and the others join it."""
    first, *others = sessions = await w.sessions(*nicknames)
    room = await first.chat.create_room("r")
    for session in others:
        await session.chat.join(room.id)
    return room, sessions


async def test_the_creator_makes_and_unmakes_moderators(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        await alice.chat.set_role(room.id, bob.user.id, "moderator")
        after = await bob.chat.join(room.id)
        await alice.chat.set_role(room.id, bob.user.id, "member")

        assert after.roles[bob.user.id] == "moderator"
        assert (await bob.chat.join(room.id)).roles[bob.user.id] == "member"


async def test_roles_have_their_limits(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")

        with pytest.raises(NotAllowed, match="creator"):
            await bob.chat.set_role(room.id, bob.user.id, "moderator")
        with pytest.raises(Invalid):
            await alice.chat.set_role(room.id, bob.user.id, "king")
        with pytest.raises(Conflict):
            await alice.chat.set_role(room.id, alice.user.id, "member")
        with pytest.raises(NotFound):
            await alice.chat.set_role(room.id, "nobody", "member")


async def test_who_was_kicked_is_out_and_may_come_back(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        await alice.chat.kick(room.id, bob.user.id)

        with pytest.raises(NotMember):
            await bob.chat.send(room.id, "hello?")
        with pytest.raises(NotFound):
            await alice.chat.kick(room.id, bob.user.id)
        assert bob.user.id in (await bob.chat.join(room.id)).members


async def test_who_was_banned_is_out_until_a_moderator_invites(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob, eve) = await in_a_room(w, "Alice", "Bob", "Eve")
        await alice.chat.ban(room.id, bob.user.id)
        for call in (bob.chat.join(room.id), bob.chat.send(room.id, "x"), bob.read(room.stream)):
            with pytest.raises(Banned):
                await call
        with pytest.raises(NotAllowed):
            await eve.chat.invite(room.id, bob.user.id)
        await alice.chat.invite(room.id, bob.user.id)

        assert bob.user.id in (await bob.chat.join(room.id)).members


async def test_who_was_muted_reads_and_does_not_speak_for_a_while(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        said = await alice.chat.send(room.id, "calm down")
        await alice.chat.mute(room.id, bob.user.id, 60)
        w.clock.passed = 20
        with pytest.raises(Muted) as muted:
            await bob.chat.send(room.id, "no")
        with pytest.raises(Muted):
            await bob.chat.react(room.id, said.seq, "😡")
        w.clock.passed = 60

        assert muted.value.retry_after == 40
        assert [m.text for m in await bob.chat.history(room.id)] == ["calm down"]
        assert (await bob.chat.send(room.id, "sorry")).text == "sorry"


async def test_a_mute_is_lifted_by_one_of_no_seconds(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        await alice.chat.mute(room.id, bob.user.id, 3600)
        await alice.chat.mute(room.id, bob.user.id, 0)

        assert (await bob.chat.send(room.id, "free")).text == "free"


async def test_a_mute_has_limits(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")

        for seconds in (-1, 366 * 24 * 3600, float("inf"), float("nan")):
            with pytest.raises(Invalid):
                await alice.chat.mute(room.id, bob.user.id, seconds)


async def test_members_moderate_nobody_and_moderators_not_each_other(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob, eve) = await in_a_room(w, "Alice", "Bob", "Eve")
        await alice.chat.set_role(room.id, bob.user.id, "moderator")
        calls = [
            eve.chat.kick(room.id, bob.user.id),
            eve.chat.ban(room.id, alice.user.id),
            eve.chat.mute(room.id, bob.user.id, 1),
            bob.chat.kick(room.id, alice.user.id),
            bob.chat.ban(room.id, bob.user.id),
        ]

        for call in calls:
            with pytest.raises(NotAllowed):
                await call
        await bob.chat.kick(room.id, eve.user.id)


async def test_a_moderator_of_everything_need_not_be_a_member(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        warden = await w.session("Warden", role="moderator")
        await warden.chat.ban(room.id, alice.user.id)

        with pytest.raises(Banned):
            await alice.chat.send(room.id, "my own room!")
        assert (await bob.chat.join(room.id)).members == [bob.user.id]


async def test_the_order_of_checks_is_exists_may_valid(world: OpenWorld) -> None:
    async with world() as w:
        room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
        await alice.chat.ban(room.id, bob.user.id)

        with pytest.raises(NotFound):
            await bob.chat.send("none", "")
        with pytest.raises(Banned):
            await bob.chat.send(room.id, "")
        with pytest.raises(Invalid):
            await alice.chat.send(room.id, "")
