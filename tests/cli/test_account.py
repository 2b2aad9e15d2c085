"""The user that a command signs in as."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from anyio import to_thread

from hubbub import NotAllowed
from hubbub.cli.account import Account, sign_in_at
from hubbub.cli.tokens import keep_token, kept_token
from tests.cli.paper import Paper


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))


async def who(account: Account) -> tuple[str, str, list[str]]:
    """Sign in and out; return the user's id, the nickname and what was shown."""
    paper = Paper()
    async with AsyncExitStack() as stack:
        user = (await sign_in_at(account, stack, paper)).user
    return user.id, user.nickname, paper.shown


async def test_a_nickname_comes_back_as_the_same_user(address: str) -> None:
    first, again = [await who(Account(address, "Ann", None, False)) for _ in range(2)]

    assert first == again
    assert first[1:] == ("Ann", [])


async def test_who_wants_to_be_new_is_and_stays_it(address: str) -> None:
    first = await who(Account(address, "Ann", None, False))
    fresh = await who(Account(address, "Ann", None, True))
    later = await who(Account(address, "Ann", None, False))

    assert first[0] != fresh[0] == later[0]


async def test_without_a_nickname_it_is_the_login_name(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "ann")

    assert (await who(Account(address, None, None, False)))[1] == "ann"


async def test_without_a_login_name_one_is_a_guest(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise OSError

    monkeypatch.setattr("getpass.getuser", nobody)

    assert (await who(Account(address, None, None, False)))[1] == "guest"


async def test_a_given_token_says_who_one_is_and_is_not_kept(address: str) -> None:
    user, _, _ = await who(Account(address, "Ann", None, False))
    token = await to_thread.run_sync(kept_token, address, "Ann")
    given, nickname, _ = await who(Account(address, "Anna", token, False))

    assert (given, nickname) == (user, "Anna")
    assert await to_thread.run_sync(kept_token, address, "Anna") is None


async def test_a_given_token_that_is_not_good_is_refused(address: str) -> None:
    with pytest.raises(NotAllowed):
        await who(Account(address, "Ann", "not.a.token", False))


async def test_a_kept_token_that_is_not_good_any_more_makes_one_new(address: str) -> None:
    await to_thread.run_sync(keep_token, address, "Ann", "not.a.token")
    new, _, shown = await who(Account(address, "Ann", None, False))
    again, _, nothing = await who(Account(address, "Ann", None, False))

    assert shown == ["* The server does not know the Ann of before; you are new."]
    assert (again, nothing) == (new, [])


async def test_who_cannot_be_kept_is_told(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "file"))
    _, nickname, shown = await who(Account(address, "Ann", None, False))

    assert nickname == "Ann"
    assert shown[0].startswith("* Who you are cannot be kept for the next time: ")
