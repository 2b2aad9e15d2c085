"""The actions of a game: refusals, hidden hands, winners and scores."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.errors import Invalid, NotAllowed
from tests.session.test_match_ends import send_when_it_runs
from tests.session.test_matches import ended
from tests.session.worlds import OpenWorld, World

PATIENCE = 10.0


class Cards(hubbub.Handler):
    """A game that deals a card to each, and asks who has the higher one."""

    async def on_start(self, table: hubbub.Table) -> None:
        self.cards = dict(zip(table.match.players, (7, 9), strict=True))
        for player, card in self.cards.items():
            await table.tell_player(player, {"card": card})
        await table.tell({"dealt": len(self.cards)})

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        if body.get("card") != self.cards[player]:
            raise Invalid("You do not hold this card.")
        await table.submit("cards", player, self.cards[player], metadata={"card": True})
        await table.finish(max(self.cards, key=self.cards.__getitem__))


GAMES = {"cards": hubbub.Game(handler=Cards, win_points=25)}


async def dealt(w: World) -> tuple[hubbub.Match, hubbub.Session, hubbub.Session]:
    """Begin a game of cards."""
    alice, bob = await w.sessions("Alice", "Bob")
    await alice.games.create_board("cards")
    match = await alice.games.start_match([alice.user.id, bob.user.id], game="cards")
    return match, alice, bob


async def next_card(events: AsyncIterator[hubbub.Event]) -> hubbub.Event:
    """Wait for a card."""
    with anyio.fail_after(PATIENCE):
        async for event in events:
            if event.type == "told_player":
                return event
    pytest.fail("the stream has ended")


async def test_a_card_is_dealt_to_one_player_and_to_nobody_else(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        match, alice, bob = await dealt(w)
        eve = await w.session("Eve")
        cards = list[Any]()
        for player in (alice, bob):
            async with player.follow(f"user/{player.user.id}", after=0) as events:
                card = await next_card(events)
            cards.append((getattr(card.data, "match", None), getattr(card.data, "body", None)))

        assert cards == [(match.stream, {"card": 7}), (match.stream, {"card": 9})]
        for other in (alice, eve):
            with pytest.raises(NotAllowed):
                await other.read(f"user/{bob.user.id}")
            with pytest.raises(NotAllowed):
                async with other.follow(f"user/{bob.user.id}", after=0):
                    pass
        for session in (alice, bob, eve):
            assert "'card'" not in repr(await session.read(match.stream))


async def test_a_refused_message_is_told_to_its_sender_and_the_game_goes_on(
    world: OpenWorld,
) -> None:
    async with world(games=GAMES) as w:
        match, alice, bob = await dealt(w)
        await until_it_is_dealt(alice, match)
        for _ in range(2):
            with pytest.raises(Invalid) as refused:
                await alice.games.message(match.id, {"card": 9})

            assert refused.value.message == "You do not hold this card."
        assert (await bob.games.match(match.id)).status == "active"


async def test_many_messages_of_one_player_are_answered_each(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        match, alice, _ = await dealt(w)
        await until_it_is_dealt(alice, match)
        refused = list[str]()

        async def send() -> None:
            try:
                await alice.games.message(match.id, {"card": 1})
            except Invalid as error:
                refused.append(error.message)

        with anyio.fail_after(PATIENCE):
            async with anyio.create_task_group() as tasks:
                for _ in range(50):
                    tasks.start_soon(send)

        assert refused == ["You do not hold this card."] * 50


async def test_a_game_names_the_winner_and_submits_scores(world: OpenWorld) -> None:
    async with world(games=GAMES) as w:
        match, alice, bob = await dealt(w)
        await until_it_is_dealt(alice, match)
        async with bob.follow(match.stream, after=0) as events:
            # Over a network a player whom another has named takes part by acting.
            await bob.games.message(match.id, {"card": 9})
            last = (await ended(events))[-1]
        entry = await alice.games.rank("cards", bob.user.id)

        assert last.type == "completed"
        assert (await alice.games.match(match.id)).winner == bob.user.id
        assert (entry.score, entry.metadata) == (9, {"card": True})
        # What a win gives is the game's to say.
        assert (await alice.games.rank("main", bob.user.id)).score == 25


async def until_it_is_dealt(session: hubbub.Session, match: hubbub.Match) -> None:
    """Wait until the game takes messages."""
    async with session.follow(match.stream, after=0) as events:
        with anyio.fail_after(PATIENCE):
            async for event in events:
                if event.type == "told":
                    return


async def test_a_game_that_needs_no_answer_takes_a_message(world: OpenWorld) -> None:
    async with world(games={"quiet": hubbub.Game(handler=hubbub.Handler)}) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        match = await alice.games.start_match([alice.user.id, bob.user.id], game="quiet")
        await send_when_it_runs(alice, match, {})

        await alice.games.message(match.id, {}, key="once")
