"""The output and the input of a match."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from hubbub import Conflict, FirstTo, Invalid, Match, NotAllowed, Session
from hubbub.cli.match_client import MATCH_COMMANDS, PAGE, MatchClient
from tests.cli.arithmetic import answer_to
from tests.cli.paper import Paper, opened


@asynccontextmanager
async def playing(session: Session, match: Match) -> AsyncIterator[tuple[MatchClient, Paper]]:
    """Follow a match until it ends or the context is left."""
    paper = Paper()
    client = MatchClient(session, match, paper.show)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.follow)
        yield client, paper
        tasks.cancel_scope.cancel()


async def test_scores_and_the_end_are_shown() -> None:
    async with opened() as (hub, ann, bob), hub.session("judge") as judge:
        match = await ann.games.start_match(["ann", "bob"], referee="judge")
        async with playing(bob, match) as (_seat, paper):
            await paper.line_with("The match begins: Ann, Bob; the first to 100 wins.")
            await judge.games.add_score(match.id, 60, player="ann")
            await paper.line_with("Ann 60   Bob 0")
            await judge.games.add_score(match.id, 60, player="ann")
            await paper.line_with("Ann 120   Bob 0")
            await paper.line_with("Ann has won.")
            await paper.line_with("Your rating is now 13")
            await paper.line_with("You are not on the board 'main' yet.")


async def test_who_comes_later_sees_in_short_what_was() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        await ann.games.add_score(match.id, 60)
        async with playing(bob, match) as (_seat, paper):
            await paper.line_with("The match is under way: Ann against Bob.")
            await paper.line_with("Ann 60   Bob 0")

        assert not any("begins" in line for line in paper.shown)


async def test_of_a_match_that_is_over_the_end_is_shown() -> None:
    async with opened() as (hub, ann, bob), hub.session("judge") as judge:
        match = await ann.games.start_match(["ann", "bob"], referee="judge")
        await judge.games.add_score(match.id, 60, player="ann")
        await bob.games.resign(match.id)
        paper = Paper()
        await MatchClient(ann, match, paper.show).follow()

    assert paper.shown == [
        "* The match is over: Ann against Bob.",
        "  Ann 60   Bob 0",
        "You have won!",
        "* Your rating is now 1658.",
        "* You are number 1 on the board 'main', with 10 points.",
    ]


async def test_who_only_watches_has_no_rating_to_see() -> None:
    async with opened() as (hub, ann, bob), hub.session("eve") as eve:
        match = await ann.games.start_match(["ann", "bob"])
        await bob.games.resign(match.id)
        paper = Paper()
        await MatchClient(eve, match, paper.show).follow()

    assert paper.shown[-2:] == ["* Bob resigns.", "Ann has won."]


async def test_a_long_past_is_read_page_by_page() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"], rules=FirstTo(10 * PAGE))
        for _ in range(PAGE + 1):
            await ann.games.add_score(match.id, 1)
        await bob.games.resign(match.id)
        paper = Paper()
        await MatchClient(bob, match, paper.show).follow()

    assert f"  Ann {PAGE + 1}   Bob 0" in paper.shown


async def test_a_question_has_one_try() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"], game="arithmetic")
        async with playing(ann, match) as (client, paper):
            asked = await paper.line_with("= ?")
            before = client.prompt
            await client.carry_out("9999")
            with pytest.raises(Conflict, match="wait for the next"):
                await client.carry_out("1")
            await bob.games.resign(match.id)
            await paper.line_with("You have won!")

    assert before == asked.strip().removesuffix("?")
    assert asked.replace("?", "9999") in paper.shown
    assert (client.asked, client.prompt) == (False, "… ")


async def test_a_question_that_is_over_is_not_answered() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"], game="arithmetic")
        async with playing(ann, match) as (client, paper), playing(bob, match) as (other, _paper):
            asked = await paper.line_with("= ?")
            await other.until_asked()
            await other.carry_out(str(answer_to(asked)))
            await paper.line_with("Bob knew")
            await paper.line_with("Ann 0   Bob 10")
            again = await paper.line_with("= ?")

            assert client.prompt == again.strip().removesuffix("?")


async def test_who_answers_last_is_not_told_that_it_is_over() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"], game="arithmetic")
        async with playing(ann, match) as (client, paper):
            await paper.line_with("= ?")
            await bob.games.resign(match.id)
            await client.carry_out("1")
            await paper.line_with("You have won!")


async def test_an_answer_that_did_not_count_may_be_given_again() -> None:
    async with opened() as (hub, ann, _bob), hub.session("eve"):
        match = await ann.games.start_match(["ann", "bob", "eve"], game="arithmetic")
        async with playing(ann, match) as (client, paper):
            await paper.line_with("= ?")
            await ann.games.resign(match.id)
            for _ in range(2):
                with pytest.raises(Conflict, match="has resigned"):
                    await client.carry_out("7")

            assert client.asked


async def test_what_is_no_answer_is_refused() -> None:
    async with opened() as (_, ann, _bob):
        client = MatchClient(ann, await ann.games.start_match(["ann", "bob"]), Paper().show)
        with pytest.raises(Invalid, match="An answer is a number"):
            await client.carry_out("many")
        with pytest.raises(Invalid, match=r"There is no command /dance\. /help lists"):
            await client.carry_out("/dance with me")
        with pytest.raises(Conflict, match="wait for the next"):
            await client.carry_out("7")


async def test_an_empty_line_does_nothing() -> None:
    async with opened() as (_, ann, _bob):
        paper = Paper()
        client = MatchClient(ann, await ann.games.start_match(["ann", "bob"]), paper.show)
        await client.carry_out("  ")

    assert (paper.shown, client.over) == ([], False)


async def test_help_shows_every_command_and_quit_ends() -> None:
    async with opened() as (_, ann, _bob):
        paper = Paper()
        client = MatchClient(ann, await ann.games.start_match(["ann", "bob"]), paper.show)
        await client.carry_out("/help")
        await client.carry_out("/quit")

    assert all(any(f"/{name} " in line for line in paper.shown) for name in MATCH_COMMANDS)
    assert client.over


async def test_a_match_that_may_not_be_followed_is_refused() -> None:
    async with opened() as (hub, ann, _bob):
        match = await ann.games.start_match(["ann", "bob"], private=True)
        async with hub.session("eve") as eve:
            with pytest.raises(NotAllowed):
                await MatchClient(eve, match, Paper().show).follow()
