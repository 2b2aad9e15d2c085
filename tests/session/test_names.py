"""Names that look like somebody else's."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Conflict, Invalid
from tests.session.worlds import OpenWorld, World

PASSWORD = "correct horse"

LOOK_ALIKES = ["\u0430lice", "\uff21lice", "AL1CE", "al\u0131ce", "A lice", "\U0001d434lice"]
INVISIBLE = ["Alice\u200b", "\u2060Alice", "Al\u00adice", "A\u202elice", "Alice\ufe0f"]


def over_the_network(w: World) -> bool:
    return w.address is not None


@pytest.mark.parametrize("name", LOOK_ALIKES)
async def test_an_account_that_looks_like_another_is_refused(world: OpenWorld, name: str) -> None:
    async with world() as w:
        alice, eve = await w.sessions("Ann", "Eve")
        await alice.users.create_account("Alice", PASSWORD)
        with pytest.raises(Conflict, match="choose another name"):
            await eve.users.create_account(name, PASSWORD)

        # What was refused has changed nothing.
        await eve.users.create_account("Eve", PASSWORD)


@pytest.mark.parametrize("name", INVISIBLE)
async def test_what_nobody_can_see_is_in_no_name(world: OpenWorld, name: str) -> None:
    async with world() as w:
        eve = await w.session("Eve")

        with pytest.raises(Invalid):
            await eve.users.create_account(name, PASSWORD)
        with pytest.raises(Invalid):
            await eve.users.update(nickname=name)
        with pytest.raises(Invalid):
            await w.session(name)


async def test_a_stranger_takes_no_nickname_that_looks_like_an_account(world: OpenWorld) -> None:
    async with world() as w:
        alice, eve = await w.sessions("Ann", "Eve")
        await alice.users.create_account("Alice", PASSWORD)
        mine = await alice.users.update(nickname="\u0430lice")
        if not over_the_network(w):
            # The application knows its users.
            assert (await eve.users.update(nickname="Alice")).nickname == "Alice"
            return
        for name in ("Alice", "ALICE", *LOOK_ALIKES):
            with pytest.raises(Conflict, match="looks like"):
                await eve.users.update(nickname=name)
            with pytest.raises(Conflict, match="looks like"):
                await w.session(name)
        moderator = await w.session("Alice", role="moderator")

        assert mine.nickname == "\u0430lice"
        assert moderator.user.nickname == "Alice"


async def test_a_nickname_stays_though_an_account_comes_to_look_like_it(world: OpenWorld) -> None:
    async with world() as w:
        zoe, eve = await w.sessions("Zoe", "Eve")
        await eve.users.create_account("Zoe", PASSWORD)
        again = await zoe.users.update(nickname="Zoe", avatar="🦊")
        if over_the_network(w):
            assert w.address is not None
            token = zoe.refresh_token  # type: ignore[attr-defined]
            async with hubbub.connect(w.address, token=token, nickname="Zoe") as back:
                assert back.user.nickname == "Zoe"

        assert (again.nickname, again.avatar) == ("Zoe", "🦊")


async def test_an_account_is_found_in_every_form_of_its_name(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        await alice.users.create_account("Alice", PASSWORD)
        forms = ("alice", " ALICE ", "\uff21\uff4c\uff49\uff43\uff45")

        assert {await w.hub.accounts.find(form) for form in forms} == {alice.user.id}


async def test_nobody_takes_the_name_that_every_guest_has(world: OpenWorld) -> None:
    async with world() as w:
        eve = await w.session("Eve")

        with pytest.raises(Invalid, match="Guest"):
            await eve.users.create_account("GUEST", PASSWORD)
