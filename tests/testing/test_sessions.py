from __future__ import annotations

import pytest

import hubbub
from hubbub.testing import Sessions


async def test_users_leave_with_the_block() -> None:
    async with hubbub.open("memory://") as hub, hub.session("cho") as cho:
        async with Sessions(hub) as session:
            await session("ann", role="admin")
            both = await cho.users.online()
        left = await cho.users.online()

    assert {user.id for user in both} == {"ann", "cho"}
    assert [user.id for user in left] == ["cho"]


async def test_a_user_who_cannot_connect_is_no_reason_to_leave() -> None:
    async with hubbub.open("memory://") as hub, Sessions(hub) as session:
        with pytest.raises(hubbub.Invalid):
            await session("a/b")
        ann = await session("ann")

    assert ann.user.id == "ann"
