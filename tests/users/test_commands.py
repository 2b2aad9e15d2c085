from __future__ import annotations

import hubbub


async def test_a_role_that_a_user_has_is_not_given_again() -> None:
    async with (
        hubbub.open("memory://") as hub,
        hub.session("ann"),
        hub.session("root", role="admin") as root,
    ):
        await root.users.set_role("ann", "moderator")
        head = len(await hub_events(hub))
        await root.users.set_role("ann", "moderator")

        assert len(await hub_events(hub)) == head


async def test_a_profile_that_stays_as_it_is_writes_nothing() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann", nickname="Ann") as ann:
        head = len(await hub_events(hub))
        user = await ann.users.update(nickname="Ann")

        assert (user.nickname, len(await hub_events(hub))) == ("Ann", head)


async def test_in_the_process_there_is_no_one_sign_in_to_end() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        head = len(await hub_events(hub))
        await ann.users.sign_out()
        kept = len(await hub_events(hub))
        await ann.users.sign_out(everywhere=True)

        assert (kept, len(await hub_events(hub))) == (head, head + 1)


async def hub_events(hub: hubbub.Hubbub) -> list[hubbub.Event]:
    async with hub.session("ann") as ann:
        return await ann.read("user/ann")
