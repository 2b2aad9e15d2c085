"""The decisions of admins about users; tests/session has their view of it."""

from __future__ import annotations

import hubbub
from hubbub.users.events import RoleGiven


async def types_of(hub: hubbub.Hubbub, user: str) -> list[str]:
    async with hub.session("reader") as reader:
        journal = reader.actor.journal  # type: ignore[attr-defined]
        bodies = await journal.read(f"user/{user}", 0, 100, by="reader")
        return [journal.streams.decode(body).type for body in bodies]


async def test_a_new_user_is_known_before_the_first_sign_in() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        plain = await root.users.create_user("Ann", "correct horse")
        chief = await root.users.create_user("Max", "correct horse", role="admin")

        assert await types_of(hub, plain.id) == ["registered", "account"]
        assert (await types_of(hub, chief.id))[-1] == RoleGiven.__struct_config__.tag


async def test_to_disable_twice_writes_once() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        ann = await root.users.create_user("Ann", "correct horse")
        await root.users.disable(ann.id)
        await root.users.disable(ann.id)

        assert (await types_of(hub, ann.id))[2:] == ["disabled", "signed_out_everywhere"]


async def test_to_enable_somebody_who_is_not_disabled_writes_nothing() -> None:
    async with hubbub.open("memory://") as hub, hub.session("root", role="admin") as root:
        ann = await root.users.create_user("Ann", "correct horse")
        await root.users.enable(ann.id)

        assert len(await types_of(hub, ann.id)) == 2


async def test_the_hub_itself_administers_without_being_a_user() -> None:
    async with hubbub.open("memory://") as hub:
        operator = hub.session_of(hub.itself)
        ann = await operator.users.create_user("Ann", "correct horse")
        await operator.users.disable(ann.id)
        listed = await operator.users.list_users()

    assert [(one.account, one.disabled) for one in listed] == [("Ann", True)]
