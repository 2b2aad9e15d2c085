from __future__ import annotations

import hubbub
from hubbub.demo.bots import ROBIN, SAMPLES, bot_session


async def test_every_bot_says_that_it_is_one() -> None:
    async with hubbub.open("memory://") as hub:
        for bot in (ROBIN, *SAMPLES):
            async with bot_session(hub, bot) as session:
                user = await session.users.get(session.user.id)

                assert user.nickname == f"{bot.name} (bot)"
                assert user.avatar == "🤖"


async def test_a_bot_that_comes_back_changes_nothing() -> None:
    async with hubbub.open("memory://") as hub:
        async with bot_session(hub, ROBIN) as session:
            before = await session.read(f"user/{ROBIN.id}")
        async with bot_session(hub, ROBIN) as session:
            after = await session.read(f"user/{ROBIN.id}")

    assert after == before
