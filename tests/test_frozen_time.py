"""Packages that freeze the time replace `datetime` in all modules by a subclass of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self, get_type_hints

import pytest

import hubbub
from hubbub import Money, Room, Settings
from hubbub.clock import SystemClock, plain
from tests.server.running import running

REAL = datetime
Freeze = Callable[[], None]


class AnyTime(type):
    """Real times count as frozen ones, as they do with freezegun."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, REAL)


class Frozen(datetime, metaclass=AnyTime):
    """A time that stands still."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return cls(2026, 3, 1, 12, tzinfo=tz)

    def __add__(self, other: timedelta) -> Frozen:
        return frozen(REAL.__add__(self, other))

    def astimezone(self, tz: tzinfo | None = None) -> Frozen:
        return frozen(REAL.astimezone(self, tz))


def frozen(moment: datetime) -> Frozen:
    return Frozen(*moment.timetuple()[:6], moment.microsecond, tzinfo=moment.tzinfo)


class FrozenClock(SystemClock):
    """A clock of an application."""

    def now(self) -> datetime:
        return Frozen.now(UTC)


@pytest.fixture
def freeze() -> Iterator[Callable[[], None]]:
    with pytest.MonkeyPatch.context() as patch:

        def do() -> None:
            patch.setattr(time, "time", Frozen.now(UTC).timestamp)
            for name, module in list(sys.modules.items()):
                if name.startswith("hubbub") and getattr(module, "datetime", None) is REAL:
                    patch.setattr(module, "datetime", Frozen)

        yield do


async def use(hub: hubbub.Hubbub) -> datetime:
    """Write events of each feature, with times in them."""
    async with hub.session("ann", role="admin") as ann, hub.session("bob") as bob:
        room = await ann.chat.create_room("Room")
        await bob.chat.join(room.id)
        await ann.chat.mute(room.id, "bob", 10)
        await ann.games.start_match(["ann", "bob"])
        await ann.shop.set_product("pen", "Pen", Money("5.00", "USD"))
        later = Frozen.now(UTC) + timedelta(days=1)
        await ann.shop.set_coupon("TEN", percent=10, expires_at=later)
        await bob.shop.add_item("pen")
        await bob.shop.apply_coupon("TEN")
        await bob.shop.checkout(payment="4242424242424242", key="1")
        return (await ann.chat.send(room.id, "hi")).at


async def test_a_hub_works_while_the_time_is_frozen(freeze: Freeze) -> None:
    async with hubbub.open("memory://") as hub:
        freeze()
        at = await use(hub)

    assert type(at) is REAL
    assert at == Frozen.now(UTC)


async def test_a_clock_can_return_times_of_a_subclass() -> None:
    async with hubbub.open("memory://", settings=Settings(clock=FrozenClock())) as hub:
        at = await use(hub)

    assert type(at) is REAL


async def test_guests_register_over_a_network_while_the_time_is_frozen(freeze: Freeze) -> None:
    async with running() as server, hubbub.connect(server.address, nickname="Ann"):
        freeze()
        async with hubbub.connect(server.address, nickname="Bob") as bob:
            joined_at = bob.user.joined_at

    assert joined_at == Frozen.now(UTC)


async def test_a_hub_can_be_opened_in_frozen_time(freeze: Freeze) -> None:
    freeze()
    async with hubbub.open("memory://") as hub:
        at = await use(hub)

    assert at == Frozen.now(UTC)


async def test_types_that_are_first_read_in_frozen_time_are_right_afterwards(
    freeze: Freeze,
) -> None:
    async with hubbub.open("memory://"):
        freeze()
        SystemClock().now()

    hints = get_type_hints(Room)
    assert Room.__module__ in sys.modules
    assert hints["created_at"] is REAL


def test_the_same_time_is_told_in_the_type_that_is_encoded() -> None:
    moment = Frozen(2026, 10, 25, 2, 30, 1, 5, tzinfo=UTC, fold=1)

    assert type(plain(moment)) is REAL
    assert plain(moment) == moment
    assert plain(moment).fold == 1
    assert plain(now := REAL.now(UTC)) is now
