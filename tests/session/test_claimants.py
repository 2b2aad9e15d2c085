"""Many claim the keys of one device at once: no one-time key is handed out twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

import hubbub
from hubbub import Session
from hubbub.keys.checks import ONE_TIME_KEYS_MAX
from hubbub.keys.device import OneTimeKey
from hubbub.keys.events import SignedKey
from hubbub.keys.feature import CLAIMS_MAX
from tests.session.test_keys import OTHER_KEY, SIGNATURE, SIGNED_KEY, add_device, publish
from tests.session.worlds import SETTINGS, OpenWorld

CLAIMANTS = 1_000
KEYS = 500
NAME = "ann/phone"


@asynccontextmanager
async def a_hub(url: str, members: int) -> AsyncIterator[tuple[hubbub.Hubbub, Session]]:
    """Open a hub where Ann, who has a device, shares an encrypted room with many."""
    async with hubbub.open(url, settings=SETTINGS) as hub, hub.session("ann") as ann:
        await add_device(ann)
        room = await ann.chat.create_room("Secrets", encrypted=True)
        async with anyio.create_task_group() as tasks:
            for number in range(members):
                tasks.start_soon(join, hub, f"user{number}", room.id)
        yield hub, ann


async def join(hub: hubbub.Hubbub, user: str, room: str) -> None:
    async with hub.session(user) as session:
        await session.chat.join(room)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.timeout(60)
async def test_of_a_thousand_claimants_none_gets_the_key_of_another(
    tmp_path: Path, kind: str
) -> None:
    url = "memory://" if kind == "memory" else str(tmp_path / "hub.db")
    claimed: dict[str, OneTimeKey] = {}

    async def claim(hub: hubbub.Hubbub, user: str) -> None:
        async with hub.session(user) as session:
            first = await session.keys.claim([NAME], key=f"{user} claims")
            # The answer was lost: the same call once more.
            assert await session.keys.claim([NAME], key=f"{user} claims") == first
        if NAME in first:
            claimed[user] = first[NAME]

    async with a_hub(url, CLAIMANTS) as (hub, ann):
        await publish(ann, ONE_TIME_KEYS_MAX)
        fallback = ("1000000", SignedKey(OTHER_KEY, SIGNATURE))
        await ann.keys.publish("phone", {}, fallback)
        async with anyio.create_task_group() as tasks:
            for number in range(CLAIMANTS):
                tasks.start_soon(claim, hub, f"user{number}")
        left = await ann.keys.publish("phone", {})

    handed_out = Counter(key.id for key in claimed.values() if not key.fallback)
    assert len(claimed) == CLAIMANTS
    assert set(handed_out) == {str(number) for number in range(ONE_TIME_KEYS_MAX)}
    assert max(handed_out.values()) == 1
    assert {key.id for key in claimed.values() if key.fallback} == {"1000000"}
    assert left == 0


async def test_keys_that_are_published_while_many_claim_are_handed_out_once() -> None:
    claimed: list[str] = []
    refilled = anyio.Event()

    async def claim(hub: hubbub.Hubbub, user: str) -> None:
        async with hub.session(user) as session:
            while not refilled.is_set():
                found = await session.keys.claim([NAME])
                claimed.extend(one.id for one in found.values())

    async def refill(ann: Session) -> None:
        for first in range(0, KEYS, 25):
            while await ann.keys.publish("phone", {}) > ONE_TIME_KEYS_MAX - 25:
                await anyio.lowlevel.checkpoint()
            keys = {str(first + number): SIGNED_KEY for number in range(25)}
            # The answer was lost: the same call once more, when some are claimed already.
            for _ in range(2):
                await ann.keys.publish("phone", keys, key=f"refill {first}")
        refilled.set()

    async with a_hub("memory://", KEYS // CLAIMS_MAX) as (hub, ann):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(refill, ann)
            for number in range(KEYS // CLAIMS_MAX):
                tasks.start_soon(claim, hub, f"user{number}")
        left = await ann.keys.publish("phone", {})

    assert max(Counter(claimed).values()) == 1
    assert len(claimed) + left == KEYS


async def test_a_key_that_was_claimed_and_never_used_is_gone_and_others_go_on(
    world: OpenWorld,
) -> None:
    async with world() as here:
        ann, bob, eve = await here.sessions("Ann", "Bob", "Eve")
        room = await ann.chat.create_room("Secrets", encrypted=True)
        for session in (bob, eve):
            await session.chat.join(room.id)
        await add_device(ann)
        await publish(ann, 2)
        name = f"{ann.user.id}/phone"
        [unused] = (await eve.keys.claim([name])).values()
        [used] = (await bob.keys.claim([name])).values()

        assert (unused.id, used.id) == ("0", "1")
        assert await ann.keys.publish("phone", {}) == 0
        # Its number is not used again.
        assert await publish(ann, 2, first=2) == 2
