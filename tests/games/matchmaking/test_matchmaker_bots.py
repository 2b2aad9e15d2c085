"""A bot that waits for a user who searches alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from hubbub.errors import NoOpponent
from tests.games.hall import Backend, Hall, on_each_backend, what_happens

Scenario = Callable[[Hall], Awaitable[None]]


async def join_lonely(hall: Hall, found: list[tuple[float, str]]) -> None:
    """Play with each user who is alone for five seconds, as a bot does."""
    while True:
        search = await hall.matchmaker.until_alone("duel", 5)
        found.append((anyio.current_time(), search.user))
        await hall.matchmaker.find("duel", "bot", search.rating, search.user, 1)


def what_the_bot_does(scenario: Scenario, backend: Backend) -> tuple[Hall, list[tuple[float, str]]]:
    """Play a scenario in which there is a bot, too."""
    found: list[tuple[float, str]] = []

    async def with_bot(hall: Hall) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(join_lonely, hall, found)
            await scenario(hall)
            await anyio.sleep(200)
            tasks.cancel_scope.cancel()

    return what_happens(with_bot, backend), found


@on_each_backend
def test_a_bot_comes_to_each_user_who_is_alone_for_some_time(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        await anyio.sleep(2)
        hall.look_for("ann", 900)
        await anyio.sleep(8)
        hall.look_for("bob", 2100)

    hall, found = what_the_bot_does(scenario, backend)

    assert found == [(7, "ann"), (15, "bob")]
    assert hall.met == {"ann": (7, "ann bot"), "bob": (15, "bob bot")}


@on_each_backend
def test_a_bot_leaves_people_to_people(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        await anyio.sleep(4)
        # They accept each other only after a while.
        hall.look_for("bob", 1750)

    hall, found = what_the_bot_does(scenario, backend)

    assert found == []
    assert hall.met["ann"][1] == hall.met["bob"][1] == "ann bob"


@on_each_backend
def test_a_bot_comes_when_the_other_user_has_given_up(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", 1500)
        await anyio.sleep(4)
        hall.look_for("bob", 2500)
        await anyio.sleep(6)
        hall.give_up("bob")

    hall, found = what_the_bot_does(scenario, backend)

    assert found == [(10, "ann")]
    assert hall.met["ann"] == (10, "ann bot")


@on_each_backend
def test_a_bot_does_not_come_to_other_queues(backend: Backend) -> None:
    async def scenario(hall: Hall) -> None:
        hall.look_for("ann", queue="wide")

    hall, found = what_the_bot_does(scenario, backend)

    assert found == []
    assert hall.met == {"ann": (100, NoOpponent)}
