"""
A match that the hub runs with an application's handler.

The handler's methods are called one after another, each with a deadline, in a task group and a
cancel scope of the match's own. A failure in there cancels this match, writes the reason into its
stream, and touches nothing else.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from random import Random
from typing import Any

import anyio

from ...errors import Closed, Conflict, HubbubError, Invalid, Overloaded, StorageError
from ...json_values import check_object
from ..boards.board import Entry
from .call_limit import CallLimit
from .claims import ClaimLost
from .game import Game, Handler
from .inbox import Inbox, PlayerMessage
from .match import Match
from .match_commands import MatchCommands
from .watched import Watch

__all__ = ["GAME_BODY_BYTES_MAX", "REASON_CHARS_MAX", "Runner"]

logger = logging.getLogger("hubbub.games")

# A message of a player to the game, or of the game to players, in bytes of JSON.
GAME_BODY_BYTES_MAX = 16_384
# The longest reason for which a handler cancels its match; the rest is cut off.
REASON_CHARS_MAX = 200


class Runner:
    """
    Runs one match; it is its handler's :class:`hubbub.games.matches.game.Table`.

    Args:
        match: the match as it is now.
        game: the match's game.
        commands: the hub's commands for the match.
        random: the handler's source of randomness.
        monotonic: returns the time, in seconds, to detect what blocks the event loop.
        silent: players who have not asked to play, and take part from their first message on.
    """

    def __init__(  # noqa: PLR0913
        self,
        match: Match,
        game: Game,
        commands: MatchCommands,
        random: Random,
        monotonic: Callable[[], float],
        silent: Collection[str] = (),
    ) -> None:
        assert game.handler is not None
        self.match = match
        self.random = random
        self._game = game
        self._handler = game.handler
        self._commands = commands
        self._limit = CallLimit(game.call_seconds_max)
        self._watch = Watch(f"match {match.id} ({match.game})", monotonic)
        self._scope = anyio.CancelScope()
        self._ended = self._lost = False
        self._silent = set(silent)
        self.inbox = Inbox(match.players)
        # The message that the handler is handling.
        self._handled: PlayerMessage | None = None
        self._tasks: anyio.abc.TaskGroup | None = None

    @property
    def claim(self) -> int:
        """The number of this node's claim of the match."""
        return self._commands.claim

    # The hub's part

    async def run(self) -> None:
        """
        Run the match until it ends or the hub closes.

        Raises:
            StorageError: the store could not write it; run the match again later.
        """
        error: HubbubError = Closed("The hub is closing; send the message again after it restarts.")
        try:
            await self._run()
            error = Conflict("This match is over, and the game has not read this message.")
        except Closed:
            # When the hub opens again the match continues.
            logger.warning("match %s is interrupted", self.match.id)
        except StorageError:
            error = Overloaded("The database has failed; send the message again.")
            raise
        except ClaimLost:
            error = Overloaded("Another server runs this match now; send the message again.")
            logger.warning("match %s continues at another node", self.match.id)
        finally:
            if self._handled is not None:
                # The handler was handling it when the match ended: nobody has refused it.
                unread = isinstance(error, Closed | Overloaded)
                self._handled.verdict.settle(error if unread else None)
            self.inbox.close(error)

    def end(self) -> None:
        """Stop: the match is over."""
        self._ended = True
        self._scope.cancel()

    def lose(self) -> None:
        """Stop: another node runs the match."""
        self._lost = True
        self._scope.cancel()

    # The handler's part

    async def add_score(
        self, player: str, points: int, *, saying: dict[str, Any] | None = None
    ) -> Match:
        """Give a player points, as the referee; they are durable when it returns."""
        said = None if saying is None else check_object(saying, GAME_BODY_BYTES_MAX, "message")
        self.match = await self._limit.wait_for(self._commands.add_score(player, points, said))
        return self.match

    async def tell(self, body: dict[str, Any]) -> None:
        """Send a durable message to all followers."""
        checked = check_object(body, GAME_BODY_BYTES_MAX, "message")
        await self._limit.wait_for(self._commands.tell(checked))

    def broadcast(self, body: dict[str, Any]) -> None:
        """Send an ephemeral signal to the current followers."""
        self._commands.broadcast(check_object(body, GAME_BODY_BYTES_MAX, "message"))

    async def tell_player(self, player: str, body: dict[str, Any]) -> None:
        """Send a durable message to one player."""
        checked = check_object(body, GAME_BODY_BYTES_MAX, "message")
        await self._limit.wait_for(self._commands.tell_player(player, checked))

    async def finish(self, winner: str | None) -> Match:
        """End the match with a result, whatever its rules would decide."""
        self.match = await self._limit.wait_for(self._commands.finish(winner))
        return self.match

    async def submit(
        self,
        board: str,
        player: str,
        score: int | float,  # noqa: PYI041  (as the session's own method has it)
        *,
        metadata: dict[str, Any] | None = None,
    ) -> Entry:
        """Submit a score of a player to a board."""
        return await self._limit.wait_for(self._commands.submit(board, player, score, metadata))

    async def cancel(self, reason: str) -> None:
        """End the match without a result."""
        await self._limit.wait_for(self._commands.cancel(_plain(reason)))

    def start_soon(self, work: Callable[..., Any], *args: object) -> None:
        """Run a task beside the handler, until the match ends."""
        if self._tasks is None:
            raise Invalid("Call start_soon from on_start on, and before the end of the match.")
        what = getattr(work, "__name__", "a task")
        self._tasks.start_soon(self._watch.run, what, work, *args)

    async def _run(self) -> None:
        try:
            handler = self._watch.call("the handler", self._handler)
            await self._play_to_the_end(handler)
            if self._lost:
                raise ClaimLost("another node has claimed it")
            if not self._ended:
                raise RuntimeError("the game has cancelled itself")
            self.match = await self._commands.show()
            await self._call("on_end", handler.on_end, self)
        except (Closed, StorageError, ClaimLost):
            raise
        except Exception as error:
            await self._fail(error)

    async def _play_to_the_end(self, handler: Handler) -> None:
        try:
            with self._scope:
                await self._play(handler)
        except Conflict:
            if not await self._is_over():
                raise
            # Something else has ended the match while the handler was at work.
            self._ended = True

    async def _play(self, handler: Handler) -> None:
        errors: list[Exception] = []
        try:
            async with anyio.create_task_group() as self._tasks:
                await self._call("on_start", handler.on_start, self)
                await self._go_on(handler)
        except* Exception as group:
            errors = [_first(group)]
        finally:
            self._tasks = None
        for error in errors:
            raise error

    async def _go_on(self, handler: Handler) -> None:
        rate, start, tick = self._game.ticks_per_second, anyio.current_time(), 1
        while True:
            due = start + tick / rate if rate else math.inf
            with anyio.CancelScope(deadline=due) as waiting:
                self._handled = await self.inbox.receive()
            if not waiting.cancelled_caught and self._handled is not None:
                await self._handle(handler, self._handled)
                self._handled = None
            now = anyio.current_time()
            if now >= due:
                await self._call("on_tick", handler.on_tick, self, tick)
                # Skip a missed tick: catching up would make the game fall further behind.
                tick = max(tick, math.floor((anyio.current_time() - start) * rate)) + 1

    async def _handle(self, handler: Handler, message: PlayerMessage) -> None:
        player = message.player
        if player in self._silent:
            # Record it before the game gives points for it, which may end the match.
            await self._commands.hear(player)
            self._silent.discard(player)
        try:
            await self._call("on_message", handler.on_message, self, player, message.body)
        except HubbubError as error:
            message.verdict.settle(error)
            going = isinstance(error, Closed | StorageError)
            if going or (isinstance(error, Conflict) and await self._is_over()):
                raise
        else:
            message.verdict.settle()

    async def _is_over(self) -> bool:
        return (await self._commands.show()).status != "active"

    async def _call(self, what: str, method: Callable[..., Awaitable[None]], *args: Any) -> None:
        await self._limit.run(what, partial(self._watch.run, what, method, *args))

    async def _fail(self, error: Exception) -> None:
        logger.error("the handler of match %s has failed", self.match.id, exc_info=error)
        try:
            await self._commands.cancel(_plain(f"The game failed: {_told(error)}"))
        except (Closed, StorageError, ClaimLost):
            raise
        except Exception:  # the log has why it failed; only this match is affected
            logger.exception("match %s could not be cancelled", self.match.id)


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an application's error may have a broken __str__
        return type(error).__name__


def _plain(reason: str) -> str:
    # Half a surrogate pair, which any error may contain, cannot be encoded.
    return reason.encode(errors="replace").decode()[:REASON_CHARS_MAX]


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
