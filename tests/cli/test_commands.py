"""The commands that a user can type."""

from __future__ import annotations

import pytest

import hubbub
from hubbub import Conflict, HubbubError, Invalid, NotFound
from hubbub.cli.commands import CHAT_COMMANDS, WHO_MAX
from hubbub.server import create_app
from hubbub.testing import in_memory
from tests.cli.paper import chatting, opened


async def test_help_names_every_command() -> None:
    async with opened() as (_, ann, _bob), chatting(ann, None) as here:
        await here.type("/help")

    assert all(any(f"/{name} " in line for line in here.paper.shown) for name in CHAT_COMMANDS)


@pytest.mark.parametrize("line", ["", "   ", "\n"])
async def test_an_empty_line_does_nothing(line: str) -> None:
    async with opened() as (_, ann, _bob), chatting(ann, None) as here:
        await here.type(line)

    assert here.paper.shown == []


async def test_an_unknown_command_is_not_said() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        with pytest.raises(Invalid, match=r"no command /xyzzy\. /help lists"):
            await here.type("/xyzzy hello")

    assert len(here.paper.shown) == 1


async def test_a_misspelt_command_is_corrected() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        with pytest.raises(Invalid, match=r"no command /hsitory\. Did you mean /history\?"):
            await here.type("/hsitory 5")


async def test_two_slashes_say_one() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        await here.type("//etc is a directory")

        assert (await here.sees("Ann:")).endswith("Ann: /etc is a directory")


async def test_a_reply_names_what_it_answers() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        await here.type("why?", "/reply [3] because")

        assert (await here.sees("because")).endswith("[4] Ann (to [3]): because")


async def test_rooms_are_listed_with_what_is_new() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here:
        garden = await bob.chat.create_room("Garden")
        await ann.chat.join(garden.id)
        await bob.chat.send(garden.id, "birds")
        await bob.chat.send_direct("ann", "psst")
        await here.type("/rooms")

        assert "Lobby  1 member  0" in await here.sees("Lobby  ")
        assert "Garden  2 members, 1 new  0" in await here.sees("Garden  ")
        assert "direct with Bob  2 members, private, 1 new" in await here.sees("direct with Bob  ")


async def test_who_lists_the_members() -> None:
    async with opened() as (_, ann, bob), chatting(ann) as here, chatting(bob):
        await here.type("/who")

        assert await here.sees("Ann  ") == "* Ann  online, creator  ann"
        assert await here.sees("Bob  ") == "* Bob  online  bob"


async def test_who_tells_guests_from_others() -> None:
    async with opened() as (hub, ann, _bob), chatting(ann) as here:
        dialer = in_memory(create_app(hub))
        async with hubbub.connect("http://test", dialer=dialer, nickname="Gus") as gus:
            await gus.chat.join(here.conversation.in_front.id)
            await here.type("/who")

            assert await here.sees("Gus  ") == f"* Gus  online, guest  {gus.user.id}"


async def test_of_very_many_members_some_are_listed() -> None:
    async with opened() as (hub, ann, _bob), chatting(ann) as here:
        for number in range(WHO_MAX + 2):
            async with hub.session(f"guest{number}") as guest:
                await guest.chat.join(here.conversation.in_front.id)
        await here.type("/who")

        await here.sees("* … and 3 more")


async def test_leaving_is_for_good() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        await here.type("/leave")

        assert (await ann.chat.rooms())[0].members == []
        await here.sees("* You have left Lobby.")


async def test_history_goes_back_to_the_beginning() -> None:
    async with opened(message_limit=100) as (_, ann, _bob):
        async with chatting(ann) as before:
            await before.type(*[f"message {number}" for number in range(30)])
        async with chatting(ann) as here:
            await here.type("/history 8", "/history", "/history")

    shown = [line.rpartition(" ")[2] for line in here.paper.shown]
    assert shown[1:21] == [str(number) for number in range(10, 30)]
    assert shown[21:29] == [str(number) for number in range(2, 10)]
    assert shown[29:31] == ["0", "1"]
    assert here.paper.shown[-1] == "* There are no older messages."


async def test_search_shows_what_it_finds_the_oldest_first() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        await here.type("red house", "blue house", "tree")
        before = len(here.paper.shown)
        await here.type("/search house", "/search nothing")
        found = here.paper.shown[before:]

    assert [line.rpartition(": ")[2] for line in found[:2]] == ["red house", "blue house"]
    assert found[2:] == ["* No message was found."]


async def test_a_direct_message_goes_to_a_nickname_of_any_case_or_an_id() -> None:
    async with opened() as (_, ann, bob), chatting(ann, None) as here:
        await here.type("/dm BOB one", "/dm bob two")
        [direct] = await bob.chat.directs()

        assert [m.text for m in await bob.chat.history(direct.id)] == ["one", "two"]


async def test_a_conversation_that_never_was_cannot_be_opened() -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        with pytest.raises(NotFound, match=r"begin it with /dm bob TEXT\."):
            await here.type("/dm bob")

        assert here.conversation.where == "Lobby"


async def test_a_direct_message_to_nobody_is_refused() -> None:
    async with opened() as (_, ann, _bob), chatting(ann, None) as here:
        with pytest.raises(NotFound, match="eve"):
            await here.type("/dm eve hello")


async def test_quit_ends_it() -> None:
    async with opened() as (_, ann, _bob), chatting(ann, None) as here:
        await here.type("/quit")

        assert here.conversation.over


@pytest.mark.parametrize(
    "line",
    [
        *["/join", "/search", "/reply", "/reply 3", "/reply x hi", "/edit 3", "/delete"],
        *["/delete ³", "/react 3", "/unreact", "/dm", "/history x", "/delete 1234567890123456"],
    ],
)
async def test_a_command_without_its_arguments_says_how_it_is_written(line: str) -> None:
    async with opened() as (_, ann, _bob), chatting(ann) as here:
        with pytest.raises(Invalid, match=f"Usage: {line.split(maxsplit=1)[0]} "):
            await here.type(line)


@pytest.mark.parametrize("line", ["hello", "/leave", "/who", "/history", "/search x", "/delete 1"])
async def test_in_no_room_there_is_nothing_to_do(line: str) -> None:
    async with opened() as (_, ann, _bob), chatting(ann, None) as here:
        with pytest.raises(Conflict, match="No room is open"):
            await here.type(line)


async def test_what_is_refused_says_why() -> None:
    async with opened(text_chars_max=5) as (_, ann, _bob), chatting(ann) as here:
        with pytest.raises(HubbubError, match="shorten it"):
            await here.type("too long")
