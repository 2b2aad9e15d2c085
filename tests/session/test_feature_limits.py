"""The signals and the quotas of an application's own feature."""

from __future__ import annotations

import logging

import anyio
import msgspec
import pytest

import hubbub
from hubbub import FEATURES, HubbubError, RateLimited, Signal
from tests.helpdesk import ANSWERS_MAX, TICKETS, Tickets
from tests.session.worlds import PATIENCE, SETTINGS, OpenWorld

MORE = [*FEATURES, TICKETS]
OPENED_MAX = 2
FEW = msgspec.structs.replace(SETTINGS, rooms_per_user=OPENED_MAX)


async def test_a_signal_reaches_those_who_listen(world: OpenWorld) -> None:
    async with world(features=MORE) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        ticket = await ann.service(Tickets).open("Help")
        with anyio.fail_after(PATIENCE):
            async with ann.signals(ticket.stream) as signals:
                await bob.service(Tickets).look_into(ticket.stream)
                heard = await anext(aiter(signals))

    assert heard == Signal(ticket.stream, bob.user.id, "looking", {"for": "a moment"})


async def test_a_quota_limits_those_who_come_over_a_network(world: OpenWorld) -> None:
    async with world(FEW, features=MORE) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        for number in range(OPENED_MAX):
            await ann.service(Tickets).open(f"{number}")

        if here.address is None:
            # In the process the application answers for what it does.
            await ann.service(Tickets).open("one more")
        else:
            with pytest.raises(RateLimited, match="Too many tickets"):
                await ann.service(Tickets).open("one more")
        await bob.service(Tickets).open("somebody else's")


async def test_a_limit_of_its_own_is_charged(world: OpenWorld) -> None:
    async with world(features=MORE) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        stream = (await ann.service(Tickets).open("Help")).stream
        for _ in range(ANSWERS_MAX):
            await ann.service(Tickets).answer(stream, "Soon")

        with pytest.raises(RateLimited, match="Too many answers"):
            await ann.service(Tickets).answer(stream, "Soon")
        assert (await bob.service(Tickets).answer(stream, "Now")).answers == ANSWERS_MAX + 1


async def test_a_limit_that_nobody_declares_fails_its_command_alone(
    world: OpenWorld, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "hubbub")
    async with world(features=MORE) as here:
        ann, bob = await here.sessions("Ann", "Bob")
        expected = LookupError if here.address is None else HubbubError
        outcomes: list[object] = []

        async def try_charge() -> None:
            try:
                await ann.service(Tickets).charge("nonsense")
            except Exception as error:
                outcomes.append(error)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(try_charge)
            # In one batch with it.
            tasks.start_soon(bob.service(Tickets).open, "Help")
        after = await ann.service(Tickets).open("Help")

    assert after.subject == "Help"
    [error] = outcomes
    assert isinstance(error, expected)


async def test_a_limit_that_nobody_declares_is_named() -> None:
    async with hubbub.open("memory://", features=MORE) as hub, hub.session("ann") as ann:
        with pytest.raises(LookupError) as raised:
            await ann.service(Tickets).charge("nonsense")

    assert str(raised.value) == (
        "No feature of this hub has a limit named 'nonsense'; add it to Feature(limits=…)."
    )
