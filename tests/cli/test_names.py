"""Nicknames, looked up once."""

from __future__ import annotations

import pytest

from hubbub import Invalid, NotFound
from hubbub.cli.names import NAMES_MAX, Names, clean
from hubbub.users.user import User
from tests.cli.paper import opened


async def test_a_nickname_is_known_when_it_was_learnt() -> None:
    async with opened() as (_, ann, _bob):
        names = Names(ann.users)
        before = names.of("bob")
        await names.learn(["bob"])

    assert (before, names.of("bob")) == ("bob", "Bob")


async def test_it_is_looked_up_once() -> None:
    async with opened() as (_, ann, bob):
        names = Names(ann.users)
        await names.learn(["bob"])
        await bob.users.update(nickname="Robert")
        await names.learn(["bob"])
        before = names.of("bob")
        await names.learn(["bob"], again=True)

    assert (before, names.of("bob")) == ("Bob", "Robert")


async def test_who_was_never_seen_is_called_by_the_id() -> None:
    async with opened() as (_, ann, _bob):
        names = Names(ann.users)
        await names.learn(["ghost", "bob"])

    assert names.of("ghost") == "ghost"
    assert names.of("bob") == "Bob"


async def test_not_more_than_a_limit_are_kept() -> None:
    async with opened() as (_, ann, _bob):
        names = Names(ann.users)
        someone = ann.user
        names.note(renamed(someone, str(number)) for number in range(NAMES_MAX + 1))
        names.note([renamed(someone, "last")])

    assert names.of("last") == "Ann"
    assert names.of("5") == "5"


async def test_who_is_online_is_found_by_nickname_or_id() -> None:
    async with opened() as (_, ann, _bob):
        names = Names(ann.users)

        assert (await names.find("bOB")).id == "bob"
        assert (await names.find("bob")).id == "bob"


async def test_who_is_away_is_found_by_id_or_among_others() -> None:
    async with opened() as (hub, ann, _bob):
        async with hub.session("eve", nickname="Eva"):
            pass
        names = Names(ann.users)

        assert (await names.find("eve")).nickname == "Eva"
        assert (await names.find("Eva", also=["eve"])).id == "eve"
        with pytest.raises(NotFound):
            await names.find("Eva")


async def test_of_several_one_has_to_choose() -> None:
    async with opened() as (hub, ann, _bob), hub.session("b2", nickname="BOB"):
        with pytest.raises(Invalid, match="bob, b2"):
            await Names(ann.users).find("Bob")
        with pytest.raises(Invalid, match="bob, b2"):
            await Names(ann.users).find("BOB")


@pytest.mark.parametrize("text", ["hello", "tab\there", "two\nlines", "👩‍👩‍👧", "שלום"])
def test_what_is_harmless_stays(text: str) -> None:
    assert clean(text) == text


@pytest.mark.parametrize("char", ["\x1b", "\x07", "\x08", "\r", "\x7f", "\x9b"])
def test_what_moves_a_cursor_does_not(char: str) -> None:
    assert clean(f"a{char}[2Jb") == "a\N{REPLACEMENT CHARACTER}[2Jb"


def renamed(user: User, user_id: str) -> User:
    return User(user_id, user.nickname, user.avatar, user.status, user.joined_at, user.rating)
