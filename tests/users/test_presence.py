"""Presence: the connected users."""

from __future__ import annotations

from typing import Literal

import anyio
import pytest

from hubbub.clock import SystemClock
from hubbub.testing import run_in_virtual_time
from hubbub.users.presence import Presence
from hubbub.users.presence_map import Attendance

GRACE_SECONDS = 3.0

Backend = Literal["asyncio", "trio"]


def test_a_user_is_online_from_the_first_session_to_the_end_of_the_last() -> None:
    presence, seen = Presence(0.0, SystemClock().monotonic), ["offline"]
    for step, session in (
        (presence.connect, 1),
        (presence.connect, 2),
        (presence.disconnect, 1),
        (presence.disconnect, 2),
    ):
        step("ann", session)
        seen.append(presence.status("ann"))

    assert seen == ["offline", "online", "online", "online", "offline"]


def test_the_first_to_come_is_listed_first() -> None:
    presence = Presence(0.0, SystemClock().monotonic)
    for user in ("cid", "ann", "bob"):
        presence.connect(user, user)
    presence.disconnect("ann", "ann")

    assert presence.online() == ["cid", "bob"]
    assert presence.page(None, 1) == ["cid"]
    assert presence.page("cid", 2) == ["bob"]
    assert presence.page("bob", 2) == []
    assert presence.count == 2


def test_a_page_has_the_users_of_all_nodes_once_each() -> None:
    presence = Presence(0.0, SystemClock().monotonic)
    presence.publish = lambda user, attendance: None
    presence.connect("ann", 1)
    for node, users in (("two", ["ann", "bob"]), ("three", ["bob", "cid"])):
        presence.others.begin(node)
        presence.others.end(node, 0, dict.fromkeys(users, Attendance.ONLINE))

    assert presence.page(None, 2) == ["ann", "bob"]
    assert presence.page("bob", 2) == ["cid"]


def test_one_is_away_when_all_sessions_are() -> None:
    presence, seen = Presence(0.0, SystemClock().monotonic), []
    presence.connect("ann", 1)
    presence.connect("ann", 2)
    for session, away in ((1, True), (2, True), (1, False)):
        presence.set_away("ann", session, away=away)
        seen.append(presence.status("ann"))

    assert seen == ["online", "away", "online"]


def test_only_a_session_can_be_away() -> None:
    presence = Presence(0.0, SystemClock().monotonic)
    presence.connect("ann", 1)

    assert not presence.set_away("ann", 2, away=True)
    assert not presence.set_away("bob", 1, away=True)
    assert presence.status("ann") == "online"


def test_only_what_changes_is_told() -> None:
    told = []
    presence = Presence(
        0.0, SystemClock().monotonic, lambda user, status: told.append((user, status))
    )
    presence.connect("ann", 1)
    presence.connect("ann", 2)
    presence.set_away("ann", 1, away=True)
    presence.disconnect("ann", 2)
    presence.disconnect("ann", 1, lost=True)

    assert told == [("ann", "online"), ("ann", "away"), ("ann", "offline")]


def lost_for(seconds: float, backend: Backend) -> tuple[list[str], list[str]]:
    """Lose a connection, reconnect after some seconds; return the changes, and the online users."""
    told: list[str] = []

    async def scenario() -> list[str]:
        presence = Presence(
            GRACE_SECONDS, anyio.current_time, lambda user, status: told.append(status)
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(presence.run)
            presence.connect("ann", 1)
            presence.disconnect("ann", 1, lost=True)
            await anyio.sleep(seconds)
            before = presence.online()
            presence.connect("ann", 2)
            await anyio.sleep(2 * GRACE_SECONDS)
            tasks.cancel_scope.cancel()
        return before

    there = run_in_virtual_time(scenario, backend=backend)
    return told, there


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_comes_back_at_once_has_not_gone(backend: Backend) -> None:
    assert lost_for(GRACE_SECONDS - 0.1, backend) == (["online"], ["ann"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_who_does_not_come_back_has_gone(backend: Backend) -> None:
    assert lost_for(GRACE_SECONDS + 0.1, backend) == (["online", "offline", "online"], [])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_each_goes_in_time_though_others_come_back(backend: Backend) -> None:
    gone: list[tuple[str, float]] = []

    async def scenario() -> None:
        began = anyio.current_time()

        def changed(user: str, status: str) -> None:
            if status == "offline":
                gone.append((user, round(anyio.current_time() - began, 3)))

        presence = Presence(GRACE_SECONDS, anyio.current_time, changed)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(presence.run)
            for user in ("ann", "bob", "cid", "dee"):
                presence.connect(user, user)
                presence.disconnect(user, user, lost=True)
                await anyio.sleep(1.5 if user == "ann" else 1)
            for user in ("cid", "dee"):
                presence.connect(user, user)
            await anyio.sleep(1)
            presence.disconnect("cid", "cid", lost=True)
            await anyio.sleep(0.5)
            presence.connect("eve", "eve")
            presence.disconnect("eve", "eve", lost=True)
            await anyio.sleep(2 * GRACE_SECONDS)
            tasks.cancel_scope.cancel()

    run_in_virtual_time(scenario, backend=backend)

    assert gone == [("ann", 3.0), ("bob", 4.5), ("cid", 8.5), ("eve", 9.0)]


async def test_who_is_lost_is_not_connected_though_they_may_be_online() -> None:
    presence = Presence(GRACE_SECONDS, anyio.current_time)
    presence.connect("ann", 1)
    presence.disconnect("ann", 1, lost=True)

    assert not presence.is_connected("ann")
    assert presence.status("ann") == "online"
    assert presence.sessions("ann") == []
