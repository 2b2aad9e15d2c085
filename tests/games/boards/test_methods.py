"""The limits of a session, and the user who gets a score."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.errors import Invalid
from hubbub.games.boards.methods import NAMES_MAX, BoardMethods, maker_of, submit_command


async def test_only_users_who_come_over_a_network_have_limits() -> None:
    async with hubbub.open("memory://") as hub:
        own, remote = hub.actor("ann", "user"), hub.actor("ann", "user", remote=True)
        moderator = hub.actor("ann", "moderator", remote=True)
        maker = maker_of(remote)

        assert maker_of(own) is None
        assert maker_of(moderator) is None
        assert maker is not None
        assert (maker.user, maker.boards_max) == ("ann", hub.settings.boards_made_max)


async def test_a_board_is_found_by_any_form_of_its_name() -> None:
    async with hubbub.open("memory://") as hub:
        actor = hub.actor("ann", "user")
        made = await actor.execute(BoardMethods(actor).create("Zoe\u0308", "best", "desc", None))
        found = await actor.execute(BoardMethods(actor).board("Zo\u00eb"))

        assert made == found


@pytest.mark.parametrize("name", [None, 7, ["main"], "a/b", ""])
async def test_what_is_no_name_of_a_board_is_refused_each_time(name: object) -> None:
    async with hubbub.open("memory://") as hub:
        boards = BoardMethods(hub.actor("ann", "user"))

        for _ in range(2):
            with pytest.raises(Invalid):
                boards.board(name)  # type: ignore[arg-type]


async def test_many_names_of_boards_are_found_again() -> None:
    async with hubbub.open("memory://") as hub:
        boards = BoardMethods(hub.actor("ann", "user"))
        streams = [boards.board(f"b{number}").reads for number in range(NAMES_MAX + 1)]

        assert [boards.board(f"b{number}").reads for number in range(NAMES_MAX + 1)] == streams
        assert len({*streams}) == NAMES_MAX + 1


async def test_a_score_is_the_users_whoever_submits_it() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        actor = hub.actor("bob", "user")
        entry = await actor.execute(submit_command("board/main", "ann", 7, None, by="bob"))
        await ann.games.submit("main", 1)

        assert (entry.user_id, entry.score) == ("ann", 7)
        assert {event.by for event in await ann.read("board/main")} == {"bob", "ann"}
