"""Accounts of older versions."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

import hubbub
from hubbub.errors import Conflict, StorageError
from hubbub.journal.actor import Actor
from hubbub.journal.command import Command
from hubbub.journal.event import Draft
from hubbub.journal.schedule import HUB
from hubbub.users import claims
from hubbub.users.account import AccountState
from hubbub.users.claims import ACCOUNTS_MAX, DONE
from hubbub.users.events import AccountCreated, AccountLinked
from tests.journal.test_erase import erase_in

PASSWORD = "correct horse"


async def write_as_before(hub: hubbub.Hubbub, user: str, name: str) -> None:
    """Make an account as versions did that claimed no names."""
    async with hub.session(user):
        hashed = await hub.accounts.hash(PASSWORD)
    drafts = (
        Draft(f"account/{name.casefold()}", AccountCreated(user, name, hashed)),
        Draft(f"user/{user}", AccountLinked(name)),
    )
    await hub.actor(user, "user").execute(
        Command(HUB, lambda states: drafts, lambda states, events: None)
    )


async def until_done(hub: hubbub.Hubbub) -> None:
    """Wait until old names are claimed."""

    def done(states: object, events: object) -> bool:
        return bool(states.of(AccountState, DONE).holder)  # type: ignore[attr-defined]

    with anyio.fail_after(10):
        while not await hub.actor("x", "user").execute(Command("x", lambda _: (), done)):
            await anyio.lowlevel.checkpoint()


async def test_an_account_of_an_older_version_has_its_name_for_itself(tmp_path: Path) -> None:
    path = str(tmp_path / "old.db")
    async with hubbub.open(path) as hub:
        await write_as_before(hub, "ann", "Ann")
    async with hubbub.open(path) as hub:
        await until_done(hub)
        async with hub.session("eve") as eve:
            with pytest.raises(Conflict, match="looks like"):
                await eve.users.create_account("\u0410nn", PASSWORD)

        assert await hub.accounts.sign_in("ann", PASSWORD, "here") == "ann"


async def test_two_old_accounts_that_look_alike_both_go_on(tmp_path: Path) -> None:
    path = str(tmp_path / "old.db")
    names = {"ann": "Ann", "eve": "\uff21nn", "zoe": "\u0410nn"}
    async with hubbub.open(path) as hub:
        for user, name in names.items():
            await write_as_before(hub, user, name)
    async with hubbub.open(path) as hub:
        await until_done(hub)
        found = {user: await hub.accounts.sign_in(n, PASSWORD, "here") for user, n in names.items()}

    assert found == {user: user for user in names}


async def test_an_erased_account_is_passed_over(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "hubbub.db"
    async with hubbub.open(str(path)) as hub:
        await write_as_before(hub, "zoe", "Zoe")
        await hub.session_of(hub.itself).users.create_user("Ann", PASSWORD)
        ann = await hub.session_of(hub.itself).users.find("Ann")
    await anyio.to_thread.run_sync(erase_in, path, ann.id)
    async with hubbub.open(str(path)) as hub:
        await until_done(hub)
        async with hub.session("eve") as eve:
            with pytest.raises(Conflict, match="looks like"):
                await eve.users.create_account("Z0e", PASSWORD)
            await eve.users.create_account("Ann", PASSWORD)

    assert caplog.records == []


async def test_names_are_claimed_later_if_the_store_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, accounts_in, faults = str(tmp_path / "old.db"), claims._accounts_in, [StorageError("It")]

    def fails_once(hub: Actor) -> list[str]:
        if faults:
            raise faults.pop()
        return accounts_in(hub)

    async with hubbub.open(path) as hub:
        await write_as_before(hub, "ann", "Ann")
    monkeypatch.setattr(claims, "_accounts_in", fails_once)
    async with hubbub.open(path) as hub:
        await until_done(hub)

    assert not faults


def test_accounts_are_looked_at_some_at_a_time() -> None:
    assert ACCOUNTS_MAX > 1
