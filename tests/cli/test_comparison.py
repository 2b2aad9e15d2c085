from __future__ import annotations

import anyio
import pytest

from hubbub.cli.comparison import Comparison


@pytest.mark.parametrize("same", [True, False])
async def test_an_answer_wakes_the_task_that_waits(same: bool) -> None:
    comparison = Comparison()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(comparison.given.wait)
        comparison.answer(same=same)

    assert comparison.same is same
