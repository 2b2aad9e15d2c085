"""Signals of presence while the store fails."""

from __future__ import annotations

import anyio

import hubbub
from hubbub.testing import VirtualClock, run_in_virtual_time
from hubbub.users.presence_signals import AGAIN_SECONDS
from tests.event_loop import Backend
from tests.journal.troubled import AwayStore


def test_followers_learn_of_a_user_when_the_store_can_be_read_again(backend: Backend) -> None:
    async def story() -> None:
        store = AwayStore()
        settings = hubbub.Settings(clock=VirtualClock())
        async with hubbub.open(store=store) as before, before.session("bob") as bob:
            room = await bob.chat.create_room("Lobby")
        # Nothing of bob's is in memory.
        async with hubbub.open(store=store, settings=settings) as hub, hub.session("ann") as ann:
            await ann.chat.join(room.id)
            async with ann.signals(room.stream) as signals:
                store.reads = False
                actor = hub.actor("bob", "user")
                hub.connect(actor)
                await anyio.sleep(10 * AGAIN_SECONDS)
                store.reads = True
                with anyio.fail_after(2 * AGAIN_SECONDS):
                    news = await anext(signals)
                hub.disconnect(actor)

        assert (news.type, news.by, news.body) == ("presence", "bob", {"status": "online"})

    run_in_virtual_time(story, backend=backend)
