"""
The matches that this node runs: each is claimed, run, and taken over from a node that is gone.

When the store fails, a match stands still. As soon as the store works again its handler starts
anew, as after a restart of the process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import anyio
import msgspec

from ...errors import Closed, Conflict, Overloaded, StorageError
from ...journal.actor import Actor
from ...journal.cluster.nodes import NODE_SILENT_SECONDS_MAX
from ...journal.command import Command, Verdict, nothing
from ...journal.decide.states import States
from ...journal.event import Event
from ...journal.schedule import HUB
from ..known_nodes import KnownNodes
from .claims import claim_match
from .forwarding import MessageForwarding
from .game import Game
from .match import Match, MatchState, match_of
from .match_commands import MatchCommands
from .runner import Runner
from .terms import MatchTerms

__all__ = ["AGAIN_SECONDS", "AGAIN_SECONDS_MAX", "Running"]

logger = logging.getLogger("hubbub.games")

# How long a match waits after the store has failed; each failure doubles it.
AGAIN_SECONDS = 1.0
# The longest such wait.
AGAIN_SECONDS_MAX = 5.0
# How much longer than a node can be silent a match waits for a node that is unknown.
LOOK_SECONDS = 1.0


class Running:
    """
    The matches that this node runs, and the way to those that other nodes run.

    Args:
        hub: the actor of the hub's own commands.
        games: the games of the application, by name.
        terms: the terms of all matches.
        nodes: the nodes as the games know them.
        start: runs a task in the hub, from anywhere.
    """

    def __init__(
        self,
        hub: Actor,
        games: Mapping[str, Game],
        terms: MatchTerms,
        nodes: KnownNodes,
        start: Callable[..., None],
    ) -> None:
        self._hub = hub
        self._games = games
        self._terms = terms
        self._nodes = nodes
        self._start = start
        self._runners: dict[str, Runner] = {}
        # Matches that other nodes run -> the node.
        self._elsewhere: dict[str, str] = {}
        # Matches that run again when the store works again -> how long each waits next.
        self._interrupted: dict[str, float] = {}
        self._live = hub.journal.nodes
        self._forwarding = MessageForwarding(self._live, self._put_here, start)
        self._live.answer["match"] = self._forwarding.answer

    def __contains__(self, stream: str) -> bool:
        return stream in self._runners

    def __len__(self) -> int:
        return len(self._runners)

    def look_at(self, stream: str) -> None:
        """Run a match soon, if this node has to and does not yet."""
        self._start(self._run_if_played_here, stream)

    def commands(self, stream: str, claim: int) -> MatchCommands:
        """Return the hub's commands for a match."""
        return MatchCommands(self._hub, stream, self._terms, claim)

    def end(self, stream: str) -> None:
        """Stop running a match, because it is over."""
        self._elsewhere.pop(stream, None)
        if (runner := self._runners.get(stream)) is not None:
            runner.end()

    def nodes_changed(self) -> None:
        """Look at the matches of nodes that are gone."""
        for stream, node in list(self._elsewhere.items()):
            if self._nodes.is_gone(node):
                self.look_at(stream)

    def put(
        self, stream: str, player: str, body: dict[str, Any], verdict: Verdict, key: str | None
    ) -> None:
        """
        Pass a player's message to the handler of a match; see :meth:`Inbox.put`.

        Raises:
            Conflict: no handler runs the match.
            Overloaded: too many messages wait, or the store has failed.
        """
        if (runner := self._runners.get(stream)) is not None:
            runner.inbox.put(player, body, verdict, key)
            return
        if stream in self._interrupted:
            raise Overloaded("The database has failed; send the message again.")
        match = self._hub.journal.peek(stream)
        node = match.node if isinstance(match, MatchState) else self._live.me
        if node in ("", self._live.me) or not self._nodes.is_there(node):
            raise Conflict("This match takes no messages: no game runs it, or it is over.")
        self._forwarding.send(node, stream, player, body, verdict, key)

    def _put_here(
        self, stream: str, player: str, body: dict[str, Any], verdict: Verdict, key: str | None
    ) -> None:
        if (runner := self._runners.get(stream)) is None:
            # It was claimed a moment ago, by this node or by another.
            raise Overloaded("This match is moving to a server; send the message again.")
        runner.inbox.put(player, body, verdict, key)

    async def _run_if_played_here(self, stream: str, *, again: bool = False) -> None:
        try:
            await self._run_if_claimed(stream)
        except Closed:
            pass
        except StorageError as error:
            self._run_later(stream, error, again=again)
            return
        except Exception:  # this match does not run, and no other match is affected
            logger.exception("%s is no longer run", stream)
        self._interrupted.pop(stream, None)

    def _run_later(self, stream: str, error: StorageError, *, again: bool) -> None:
        if again:
            # The health of the store logs its failures; this match was in the log at the first.
            logger.info("%s is still interrupted", stream)
        elif stream in self._interrupted:
            # Another task tries again.
            return
        else:
            logger.warning("%s is interrupted until the store works", stream, exc_info=error)
        wait = self._interrupted.get(stream, AGAIN_SECONDS)
        self._interrupted[stream] = min(2 * wait, AGAIN_SECONDS_MAX)
        self._start(self._run_again, stream, wait)

    async def _run_again(self, stream: str, wait: float) -> None:
        await anyio.sleep(wait)
        await self._run_if_played_here(stream, again=True)

    async def _run_if_claimed(self, stream: str) -> None:
        seen = await self._hub.execute(
            Command(HUB, nothing, partial(_seen, stream), reads=(stream,))
        )
        if not self._terms.runs(seen.match.game) or seen.match.status != "active":
            return
        seen = await self._claimed(stream, seen)
        if (runner := self._runners.get(stream)) is not None:
            if runner.claim != seen.claim:
                runner.lose()
        elif seen.node == self._terms.node:
            await self._run(stream, seen)

    async def _claimed(self, stream: str, seen: _Seen) -> _Seen:
        """Claim a match that this node has to run; return what holds then."""
        me = self._terms.node
        gone = self._nodes.is_gone
        if seen.node != me and gone(seen.node) and self._live.owns(stream):
            decide = partial(claim_match, stream=stream, node=me, is_gone=gone)
            command = Command(HUB, decide, partial(_seen, stream), reads=(stream,))
            seen = await self._hub.execute(command)
        if seen.node == me:
            self._elsewhere.pop(stream, None)
        else:
            self._elsewhere[stream] = seen.node
            if not self._live.is_live(seen.node):
                self._start(self._look_for_its_node, stream)
        return seen

    async def _look_for_its_node(self, stream: str) -> None:
        """Look at a match again whose node has just joined, or died before this node joined."""
        await anyio.sleep(NODE_SILENT_SECONDS_MAX + LOOK_SECONDS)
        if stream in self._elsewhere:
            await self._run_if_played_here(stream)

    async def _run(self, stream: str, seen: _Seen) -> None:
        journal = self._hub.journal
        state = journal.peek(stream)
        if isinstance(state, MatchState) and state.status != "active":
            return
        game = self._games[seen.match.game or ""]
        commands = self.commands(stream, seen.claim)
        monotonic, random = journal.clock.monotonic, self._hub.settings.random
        runner = Runner(seen.match, game, commands, random, monotonic, seen.silent)
        self._runners[stream] = runner
        try:
            await runner.run()
        finally:
            del self._runners[stream]


class _Seen(msgspec.Struct, frozen=True):
    """A match, the players who have not acted, and the node that runs it."""

    match: Match
    silent: set[str]
    node: str
    claim: int


def _seen(stream: str, states: States, events: Sequence[Event]) -> _Seen:
    match = states.of(MatchState, stream)
    return _Seen(match_of(stream, match), match.silent(), match.node, match.claim)
