"""Admins list, find and create users, set their passwords, and disable them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid, NotAllowed, NotFound
from hubbub.journal.command import Command
from hubbub.journal.event import Draft
from hubbub.journal.link import Offered
from hubbub.journal.schedule import HUB
from hubbub.users.account import PASSWORD_CHARS_MIN
from tests.session.test_accounts import PASSWORD, came_back, ends, over_the_network
from tests.session.worlds import OpenWorld, until

NEW = "a new password"


async def test_users_are_listed_page_after_page(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        sessions = await w.sessions("Ann", "Bob", "Cid", "Dan")
        listed, after = list[hubbub.UserRecord](), None
        while page := await root.users.list_users(after=after, limit=2):
            listed += page
            after = page[-1].id

    assert [one.id for one in listed] == sorted(one.user.id for one in [root, *sessions])
    assert {one.nickname for one in listed} == {"Root", "Ann", "Bob", "Cid", "Dan"}
    assert {one.status for one in listed} == {"online"}


async def test_somebody_who_was_never_here_is_not_listed(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        ann = await w.session("Ann")
        # A feature may write to the streams of users whom only the application knows.
        drafts = [Draft(f"user/{number}-nobody", Offered("room/1")) for number in range(3)]
        await w.hub.itself.execute(Command(HUB, lambda states: drafts, lambda *_: None))

        assert {one.id for one in await root.users.list_users()} == {ann.user.id, root.user.id}
        # A page is full as long as there are more.
        assert len(await root.users.list_users(limit=2)) == 2


async def test_a_record_tells_what_an_admin_needs(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        await root.users.set_role(alice.user.id, "moderator")
        record = await root.users.find("ALICE")

    assert (record.id, record.nickname, record.account) == (alice.user.id, "Alice", "Alice")
    assert (record.role, record.guest, record.disabled) == ("moderator", False, False)
    noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert record.joined_at == noon
    # In the process nobody signs in.
    assert record.signed_in_at == (noon if over_the_network(w) else None)


async def test_a_user_is_found_by_the_id_as_well(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        bob = await w.session("Bob")

        assert (await root.users.find(bob.user.id)).nickname == "Bob"
        for nobody in ("nobody", "x" * 101, "a\nb"):
            with pytest.raises(NotFound, match="no user"):
                await root.users.find(nobody)


async def test_a_created_user_signs_in_with_the_password(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        record = await root.users.create_user("Zoë", PASSWORD, role="moderator")
        again = await root.users.find("zoë")
        if over_the_network(w):
            async with came_back(w, "Zoë", PASSWORD) as zoe:
                assert (zoe.user.id, zoe.user.nickname) == (record.id, "Zoë")
                assert zoe.role == "moderator"

    assert (record.role, record.account, record.status) == ("moderator", "Zoë", "offline")
    assert again == record


async def test_a_user_is_created_within_the_limits_only(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        await root.users.create_user("Zoë", PASSWORD)

        with pytest.raises(Conflict, match="another name"):
            await root.users.create_user("ZOË", PASSWORD)
        with pytest.raises(Conflict, match="looks like"):
            await root.users.create_user("Z0Ë", PASSWORD)
        with pytest.raises(Invalid, match="role"):
            await root.users.create_user("Max", PASSWORD, role="king")
        with pytest.raises(Invalid, match="password"):
            await root.users.create_user("Max", "x" * (PASSWORD_CHARS_MIN - 1))
        assert len(await root.users.list_users()) == 2


async def test_a_password_that_an_admin_sets_revokes_the_sign_ins(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        await root.users.set_password(alice.user.id, NEW)

        with pytest.raises(NotAllowed):
            await w.hub.accounts.sign_in("Alice", PASSWORD, "here")
        assert await w.hub.accounts.sign_in("Alice", NEW, "here") == alice.user.id
        if over_the_network(w):
            await until(lambda: ends(alice.chat.rooms))


async def test_a_user_without_an_account_has_no_password_to_set(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        bob = await w.session("Bob")

        with pytest.raises(NotFound, match="no account"):
            await root.users.set_password(bob.user.id, NEW)
        with pytest.raises(NotFound, match="no user"):
            await root.users.set_password("nobody", NEW)


async def test_a_disabled_user_is_out_and_cannot_sign_in(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        record = await root.users.disable(alice.user.id)

        assert record.disabled
        with pytest.raises(NotAllowed, match="disabled"):
            async with w.hub.session(alice.user.id):
                pass
        if not over_the_network(w):
            return
        await until(lambda: ends(alice.chat.rooms))
        token = alice.refresh_token  # type: ignore[attr-defined]
        for way in (came_back(w, "Alice", PASSWORD), hubbub.connect(str(w.address), token=token)):
            with pytest.raises(NotAllowed, match="disabled"):
                async with way:
                    pass


async def test_a_token_of_the_application_lets_a_disabled_user_in_no_more(
    world: OpenWorld,
) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        mod = await w.session("Mod", role="moderator")
        await root.users.disable(mod.user.id)
        if w.gateway is None or w.address is None:
            return
        token = w.gateway.tokens.sign(mod.user.id, "moderator")

        with pytest.raises(NotAllowed, match="disabled"):
            async with hubbub.connect(w.address, token=token):
                pass


async def test_an_enabled_user_signs_in_again(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")
        alice = await w.session("Alice")
        await root.users.disable(alice.user.id)
        await root.users.disable(alice.user.id)
        record = await root.users.enable(alice.user.id)
        await root.users.enable(alice.user.id)
        async with w.hub.session(alice.user.id) as again:
            events = await again.read(f"user/{alice.user.id}")

    assert not record.disabled
    assert [one.type for one in events[-3:]] == ["disabled", "signed_out_everywhere", "enabled"]


async def test_an_admin_disables_neither_themself_nor_nobody(world: OpenWorld) -> None:
    async with world() as w:
        root = await w.session("Root", role="admin")

        with pytest.raises(Conflict, match="yourself"):
            await root.users.disable(root.user.id)
        for method in (root.users.disable, root.users.enable):
            with pytest.raises(NotFound, match="no user"):
                await method("nobody")


@pytest.mark.parametrize("role", ["user", "moderator"])
async def test_all_of_this_is_for_admins(world: OpenWorld, role: str) -> None:
    async with world() as w:
        bob = await w.session("Bob", role=role)
        users, me = bob.users, bob.user.id

        for call in (
            users.list_users,
            lambda: users.find(me),
            lambda: users.create_user("Zoë", PASSWORD),
            lambda: users.set_password(me, NEW),
            lambda: users.disable(me),
            lambda: users.enable(me),
        ):
            with pytest.raises(NotAllowed, match="Only an admin"):
                await call()
