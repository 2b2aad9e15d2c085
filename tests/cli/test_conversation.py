"""The output about rooms and direct conversations."""

from __future__ import annotations

import pytest

from hubbub import Conflict, NotAllowed, StorageError
from hubbub.cli.conversation import DIRECTS_SHOWN_MAX, HISTORY
from tests.cli.paper import chatting, opened


async def test_the_newest_messages_are_shown_first() -> None:
    async with opened(message_limit=1_000) as (_, ann, _bob), chatting(ann) as first:
        for number in range(HISTORY + 5):
            await first.type(f"message {number}")
        async with chatting(ann) as second:
            shown = list(second.paper.shown)

    assert shown[0].startswith("* You are in Lobby (")
    assert len(shown) == 1 + HISTORY
    assert shown[-1].endswith(f"Ann: message {HISTORY + 4}")


async def test_what_others_say_is_shown() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob) as there:
        await there.type("hello")

        assert (await here.sees("hello")).endswith("[4] Bob: hello")


async def test_what_one_says_is_shown_once() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        await here.type("hello", "again")

        assert len([line for line in here.paper.shown if "hello" in line]) == 1


async def test_who_comes_and_goes_is_shown() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here:
        async with chatting(bob) as there:
            await here.sees("* Bob joined")
            await there.type("/leave")

        await here.sees("* Bob left")


async def test_edits_deletes_and_reactions_are_shown() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob) as there:
        await there.type("helo", "/edit 4 hello")
        await here.type("/react 4 👋", "/unreact 4 👋")
        await there.type("/delete 4")

        await here.sees("* Bob edited [4]: hello")
        await here.sees("* Ann reacted to [4] with 👋")
        await here.sees("* Ann removed 👋 from [4]")
        await here.sees("* Bob deleted [4]")


async def test_another_room_is_shown_instead() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob) as there:
        await here.type("/join Garden")
        await there.type("nobody hears")
        await here.type("birds")

        assert not any("nobody hears" in line for line in here.paper.shown)
        assert here.conversation.where == "Garden"


async def test_a_room_that_one_may_not_enter_leaves_one_where_one_is() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here:
        secret = await bob.chat.create_room("Secret", private=True)
        with pytest.raises(NotAllowed):
            await here.type(f"/join {secret.id}")
        await here.type("still here")

        assert here.conversation.where == "Lobby"


async def test_who_is_put_out_is_told_and_stays_in_no_room() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob) as there:
        await here.conversation.session.chat.kick(here.conversation.in_front.id, "bob")
        await there.sees("You are no longer a member")
        with pytest.raises(Conflict, match="No room is open"):
            await there.type("hello?")

        assert there.conversation.where == "no room"
        assert there.conversation.error is None


async def test_a_session_that_ends_ends_the_conversation() -> None:
    async with opened() as (hub, ann, _bob), chatting(ann) as here:
        await hub.drain()
        room = here.conversation.in_front
        await here.conversation._cut_off(StorageError("gone"))

        assert room.name == "Lobby"
        assert here.conversation.error is not None


async def test_a_direct_message_is_shown_wherever_one_is() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob, None) as there:
        await there.type("/dm ann psst", "/dm ann again")

        assert (await here.sees("psst")).endswith("(direct) Bob: psst")
        await here.sees("again")
        await there.sees("(direct to Ann) Bob: psst")


async def test_direct_conversations_of_before_are_followed() -> None:
    async with opened() as (_, ann, bob):
        await bob.chat.send_direct("ann", "yesterday")
        async with chatting(ann, None) as here:
            await bob.chat.send_direct("ann", "today")
            await here.sees("today")

    assert here.paper.shown[0] == "* 1 new: direct with Bob. /dm NAME shows them."
    assert not any("yesterday" in line for line in here.paper.shown)


async def test_an_opened_direct_conversation_is_shown_once() -> None:
    async with opened() as (_, ann, bob), chatting(ann, None) as here:
        await bob.chat.send_direct("ann", "one")
        await here.sees("(direct) Bob: one")
        await here.type("/dm bob", "two")
        await bob.chat.send_direct("ann", "three")
        await here.sees("Bob: three")

    assert here.conversation.where == "direct with Bob"
    assert len([line for line in here.paper.shown if "two" in line]) == 1


async def test_an_invitation_is_shown() -> None:
    async with opened() as (_, ann, bob), chatting(ann, None) as here:
        secret = await bob.chat.create_room("Secret", private=True)
        await bob.chat.invite(secret.id, "ann")

        assert await here.sees("invites") == f"* Bob invites you: /join {secret.id}"


async def test_what_was_in_front_is_read() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob) as there:
        await there.type("one", "two")
        await here.sees("two")
        await here.conversation.step_out()

        assert await ann.chat.unread() == {(await ann.chat.rooms())[0].id: 0}


def test_not_everybody_is_followed() -> None:
    assert DIRECTS_SHOWN_MAX < 1_000  # what a server lets one connection follow
