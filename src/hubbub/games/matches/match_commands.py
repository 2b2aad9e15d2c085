"""The hub's commands for a match that it runs, on behalf of the match's handler."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...journal.actor import Actor
from ...journal.command import Command, nothing
from ...journal.decide.states import States
from ...journal.event import Draft, Event, Signal
from ...journal.schedule import HUB
from ..boards.board import Entry
from ..boards.commands import check_board_name
from ..boards.methods import submit_command
from ..boards.stream import board_stream
from . import commands as decisions
from .claims import check_claim
from .match import Match, MatchState, match_of
from .terms import MatchTerms

__all__ = ["MatchCommands"]

Drafts = Sequence[Draft]


class MatchCommands:
    """
    The hub's commands for one match.

    Args:
        hub: the actor of the hub's own commands.
        stream: the match's stream.
        terms: the terms of all matches.
        claim: the number of this node's claim of the match; each command checks it.
    """

    def __init__(self, hub: Actor, stream: str, terms: MatchTerms, claim: int) -> None:
        self.claim = claim
        self._hub = hub.ruled(lambda states: check_claim(states, stream, claim))
        self._stream = stream
        self._terms = terms

    async def add_score(self, player: str, points: int, saying: dict[str, Any] | None) -> Match:
        """Give a player points, and send a message with them."""

        def decide(states: States) -> Drafts:
            scored = decisions.score(states, self._stream, HUB, player, points, self._terms)
            return [*decisions.tell(states, self._stream, saying), *scored] if saying else scored

        return await self._change(decide)

    async def finish(self, winner: str | None) -> Match:
        """End the match with a result."""
        return await self._change(
            lambda states: decisions.finish(states, self._stream, winner, self._terms)
        )

    async def cancel(self, reason: str) -> None:
        """End the match without a result."""
        await self._change(lambda states: decisions.cancel(states, self._stream, reason))

    async def tell(self, body: dict[str, Any]) -> None:
        """Send a durable message to all followers."""
        await self._change(lambda states: decisions.tell(states, self._stream, body))

    async def tell_player(self, player: str, body: dict[str, Any]) -> None:
        """Send a durable message to one player."""
        await self._change(lambda states: decisions.tell_player(states, self._stream, player, body))

    def broadcast(self, body: dict[str, Any]) -> None:
        """Send an ephemeral signal to the current followers."""
        self._hub.journal.signal(Signal(self._stream, HUB, "state", body))

    async def submit(
        self, board: str, player: str, score: float, metadata: dict[str, Any] | None
    ) -> Entry:
        """Submit a score of a player to a board."""

        def check(states: States, events: Sequence[Event]) -> str:
            return decisions.check_submitter(states, self._stream, player)

        # Safe to check beforehand, because the players never change.
        user = await self._hub.execute(Command(HUB, nothing, check, reads=(self._stream,)))
        stream = board_stream(check_board_name(board, self._terms.chars_max))
        return await self._hub.execute(submit_command(stream, user, score, metadata, by=HUB))

    async def hear(self, player: str) -> None:
        """Record that a player takes part who has not asked for the match."""
        await self._change(lambda states: decisions.hear(states, self._stream, player))

    async def show(self) -> Match:
        """Return the match as it is now."""
        return await self._change(nothing)

    async def _change(self, decide: Callable[[States], Drafts]) -> Match:
        def shown(states: States, events: Sequence[Event]) -> Match:
            return match_of(self._stream, states.of(MatchState, self._stream))

        return await self._hub.execute(Command(HUB, decide, shown, reads=(self._stream,)))
