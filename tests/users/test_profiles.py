"""Profiles that are loaded together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest

from hubbub.errors import NotFound
from hubbub.method import Method
from hubbub.users.profiles import BATCH_MAX, FRESH_SECONDS, KEPT_MAX, Profiles
from hubbub.users.user import User


class Server:
    """Records its calls."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    async def call(self, method: Method, arguments: Mapping[str, Any]) -> Any:
        if method.name == "users.get":
            return (await self.get_many([arguments["user_id"]]))[0]
        return await self.get_many(arguments["user_ids"])

    async def get_many(self, user_ids: Sequence[str]) -> Sequence[User]:
        self.asked.append(list(user_ids))
        await anyio.lowlevel.checkpoint()
        if "nobody" in user_ids:
            raise NotFound("There is no user 'nobody'.")
        joined = datetime(2026, 1, 1, tzinfo=UTC)
        return [User(one, one.title(), "👤", "online", joined, 1500.0) for one in user_ids]


async def look_up(profiles: Profiles, *user_ids: str) -> dict[str, str]:
    """Look several up at one time; return their nicknames, or what was raised."""
    found = {}

    async def one(user_id: str) -> None:
        try:
            found[user_id] = (await profiles.get(user_id)).nickname
        except NotFound as error:
            found[user_id] = error.code

    async with anyio.create_task_group() as tasks:
        for user_id in user_ids:
            tasks.start_soon(one, user_id)
    return found


def profiles_of(server: Server) -> Profiles:
    return Profiles(server.call)


async def test_those_asked_for_in_one_moment_are_asked_for_together() -> None:
    server = Server()
    found = await look_up(profiles_of(server), "ann", "bob", "ann", "cid")

    assert found == {"ann": "Ann", "bob": "Bob", "cid": "Cid"}
    assert [sorted(asked) for asked in server.asked] == [["ann", "bob", "cid"]]


async def test_one_who_is_not_there_is_nobody_else_s_fault() -> None:
    found = await look_up(profiles_of(Server()), "ann", "nobody", "bob")

    assert found == {"ann": "Ann", "nobody": "not_found", "bob": "Bob"}


async def test_one_alone_is_asked_for_alone() -> None:
    server = Server()
    profiles = profiles_of(server)
    await profiles.get("ann")
    with pytest.raises(NotFound):
        await profiles.get("nobody")

    assert server.asked == [["ann"], ["nobody"]]


async def test_what_was_told_a_moment_ago_is_not_asked_again() -> None:
    server = Server()
    profiles = profiles_of(server)
    first = await profiles.get("ann")

    assert await profiles.get("ann") == first
    assert server.asked == [["ann"]]
    assert FRESH_SECONDS < 1


async def test_it_can_be_forgotten() -> None:
    server = Server()
    profiles = profiles_of(server)
    await profiles.get("ann")
    profiles.changed()
    await profiles.get("ann")

    assert server.asked == [["ann"], ["ann"]]


async def test_a_request_has_a_limit() -> None:
    server = Server()
    await look_up(profiles_of(server), *(f"user {n}" for n in range(BATCH_MAX + 1)))

    assert sorted(len(asked) for asked in server.asked) == [1, BATCH_MAX]


async def test_what_is_kept_has_a_limit() -> None:
    server = Server()
    profiles = profiles_of(server)
    await look_up(profiles, *(f"user {n}" for n in range(KEPT_MAX + 1)))

    assert len(profiles._kept) <= KEPT_MAX


async def test_the_others_get_theirs_though_who_asked_first_gives_up() -> None:
    server = Server()
    profiles = profiles_of(server)
    found = []

    async def give_up() -> None:
        with anyio.CancelScope() as scope:
            scope.cancel()
            await profiles.get("ann")

    async def look() -> None:
        found.append(await profiles.get("bob"))

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(give_up)
        tasks.start_soon(look)

    assert [user.id for user in found] == ["bob"]
