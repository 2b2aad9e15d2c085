"""
Nothing happens twice because a command is decided twice.

If another writer was first, a whole batch is decided again, with the commands in it that only
read. Here that is so for every batch, and every result is made twice besides.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

import hubbub
from hubbub.journal.command import Call
from hubbub.journal.decide.decider import Decided, Decider
from tests.session import (
    test_carts,
    test_checkout,
    test_game_tables,
    test_keys,
    test_matches,
    test_matchmaking,
    test_messages,
    test_playing,
    test_presence,
    test_rooms,
)
from tests.session.test_match_ends import send_when_it_runs
from tests.session.worlds import ContendedStore, OpenWorld, open_world

Session = Callable[[OpenWorld], Coroutine[Any, Any, None]]

SESSIONS: tuple[Session, ...] = (
    test_carts.test_the_example_comes_to_what_it_must,
    test_carts.test_a_guests_cart_comes_along,
    test_checkout.test_a_key_buys_once,
    test_checkout.test_what_is_there_is_sold_exactly,
    test_game_tables.test_a_card_is_dealt_to_one_player_and_to_nobody_else,
    test_game_tables.test_many_messages_of_one_player_are_answered_each,
    test_game_tables.test_a_game_names_the_winner_and_submits_scores,
    test_keys.test_a_one_time_key_is_handed_out_once,
    test_matches.test_the_same_key_starts_one_match,
    test_matchmaking.test_three_play_a_game_for_three,
    test_matchmaking.test_who_came_too_early_is_no_ghost,
    test_messages.test_the_same_key_says_it_once,
    test_playing.test_messages_come_in_the_order_in_which_they_were_sent,
    test_presence.test_one_is_away_when_all_of_ones_sessions_are,
    test_rooms.test_a_private_room_is_for_those_who_are_invited,
)


@pytest.fixture
def contended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenWorld:
    """Open a world where every batch is decided twice, and every result made twice."""
    decide = Decider.decide

    def decide_twice(decider: Decider, call: Call[Any], decided: Decided) -> None:
        command = call.command

        def twice(*args: Any) -> Any:
            command.result(*args)
            return command.result(*args)

        call.command = msgspec.structs.replace(command, result=twice)
        try:
            decide(decider, call, decided)
        finally:
            call.command = command

    monkeypatch.setattr(Decider, "decide", decide_twice)
    return partial(open_world, "contended", tmp_path)


@pytest.mark.parametrize("session", SESSIONS, ids=lambda session: session.__name__[5:])
async def test_a_session_is_the_same_if_everything_is_decided_twice(
    session: Session, contended: OpenWorld
) -> None:
    await session(contended)


class Counting(hubbub.Handler):
    """A game that counts its messages."""

    heard: list[dict[str, Any]]

    async def on_message(self, table: hubbub.Table, player: str, body: dict[str, Any]) -> None:
        self.heard.append(body)


async def test_a_game_gets_each_message_once(contended: OpenWorld) -> None:
    class Listening(Counting):
        heard: list[dict[str, Any]] = []

    async with contended(games={"counting": hubbub.Game(handler=Listening)}) as w:
        alice, bob = await w.sessions("Alice", "Bob")
        match = await alice.games.start_match([alice.user.id, bob.user.id], game="counting")
        room = await bob.chat.create_room("Lobby")
        await send_when_it_runs(alice, match, {"number": 0})
        async with anyio.create_task_group() as tasks:
            for number in range(1, 20):
                # The room's messages are written, so their batches are decided again.
                tasks.start_soon(bob.chat.send, room.id, f"{number}")
                tasks.start_soon(alice.games.message, match.id, {"number": number})
        store = w.hub.journal.store

        assert isinstance(store, ContendedStore)
        assert store.refused > 0
        assert sorted(body["number"] for body in Listening.heard) == [*range(20)]
