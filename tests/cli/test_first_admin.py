"""The first admin."""

from __future__ import annotations

import anyio
import pytest

import hubbub
from hubbub.cli.first_admin import PASSWORD_VARIABLE, make_admin
from hubbub.errors import Invalid
from hubbub.journal.cluster.memory_bus import MemoryBus
from hubbub.stores import MemoryStore


async def test_a_new_account_gets_the_password_in_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "correct horse")
    async with hubbub.open("memory://") as hub:
        made_up = await make_admin(hub, "root")
        user = await hub.accounts.sign_in("root", "correct horse", "here")
        async with hub.session(user) as root:
            stats = await root.operations.stats()

    assert made_up is None
    assert stats.connections == 1


async def test_otherwise_one_is_made_up_and_told_once() -> None:
    async with hubbub.open("memory://") as hub:
        made_up = await make_admin(hub, "root")
        again = await make_admin(hub, "ROOT")

        assert made_up is not None
        assert await hub.accounts.sign_in("root", made_up, "here")
    assert again is None


async def test_an_account_that_is_there_becomes_an_admin_s() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann", nickname="Ann") as ann:
        await ann.users.create_account("root", "correct horse")
        await make_admin(hub, "root")
        async with hub.session("ann") as again:
            await again.operations.stats()

    assert again.user.nickname == "Ann"


async def test_a_password_that_is_too_short_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "short")
    async with hubbub.open("memory://") as hub:
        with pytest.raises(Invalid, match="password"):
            await make_admin(hub, "root")


async def test_nodes_that_begin_at_the_same_time_make_one_admin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "correct horse")
    store, bus = MemoryStore(shared=True), MemoryBus()
    async with (
        hubbub.open(store=store, bus=bus) as one,
        hubbub.open(store=store, bus=bus) as two,
        anyio.create_task_group() as tasks,
    ):
        for hub in (one, two):
            tasks.start_soon(make_admin, hub, "root")
    async with hubbub.open(store=store, bus=bus) as hub:
        user = await hub.accounts.sign_in("root", "correct horse", "here")
        async with hub.session(user) as root:
            await root.operations.stats()
