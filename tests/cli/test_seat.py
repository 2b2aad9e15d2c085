"""What a person sees of a match, and does in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio
import pytest

from hubbub import Conflict, Invalid, Match, NotAllowed, Session
from hubbub.cli.play import play_match
from hubbub.cli.seat import PAGE, Seat
from tests.cli.paper import Paper, opened


@asynccontextmanager
async def playing(session: Session, match: Match) -> AsyncIterator[tuple[Seat, Paper]]:
    """Follow a match until it ends or the context is left."""
    paper = Paper()
    seat = Seat(session, match, paper.show)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(seat.follow)
        yield seat, paper
        tasks.cancel_scope.cancel()


async def test_scores_and_the_end_are_shown() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        async with playing(bob, match) as (_seat, paper):
            await paper.line_with("The match begins: Ann, Bob.")
            await ann.games.add_score(match.id, 60)
            await paper.line_with("Ann 60   Bob 0")
            await ann.games.add_score(match.id, 60)
            await paper.line_with("Ann has won.")
            await paper.line_with("Your rating is 13")


async def test_who_comes_later_sees_in_short_what_was() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        await ann.games.add_score(match.id, 60)
        async with playing(bob, match) as (_seat, paper):
            await paper.line_with("The match goes on: Ann against Bob.")
            await paper.line_with("Ann 60   Bob 0")

        assert not any("begins" in line for line in paper.shown)


async def test_of_a_match_that_is_over_the_end_is_shown() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        await bob.games.resign(match.id)
        paper = Paper()
        await Seat(ann, match, paper.show).follow()

    assert "You have won!" in paper.shown
    assert paper.shown[-1] == (
        "* On the board 'main' you are number 1 with 10; your rating is 1658."
    )


async def test_a_long_past_is_read_page_by_page() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        for _ in range(PAGE // 10):
            await ann.games.add_score(match.id, 1)
        await bob.games.resign(match.id)
        paper = Paper()
        await Seat(bob, match, paper.show).follow()

    assert "Ann 50   Bob 0" in paper.shown[1]


async def test_a_question_has_one_try() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"], game="arithmetic")
        async with playing(ann, match) as (seat, paper):
            await paper.line_with("= ?")
            assert seat.asked
            await seat.carry_out("9999")
            with pytest.raises(Conflict, match="wait for the next"):
                await seat.carry_out("1")
            await bob.games.resign(match.id)
            await paper.line_with("You have won!")


async def test_what_is_no_answer_is_refused() -> None:
    async with opened() as (_, ann, bob):
        match = await ann.games.start_match(["ann", "bob"])
        seat, watching = (Seat(one, match, Paper().show) for one in (ann, bob))
        with pytest.raises(Invalid, match="An answer is a number"):
            await seat.carry_out("many")
        await seat.carry_out("")

        assert (seat.plays, watching.plays, seat.over) == (True, True, False)


async def test_help_is_shown_and_quit_ends() -> None:
    async with opened() as (_, ann, _bob):
        paper = Paper()
        seat = Seat(ann, await ann.games.start_match(["ann", "bob"]), paper.show)
        await seat.carry_out("/help")
        await seat.carry_out("/quit")

    assert any("/resign" in line for line in paper.shown)
    assert seat.over


async def test_a_match_that_may_not_be_followed_is_told() -> None:
    async with opened() as (hub, ann, _bob):
        match = await ann.games.start_match(["ann", "bob"], private=True)
        async with hub.session("eve") as eve:
            paper = Paper(patient=True)
            good = await play_match(Seat(eve, match, paper.show), paper)
            with pytest.raises(NotAllowed):
                await Seat(eve, match, paper.show).follow()

    assert not good
    assert "private" in paper.complaints[0]
