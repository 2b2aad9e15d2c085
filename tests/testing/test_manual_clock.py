from __future__ import annotations

from datetime import timedelta

import pytest

from hubbub.testing import EPOCH, ManualClock


async def test_it_stands_until_it_is_moved() -> None:
    clock = ManualClock()
    before = clock.now()
    await clock.advance(90)

    assert before == EPOCH
    assert clock.now() - before == timedelta(seconds=90)
    assert clock.monotonic() == 90


async def test_it_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="does not run backwards"):
        await ManualClock().advance(-1)
