from __future__ import annotations

import anyio

from hubbub.journal.cluster.no_bus import NoBus
from tests.journal.cluster.kit import Listener


async def test_it_carries_nothing_and_says_so() -> None:
    listener = Listener(NoBus())
    with anyio.move_on_after(0.01):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.run)
            listener.bus.publish(0, b"hello")

    assert listener.frames == []
    assert listener.bus.trouble != ""
