"""How much one user's devices may publish, send and back up."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Invalid, RateLimited
from hubbub.keys import checks
from hubbub.keys.checks import KEY_ID_DIGITS_MAX
from hubbub.keys.device import SealedBody
from hubbub.keys.feature import DELIVERIES_MAX
from hubbub.keys.service import ENTRIES_MAX
from hubbub.testing import ManualClock
from tests.session.test_keys import add_device


async def test_a_users_devices_send_only_so_often() -> None:
    # Time stands, because the limit would let one more pass every 0.6 seconds.
    settings = hubbub.Settings(clock=ManualClock())
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        await add_device(ann)
        sealed = {"ann/phone": SealedBody(0, "AAAA")}
        for _ in range(DELIVERIES_MAX):
            await ann.keys.deliver("phone", sealed)

        with pytest.raises(RateLimited, match="messages to devices"):
            await ann.keys.deliver("phone", sealed)


async def test_a_call_backs_up_only_so_many_sessions() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        await ann.keys.begin_backup("one", "c2FsdA", "Y2hlY2s")
        entries = {str(number): "AAAA" for number in range(ENTRIES_MAX)}
        await ann.keys.back_up("one", entries)

        with pytest.raises(Invalid, match=f"1 to {ENTRIES_MAX} entries"):
            await ann.keys.back_up("one", {**entries, "more": "AAAA"})


def test_a_key_id_has_only_so_many_digits() -> None:
    assert checks.check_key_id("9" * KEY_ID_DIGITS_MAX)

    with pytest.raises(Invalid, match=f"at most {KEY_ID_DIGITS_MAX} digits"):
        checks.check_key_id("9" * (KEY_ID_DIGITS_MAX + 1))
