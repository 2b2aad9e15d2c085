"""Hooks, checks and quotas before the methods of a session, in the process and over a network."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

import hubbub
from hubbub import Hubbub, Session, Settings
from hubbub.domain import Actor, Arguments, Feature, Hook, Rule, Service, States
from hubbub.errors import (
    HookUnavailable,
    HubbubError,
    Invalid,
    NotAllowed,
    NotFound,
    NotMember,
    RateLimited,
)
from hubbub.users.user import UserState
from tests.server.running import running

Connect = Callable[[Hubbub, str], Any]


class Desk(Service):
    """Has no methods: its feature is there for what it puts before others'."""

    name = "desk"


def desk(**more: Mapping[str, Any]) -> Feature:
    return Feature(name="desk", service=Desk, **more)  # type: ignore[arg-type]


@asynccontextmanager
async def hub_with(*features: Feature, **more: Any) -> AsyncIterator[Hubbub]:
    settings = Settings(**more)
    async with hubbub.open(
        "memory://", settings=settings, features=[*hubbub.FEATURES, *features]
    ) as hub:
        yield hub


@asynccontextmanager
async def room_of(hub: Hubbub) -> AsyncIterator[tuple[Session, str]]:
    async with hub.session("ann") as ann:
        yield ann, (await ann.chat.create_room("Room")).id


# Checks


def no_spam(states: States, actor: Actor, arguments: Arguments) -> None:
    if "spam" in arguments.text:  # type: ignore[attr-defined]
        raise NotAllowed("Say something else.")


async def test_a_check_refuses_a_command_that_then_changes_nothing() -> None:
    async with hub_with(desk(check={"chat.send": no_spam})) as hub, room_of(hub) as (ann, room):
        with pytest.raises(NotAllowed, match="Say something else"):
            await ann.chat.send(room, "spam")
        await ann.chat.send(room, "eggs")
        texts = [message.text for message in await ann.chat.history(room)]

    assert texts == ["eggs"]


async def test_a_refusal_of_a_check_costs_nothing() -> None:
    feature = desk(check={"chat.send": no_spam})
    async with hub_with(feature, message_limit=1) as hub, room_of(hub) as (ann, room):
        for _ in range(3):
            with pytest.raises(NotAllowed):
                await ann.chat.send(room, "spam")
        await ann.chat.send(room, "eggs")
        with pytest.raises(RateLimited):
            await ann.chat.send(room, "eggs")


async def test_a_check_looks_at_the_states_that_the_command_is_decided_on() -> None:
    def joined_before(states: States, actor: Actor, arguments: Arguments) -> None:
        # It is not in memory: the decision is made again when it is.
        if not states.of(UserState, "user/boss").joined_at:
            raise NotFound("There is no boss yet.")

    async with (
        hub_with(desk(check={"chat.create_room": joined_before})) as hub,
        hub.session("ann") as ann,
    ):
        with pytest.raises(NotFound):
            await ann.chat.create_room("Room")
        async with hub.session("boss"):
            room = await ann.chat.create_room("Room")

    assert room.name == "Room"


@pytest.mark.parametrize("method", ["games.find_match", "chat.typing", "chat.history"])
async def test_a_check_refuses_a_method_that_waits_for_more_than_its_decision(method: str) -> None:
    refusing = [method]

    def refuse(states: States, actor: Actor, arguments: Arguments) -> None:
        if actor.user == "bob" and refusing:
            raise NotAllowed("Not for bob.")

    async with (
        hub_with(desk(check={method: refuse})) as hub,
        room_of(hub) as (_, room),
        hub.session("bob") as bob,
    ):
        await bob.chat.join(room)
        calls: dict[str, Callable[[Session], Awaitable[object]]] = {
            "games.find_match": lambda session: session.games.find_match(timeout=0.01),
            "chat.typing": lambda session: session.chat.typing(room),
            "chat.history": lambda session: session.chat.history(room),
        }
        with pytest.raises(NotAllowed, match="Not for bob"):
            await calls[method](bob)
        refusing.clear()
        if method != "games.find_match":
            await calls[method](bob)


async def test_a_check_that_fails_refuses_one_command_and_names_its_feature() -> None:
    def broken(states: States, actor: Actor, arguments: Arguments) -> None:
        if arguments.text == "now":  # type: ignore[attr-defined]
            raise ZeroDivisionError

    async with hub_with(desk(check={"chat.send": broken})) as hub, room_of(hub) as (ann, room):
        with pytest.raises(ZeroDivisionError) as error:
            await ann.chat.send(room, "now")
        said = await ann.chat.send(room, "then")

    assert error.value.__notes__ == ["raised by the check of chat.send in feature 'desk'"]
    assert said.text == "then"


async def test_a_key_that_was_used_is_not_checked_again() -> None:
    refused: list[str] = []

    def refuse(states: States, actor: Actor, arguments: Arguments) -> None:
        if refused:
            raise NotAllowed("Not any more.")

    async with hub_with(desk(check={"chat.send": refuse})) as hub, room_of(hub) as (ann, room):
        first = await ann.chat.send(room, "hi", key="1")
        refused.append("from now on")

        assert await ann.chat.send(room, "hi", key="1") == first


# Hooks


async def polite(actor: Actor, arguments: Arguments) -> Mapping[str, Any]:
    return {**arguments, "text": arguments["text"].replace("damn", "d***")}


async def test_a_hook_changes_arguments() -> None:
    async with hub_with(desk(before={"chat.send": polite})) as hub, room_of(hub) as (ann, room):
        said = await ann.chat.send(room, "damn it")

    assert said.text == "d*** it"


async def test_a_hook_that_returns_nothing_changes_nothing() -> None:
    seen: list[tuple[str, str]] = []

    async def look(actor: Actor, arguments: Arguments) -> None:
        seen.append((actor.user, arguments["text"]))

    async with hub_with(desk(before={"chat.send": look})) as hub, room_of(hub) as (ann, room):
        said = await ann.chat.send(room, "hi")

    assert (said.text, seen) == ("hi", [("ann", "hi")])


@pytest.mark.parametrize(
    "changed", [{"text": 7}, {"room": "x"}, {}], ids=["type", "unknown", "missing"]
)
async def test_arguments_that_do_not_fit_are_refused(changed: Mapping[str, Any]) -> None:
    async def spoil(actor: Actor, arguments: Arguments) -> Mapping[str, Any]:
        return changed

    async with hub_with(desk(before={"chat.send": spoil})) as hub, room_of(hub) as (ann, room):
        with pytest.raises(Invalid, match="'desk'"):
            await ann.chat.send(room, "hi")


async def test_a_hook_that_hangs_is_cut_off_and_refuses() -> None:
    cut_off: list[str] = []

    async def hang(actor: Actor, arguments: Arguments) -> None:
        if arguments["text"] == "hang":
            try:
                await anyio.sleep_forever()
            finally:
                cut_off.append(actor.user)

    feature = desk(before={"chat.send": hang})
    async with hub_with(feature, hook_seconds_max=0.05) as hub, room_of(hub) as (ann, room):
        with pytest.raises(HookUnavailable, match=r"0\.05 s"):
            await ann.chat.send(room, "hang")
        said = await ann.chat.send(room, "hi")

    assert (cut_off, said.text) == (["ann"], "hi")


async def test_hooks_and_checks_run_in_the_order_of_the_features() -> None:
    order: list[str] = []

    def features(name: str) -> Feature:
        async def before(actor: Actor, arguments: Arguments) -> None:
            order.append(f"{name}.before")

        def check(states: States, actor: Actor, arguments: Arguments) -> None:
            order.append(f"{name}.check")

        kind = type("Named", (Service,), {"name": name})
        hooks: dict[str, Hook] = {"chat.send": before}
        checks: dict[str, Rule] = {"chat.send": check}
        return Feature(name=name, service=kind, before=hooks, check=checks)

    async with hub_with(features("one"), features("two")) as hub, room_of(hub) as (ann, room):
        await ann.chat.send(room, "hi")

    assert order == ["one.before", "two.before", "one.check", "two.check"]


async def test_commands_are_queued_in_the_order_they_came_however_long_their_hooks_take() -> None:
    go_on = anyio.Event()

    async def slow(actor: Actor, arguments: Arguments) -> None:
        if arguments["text"] == "first":
            await go_on.wait()

    async with hub_with(desk(before={"chat.send": slow})) as hub, room_of(hub) as (ann, room):
        async with anyio.create_task_group() as tasks:
            for text in ("first", "second", "third"):
                tasks.start_soon(ann.chat.send, room, text)
                await anyio.wait_all_tasks_blocked()
            go_on.set()
        texts = [message.text for message in await ann.chat.history(room)]

    assert texts == ["first", "second", "third"]


async def test_a_command_that_is_refused_or_cancelled_holds_up_no_other() -> None:
    async def slow(actor: Actor, arguments: Arguments) -> None:
        if arguments["text"] == "never":
            await anyio.sleep_forever()
        if arguments["text"] == "refused":
            raise NotAllowed("No.")

    async with hub_with(desk(before={"chat.send": slow})) as hub, room_of(hub) as (ann, room):
        async with anyio.create_task_group() as impatient:
            impatient.start_soon(ann.chat.send, room, "never")
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(NotAllowed):
                await ann.chat.send(room, "refused")
            impatient.cancel_scope.cancel()
        with anyio.fail_after(5):
            said = await ann.chat.send(room, "hi")

    assert said.text == "hi"


async def test_a_slow_hook_holds_up_its_own_session_alone() -> None:
    async def slow(actor: Actor, arguments: Arguments) -> None:
        if actor.user == "ann":
            await anyio.sleep_forever()

    async with (
        hub_with(desk(before={"chat.send": slow})) as hub,
        room_of(hub) as (ann, room),
        hub.session("bob") as bob,
    ):
        await bob.chat.join(room)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ann.chat.send, room, "hi")
            await anyio.wait_all_tasks_blocked()
            with anyio.fail_after(5):
                said = await bob.chat.send(room, "hello")
            tasks.cancel_scope.cancel()

    assert said.by == "bob"


# Over a network


@asynccontextmanager
async def served(*features: Feature) -> AsyncIterator[tuple[Session, str]]:
    async with (
        running(features=[*hubbub.FEATURES, *features]) as server,
        hubbub.connect(server.address, nickname="Ann") as ann,
    ):
        yield ann, (await ann.chat.create_room("Room")).id


async def test_hooks_and_checks_work_over_a_network() -> None:
    feature = desk(before={"chat.send": polite}, check={"chat.send": no_spam})
    async with served(feature) as (ann, room):
        said = await ann.chat.send(room, "damn it")
        with pytest.raises(NotAllowed, match="Say something else"):
            await ann.chat.send(room, "spam")

    assert said.text == "d*** it"


async def test_messages_of_a_connection_keep_their_order_behind_a_slow_hook() -> None:
    async def slow(actor: Actor, arguments: Arguments) -> None:
        # The earlier, the longer.
        await anyio.sleep(0.02 * (6 - int(arguments["text"])))

    async with served(desk(before={"chat.send": slow})) as (ann, room):
        async with anyio.create_task_group() as tasks:
            for number in range(6):
                tasks.start_soon(ann.chat.send, room, str(number))
                await anyio.lowlevel.checkpoint()
        texts = [message.text for message in await ann.chat.history(room)]

    assert texts == ["0", "1", "2", "3", "4", "5"]


async def test_what_fails_in_a_check_or_a_hook_is_told_as_the_servers_fault_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(states: States, actor: Actor, arguments: Arguments) -> None:
        raise ZeroDivisionError

    async def broken_too(actor: Actor, arguments: Arguments) -> None:
        raise ZeroDivisionError

    feature = desk(check={"chat.send": broken}, before={"chat.react": broken_too})
    async with served(feature) as (ann, room):
        for call in (ann.chat.send(room, "hi"), ann.chat.react(room, 1, "👍")):
            with pytest.raises(HubbubError) as error:
                await call
            assert not isinstance(error.value, NotMember)
        unread = await ann.chat.unread()

    failed = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert [record.getMessage() for record in failed] == ["chat.send failed", "chat.react failed"]
    assert unread == {room: 0}
