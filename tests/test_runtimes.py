"""The runtimes of features, which run while the hub is open."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.domain import Command, Feature, Host, Service, command, nothing
from hubbub.errors import Closed, Conflict, Invalid
from hubbub.feature import Adoption, Callback, WebhookRoute


class Bell:
    """The value of the runtime: it can be rung, and records its events."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.broken = anyio.Event()


class Rings(Service):
    """Rings the bell."""

    name = "rings"

    @command
    def ring(self) -> Command[str]:
        """Ring it."""
        bell = self.runtime
        assert isinstance(bell, Bell)

        def result(states: object, events: object) -> str:
            bell.seen.append("rung")
            return self.actor.user

        return Command(self.actor.user, nothing, result)


BELL = Bell()


@asynccontextmanager
async def hanging(hub: Host) -> AsyncIterator[Bell]:
    bell = Bell()
    bell.seen.append("entered")
    yield bell
    # The journal still takes commands.
    await hub.itself.execute(Command("/hub", nothing, lambda states, events: None))
    bell.seen.append("left")


@asynccontextmanager
async def breaking(hub: Host) -> AsyncIterator[Bell]:
    bell = Bell()

    async def work() -> None:
        await bell.broken.wait()
        raise ZeroDivisionError("the bell is broken")

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(work)
        yield bell
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def never(hub: Host) -> AsyncIterator[Bell]:
    raise Conflict("There is no bell.")
    yield Bell()


@asynccontextmanager
async def staying(hub: Host) -> AsyncIterator[Bell]:
    yield Bell()
    await anyio.sleep_forever()


def rings(runtime: Any = hanging, **more: Any) -> Feature:
    return Feature(name="rings", service=Rings, runtime=runtime, **more)


def opened(feature: Feature, **settings: Any) -> hubbub.Hubbub:
    features = [*hubbub.FEATURES, feature]
    return hubbub.open("memory://", features=features, settings=hubbub.Settings(**settings))


async def test_a_service_is_given_what_the_runtime_has_yielded() -> None:
    async with opened(rings()) as hub, hub.session("ann") as ann:
        user = await ann.service(Rings).ring()
        seen = list(hub.runtime(Bell).seen)

    assert (user, seen) == ("ann", ["entered", "rung"])


async def test_a_runtime_is_left_while_commands_are_still_taken() -> None:
    async with opened(rings()) as hub:
        bell = hub.runtime(Bell)

    assert bell.seen == ["entered", "left"]


async def test_a_runtime_that_cannot_be_entered_opens_no_hub() -> None:
    with pytest.raises(Conflict, match="no bell"):
        async with opened(rings(never)):
            pytest.fail("it is open")


async def test_a_runtime_that_dies_closes_the_hub_with_its_error_and_names_the_feature(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waited: list[str] = []

    async def wait() -> None:
        async with opened(rings(breaking)) as hub, hub.session("ann") as ann:
            hub.runtime(Bell).broken.set()
            try:
                await anyio.sleep_forever()
            finally:
                waited.append(ann.user.id)

    with pytest.raises(ExceptionGroup) as error:
        await wait()

    assert error.group_contains(ZeroDivisionError)
    assert error.value.__notes__ == ["raised by the runtime of feature 'rings'"]
    assert waited == ["ann"]
    failed = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert failed == ["the runtime of feature 'rings' has failed"]


async def test_what_was_acknowledged_before_a_runtime_died_is_kept(tmp_path: anyio.Path) -> None:
    path = str(tmp_path / "hub.db")
    rooms: list[str] = []

    async def wait() -> None:
        features = [*hubbub.FEATURES, rings(breaking)]
        async with hubbub.open(path, features=features) as hub, hub.session("ann") as ann:
            rooms.append((await ann.chat.create_room("Room")).id)
            hub.runtime(Bell).broken.set()
            await anyio.sleep_forever()

    with pytest.raises(ExceptionGroup):
        await wait()
    async with hubbub.open(path) as hub, hub.session("ann") as ann:
        assert [one.id for one in await ann.chat.rooms()] == rooms


async def test_the_bodys_own_error_is_no_group() -> None:
    with pytest.raises(Invalid):
        async with opened(rings(breaking)):
            raise Invalid("Something else.")


async def test_a_runtime_that_does_not_end_is_cancelled_at_the_deadline(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with anyio.fail_after(5):
        async with opened(rings(staying), drain_seconds_max=0.05):
            pass

    assert "the runtime of feature 'rings' does not end" in caplog.text


async def test_there_is_only_the_runtime_of_what_was_given() -> None:
    async with hubbub.open("memory://") as hub:
        with pytest.raises(Invalid, match="Bell"):
            hub.runtime(Bell)


async def test_a_feature_hears_who_comes_and_goes() -> None:
    heard: list[str] = []

    def connected(bell: Bell, user_id: str) -> None:
        heard.append(user_id)

    async with opened(rings(connected=connected)) as hub, hub.session("ann"):
        pass

    assert heard == ["ann", "ann"]


async def test_a_feature_that_fails_when_it_hears_of_a_session_ends_no_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def connected(bell: Bell, user_id: str) -> None:
        raise ZeroDivisionError

    async with opened(rings(connected=connected)) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")

    assert room.name == "Room"
    assert caplog.text.count("feature 'rings' failed when a session began or ended") == 2


async def test_a_feature_that_cannot_finish_holds_up_no_other(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def failing(bell: Bell) -> None:
        raise ZeroDivisionError

    async def endless(bell: Bell) -> None:
        await anyio.sleep_forever()

    slow = Feature(name="slow", drain=endless)
    features = [*hubbub.FEATURES, rings(drain=failing), slow]
    settings = hubbub.Settings(drain_seconds_max=0.05)
    with anyio.fail_after(5):
        async with hubbub.open("memory://", features=features, settings=settings) as hub:
            await hub.drain()

    assert "feature 'rings' could not finish" in caplog.text


async def test_a_runtime_may_have_sessions_from_its_beginning_to_its_end() -> None:
    rooms: list[str] = []

    @asynccontextmanager
    async def bot(hub: hubbub.Hubbub) -> AsyncIterator[None]:
        async with hub.session("bot") as session:
            rooms.append((await session.chat.create_room("Lobby")).name)
            yield None
            rooms.append((await session.chat.create_room("Exit")).name)

    async with hubbub.open("memory://", features=[*hubbub.FEATURES, rings(bot)]) as hub:
        assert hub.is_connected("bot")

    assert rooms == ["Lobby", "Exit"]


async def test_a_feature_finishes_what_was_accepted_before_the_hub_drains() -> None:
    order: list[str] = []

    async def drain(bell: Bell) -> None:
        order.append("drained")

    async with opened(rings(drain=drain)) as hub, hub.session("ann") as ann:
        await hub.drain()
        with pytest.raises(Closed):
            await ann.service(Rings).ring()

    assert order == ["drained"]


async def test_work_that_is_kept_running_begins_when_the_hub_is_open_and_survives_a_fault(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("hubbub.journal.containment.RESTART_SECONDS_MIN", 0.001)
    runs: list[bool] = []
    done = anyio.Event()

    @asynccontextmanager
    async def running(hub: Host) -> AsyncIterator[None]:
        async def work() -> None:
            runs.append(hub.is_open)
            if len(runs) < 3:
                raise ZeroDivisionError
            done.set()
            await anyio.sleep_forever()

        hub.keep_running("the bell", work)
        yield None

    async with opened(rings(running)):
        with anyio.fail_after(5):
            await done.wait()

    assert runs == [True, True, True]


async def test_a_guest_brings_along_what_a_feature_lets_them() -> None:
    adopted: list[tuple[str, str, bool]] = []

    def reads(guest: str, user: str) -> list[str]:
        return [f"user/{guest}"]

    def decide(states: object, guest: str, user: str, bell: object) -> list[Any]:
        adopted.append((guest, user, isinstance(bell, Bell)))
        return []

    async with opened(rings(adoption=Adoption(reads, decide))) as hub:
        async with hub.session("guest"):
            pass
        async with hub.session("ann", guest="guest"):
            pass

    assert adopted[-1] == ("guest", "ann", True)


def bells(secret: str, bell: Bell) -> Callback:
    def receive(body: bytes, headers: Mapping[str, str], now: datetime) -> None:
        if headers["x-secret"] != secret:
            raise Invalid("Another secret.")
        bell.seen.append(body.decode())

    return receive


async def test_a_feature_takes_the_calls_of_a_provider() -> None:
    feature = rings(webhooks={"bells": WebhookRoute(10, bells)})
    async with opened(feature) as hub:
        receiver = hub.webhooks({"bells": "s"})["bells"]
        receiver.receive(b"ding", {"x-secret": "s"}, hub.settings.clock.now())
        seen = hub.runtime(Bell).seen

        assert (receiver.body_bytes_max, seen[-1]) == (10, "ding")
        with pytest.raises(Invalid, match="'other'"):
            hub.webhooks({"other": "s"})
