from __future__ import annotations

import anyio

import hubbub
from hubbub.demo.bots import ROBIN
from hubbub.demo.directs import DIRECTS_MAX
from tests.demo.demo_hub import Backend, in_demo, on_each_backend


@on_each_backend
def test_a_direct_message_is_answered_once(backend: Backend) -> None:
    async def story(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)
        async with hub.session("ann") as ann:
            for text in ("hello", "are you there?"):
                await ann.chat.send_direct(ROBIN.id, text)
                await anyio.sleep(1)
            (direct,) = await ann.chat.directs()
            page = await ann.chat.history(direct.id)

        assert [message.by for message in page] == ["ann", ROBIN.id, "ann"]
        assert "Lobby" in page[1].text

    in_demo(backend, story)


@on_each_backend
def test_many_users_cannot_make_the_bot_send_many_direct_messages(backend: Backend) -> None:
    answered = list[str]()

    async def story(hub: hubbub.Hubbub) -> None:
        await anyio.sleep(1)
        for number in range(2 * DIRECTS_MAX):
            async with hub.session(f"user-{number}") as user:
                await user.chat.send_direct(ROBIN.id, "hello")
                await anyio.sleep(0.1)
                (direct,) = await user.chat.directs()
                page = await user.chat.history(direct.id)
                answered.extend(one.by for one in page if one.by == ROBIN.id)

    in_demo(backend, story)

    assert len(answered) == DIRECTS_MAX
