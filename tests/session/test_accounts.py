"""Accounts: guests who stay, passwords, roles, and signing out."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Closed, Conflict, Invalid, NotAllowed, NotFound, RateLimited
from hubbub.users.account import PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN
from tests.session.worlds import SETTINGS, OpenWorld, World, until

PASSWORD = "correct horse"


def came_back(w: World, name: str, password: str) -> Any:
    """Connect by an account, over the network."""
    assert w.address is not None
    return hubbub.connect(w.address, name=name, password=password)


def over_the_network(w: World) -> bool:
    return w.address is not None


async def test_a_guest_with_an_account_is_the_same_user(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("r")
        user = await alice.users.create_account("Alice", PASSWORD)
        if over_the_network(w):
            async with came_back(w, "ALICE", PASSWORD) as again:
                assert again.user.id == alice.user.id
                assert [one.id for one in await again.chat.rooms()] == [room.id]

        assert user.id == alice.user.id


async def test_a_wrong_password_or_name_is_refused_alike(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        if not over_the_network(w):
            return
        refusals = []
        for name, password in (("Alice", "wrong"), ("Nobody", PASSWORD), ("Alice", "")):
            with pytest.raises(NotAllowed) as refused:
                async with came_back(w, name, password):
                    pass
            refusals.append(refused.value.message)

        assert len(set(refusals)) == 1


async def test_a_name_is_taken_once_whatever_its_case(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        await alice.users.create_account("Zoë", PASSWORD)

        with pytest.raises(Conflict, match="another name"):
            await bob.users.create_account("ZOË", PASSWORD)
        with pytest.raises(Conflict, match="already"):
            await alice.users.create_account("Alice", PASSWORD)


async def test_two_who_want_one_name_at_the_same_time_get_it_once(world: OpenWorld) -> None:
    async with world() as w:
        sessions = await w.sessions("Alice", "Bob")
        taken = []

        async def take(session: hubbub.Session) -> None:
            with suppress(Conflict):
                taken.append((await session.users.create_account("name", PASSWORD)).id)

        async with anyio.create_task_group() as tasks:
            for session in sessions:
                tasks.start_soon(take, session)

        assert len(taken) == 1


@pytest.mark.parametrize(
    "password",
    ["x" * (PASSWORD_CHARS_MIN - 1), "x" * (PASSWORD_CHARS_MAX + 1), ""],
)
async def test_a_password_has_limits(world: OpenWorld, password: str) -> None:
    async with world() as w:
        alice = await w.session("Alice")

        with pytest.raises(Invalid, match="password"):
            await alice.users.create_account("Alice", password)
        await alice.users.create_account("Alice", "x" * PASSWORD_CHARS_MIN)


async def test_a_password_is_changed_by_who_knows_it(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        with pytest.raises(NotFound, match="no account"):
            await alice.users.change_password(PASSWORD, "another one")
        await alice.users.create_account("Alice", PASSWORD)
        with pytest.raises(NotAllowed):
            await alice.users.change_password("wrong one", "another one")
        await alice.users.change_password(PASSWORD, "another one")
        if over_the_network(w):
            with pytest.raises(NotAllowed):
                async with came_back(w, "Alice", PASSWORD):
                    pass
            async with came_back(w, "Alice", "another one") as again:
                assert again.user.id == alice.user.id


async def test_passwords_are_tried_a_few_times_only(world: OpenWorld) -> None:
    settings = hubbub.Settings(password_attempts=3, password_checks_max=1)
    async with world(settings) as w:
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        for _ in range(3):
            with pytest.raises(NotAllowed):
                await alice.users.change_password("wrong one", "another one")
        with pytest.raises(RateLimited) as limited:
            await alice.users.change_password(PASSWORD, "another one")
        w.clock.passed += limited.value.retry_after or 0.0

        await alice.users.change_password(PASSWORD, "another one")


async def ends(call: Callable[[], Coroutine[Any, Any, object]]) -> bool:
    """Tell whether a session has been ended by the server."""
    try:
        with anyio.move_on_after(0.05):
            await call()
    except (Closed, NotAllowed):
        return True
    return False


async def test_who_signs_out_is_out_at_once_on_every_connection(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        if not over_the_network(w):
            await alice.users.sign_out()
            assert await alice.chat.rooms() == []
            return
        assert w.address is not None
        token = alice.refresh_token  # type: ignore[attr-defined]
        async with hubbub.connect(w.address, token=token) as beside:
            await alice.users.sign_out()
            await until(lambda: ends(beside.chat.rooms))
            await until(lambda: ends(alice.chat.rooms))

        with pytest.raises(NotAllowed, match="signed out"):
            async with hubbub.connect(w.address, token=token):
                pass


async def test_other_sign_ins_stay_unless_it_is_everywhere(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        if not over_the_network(w):
            return
        async with came_back(w, "Alice", PASSWORD) as there:
            async with came_back(w, "Alice", PASSWORD) as elsewhere:
                await elsewhere.users.sign_out()
            rooms = await there.chat.rooms()
            w.clock.passed += 1
            await there.users.sign_out(everywhere=True)
            await until(lambda: ends(alice.chat.rooms))

        assert rooms == []


async def test_to_change_the_password_signs_out_everywhere_else(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        if not over_the_network(w):
            return
        w.clock.passed += 1
        async with came_back(w, "Alice", PASSWORD) as there:
            w.clock.passed += 1
            await there.users.change_password(PASSWORD, "another one")
            await until(lambda: ends(alice.chat.rooms))

            assert await there.chat.rooms() == []


async def test_an_admin_gives_roles(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice, bob = await w.sessions("Alice", "Bob")
        room = await bob.chat.create_room("r")
        await root.users.set_role(alice.user.id, "moderator")
        if over_the_network(w):
            # She is told to come back, and does.
            await until(lambda: came_with_role(alice, "moderator"))
            await alice.chat.mute(room.id, bob.user.id, 60)
        else:
            async with w.hub.session(alice.user.id) as again:
                await again.chat.mute(room.id, bob.user.id, 60)

        with pytest.raises(NotAllowed, match="muted"):
            await bob.chat.send(room.id, "hello?")


async def came_with_role(session: hubbub.Session, role: str) -> bool:
    return getattr(session, "role", "") == role


async def test_roles_have_limits(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")

        with pytest.raises(NotAllowed, match="admin"):
            await alice.users.set_role(alice.user.id, "admin")
        with pytest.raises(Invalid):
            await root.users.set_role(alice.user.id, "king")
        with pytest.raises(NotFound):
            await root.users.set_role("nobody", "admin")


async def test_an_application_may_ask_for_more(world: OpenWorld) -> None:
    required = {"games.submit": "moderator", "games.start_match": "admin"}
    async with world(hubbub.Settings(required_roles=required)) as w:
        alice = await w.session("Alice")
        judge = await w.session("Judge", role="moderator")

        with pytest.raises(NotAllowed, match="Only a moderator"):
            await alice.games.submit("main", 10)
        with pytest.raises(NotAllowed, match="Only an admin"):
            await judge.games.start_match([alice.user.id, judge.user.id])
        assert (await judge.games.submit("main", 10)).rank == 1


async def test_what_an_application_asks_for_must_be_there() -> None:
    for required in ({"games.nothing": "admin"}, {"games.submit": "king"}):
        with pytest.raises(Invalid, match="required_roles"):
            async with hubbub.open("memory://", settings=hubbub.Settings(required_roles=required)):
                pass


async def test_a_closed_room_is_silent(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob, eve = await w.sessions("Alice", "Bob", "Eve")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        await alice.chat.send(room.id, "bye")
        with pytest.raises(NotAllowed, match="creator"):
            await bob.chat.close_room(room.id)
        await alice.chat.close_room(room.id)
        await alice.chat.close_room(room.id)

        with pytest.raises(Conflict, match="closed"):
            await bob.chat.send(room.id, "hello?")
        with pytest.raises(Conflict, match="closed"):
            await eve.chat.join(room.id)
        assert [m.text for m in await bob.chat.history(room.id)] == ["bye"]
        assert await eve.chat.rooms() == []
        assert (await bob.chat.join(room.id)).closed


async def test_only_admins_see_how_the_hub_is_doing(world: OpenWorld) -> None:
    async with world(SETTINGS) as w:
        if w.others:
            pytest.skip("Each node counts what happens at it.")
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")
        room = await alice.chat.create_room("Busy")
        await alice.chat.send(room.id, "hi")
        stats = await root.operations.stats()

        assert (stats.connections, stats.users) == (2, 2)
        assert stats.events["message"] == 1
        assert [(one.name, one.events) for one in stats.rooms] == [("Busy", 3)]
        with pytest.raises(NotAllowed, match="admin"):
            await alice.operations.stats()
