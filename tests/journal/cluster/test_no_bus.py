from __future__ import annotations

import anyio
import pytest

from hubbub.journal.cluster.no_bus import NoBus


async def test_no_bus_carries_nothing_and_says_so() -> None:
    bus, heard = NoBus(), list[bytes]()
    with anyio.move_on_after(0.01):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(bus.run, heard.append, lambda: pytest.fail("nothing was lost"))
            bus.publish(0, b"frame")

    assert heard == []
    assert bus.trouble
