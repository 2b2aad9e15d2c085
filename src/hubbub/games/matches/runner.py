"""
A match that the hub runs with an application's handler.

The handler's methods are called one after another, each with a deadline, in a task
group and a cancel scope of the match's own. What goes wrong in there ends this match
as cancelled, says why in its stream, and touches nothing else.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Collection
from random import Random
from typing import Any

import anyio
import msgspec
from anyio import WouldBlock

from ...errors import Closed, Conflict, Invalid, Overloaded, StorageError
from ..boards.commands import check_object
from .game import Game, Handler
from .match import Match
from .watched import Watch

__all__ = ["GAME_BODY_BYTES_MAX", "MESSAGES_MAX", "MatchCommands", "Runner"]

logger = logging.getLogger("hubbub.games")

# Messages of the players of one match that wait for its handler.
MESSAGES_MAX = 256
# One message of a player to the game, or of the game to the players, in bytes of JSON.
GAME_BODY_BYTES_MAX = 16_384
# Bytes of the messages that wait; each player may have an equal part of them, or one message.
INBOX_BYTES_MAX = 256 * 1024
# Characters of the reason for which a handler cancels its match; the rest is cut off.
REASON_CHARS_MAX = 200


class MatchCommands(msgspec.Struct, frozen=True):
    """
    What a runner may do to its match, as the hub.

    Args:
        add_score: gives a player points, and tells something with them.
        tell: writes an event that the game has made up.
        broadcast: sends a signal.
        cancel: ends the match without a result.
        show: returns the match as it is.
        hear: notes that a player takes part who was not asked.
    """

    add_score: Callable[[str, int, dict[str, Any] | None], Awaitable[Match]]
    tell: Callable[[dict[str, Any]], Awaitable[None]]
    broadcast: Callable[[dict[str, Any]], None]
    cancel: Callable[[str], Awaitable[None]]
    show: Callable[[], Awaitable[Match]]
    hear: Callable[[str], Awaitable[None]]


class Runner:
    """
    Runs one match; it is its handler's :class:`hubbub.games.matches.game.Table`.

    Args:
        match: as it is now.
        game: what it is played by.
        commands: what it may do.
        random: where the handler's chance comes from.
        monotonic: gives the time, in seconds, to see what blocks the event loop.
        silent: players who were not asked, and take part from their first message on.
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
        self._watch = Watch(f"match {match.id} ({match.game})", monotonic)
        self._scope = anyio.CancelScope()
        self._ended = False
        self._silent = set(silent)
        # A player -> how many bytes of theirs wait.
        self._waiting = dict.fromkeys(match.players, 0)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._send, self._receive = anyio.create_memory_object_stream[
            tuple[str, dict[str, Any], int]
        ](MESSAGES_MAX)

    # What the hub does.

    async def run(self) -> None:
        """Run the match to its end, or until the hub is left."""
        with self._send, self._receive:
            try:
                handler = self._watch.call("the handler", self._handler)
                await self._play_to_the_end(handler)
                if not self._ended:
                    raise RuntimeError("the game has cancelled itself")
                self.match = await self._commands.show()
                await self._call("on_end", handler.on_end, self)
            except (Closed, StorageError):
                # The hub is going, or can keep nothing; when it is opened again this goes on.
                logger.warning("match %s is interrupted", self.match.id, exc_info=True)
            except Exception as error:
                await self._fail(error)

    def put(self, player: str, body: dict[str, Any]) -> None:
        """
        Take a player's message.

        Raises:
            Overloaded: the handler is slower than they come.
        """
        size, waiting = len(msgspec.json.encode(body)), self._waiting[player]
        try:
            if waiting and waiting + size > INBOX_BYTES_MAX // len(self._waiting):
                raise WouldBlock
            self._send.send_nowait((player, body, size))
        except WouldBlock:
            raise Overloaded("This match has too many messages to read; wait a little.") from None
        self._waiting[player] += size

    def end(self) -> None:
        """Stop: the match is over."""
        self._ended = True
        self._scope.cancel()

    # What the handler does.

    async def add_score(
        self, player: str, points: int, *, saying: dict[str, Any] | None = None
    ) -> Match:
        """Give a player points, as the referee; they are durable when it returns."""
        said = None if saying is None else check_object(saying, GAME_BODY_BYTES_MAX, "message")
        self.match = await self._commands.add_score(player, points, said)
        return self.match

    async def tell(self, body: dict[str, Any]) -> None:
        """Say something to everybody who follows: an event, which is kept."""
        await self._commands.tell(check_object(body, GAME_BODY_BYTES_MAX, "message"))

    def broadcast(self, body: dict[str, Any]) -> None:
        """Say something to those who follow just now: a signal, which is not kept."""
        self._commands.broadcast(check_object(body, GAME_BODY_BYTES_MAX, "message"))

    async def cancel(self, reason: str) -> None:
        """End the match without a result."""
        await self._commands.cancel(_plain(reason))

    def start_soon(self, work: Callable[..., Any], *args: object) -> None:
        """Run something beside the handler, until the match ends."""
        if self._tasks is None:
            raise Invalid("Nothing can be started before on_start or after the end.")
        what = getattr(work, "__name__", "a task")
        self._tasks.start_soon(self._watch.run, what, work, *args)

    async def _play_to_the_end(self, handler: Handler) -> None:
        try:
            with self._scope:
                await self._play(handler)
        except Conflict:
            if (await self._commands.show()).status == "active":
                raise
            # It was ended by something else while the handler was at work.
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
                player, body, size = await self._receive.receive()
            if not waiting.cancelled_caught:
                self._waiting[player] -= size
                if player in self._silent:
                    # Before the game makes points of it, which may end the match.
                    await self._commands.hear(player)
                    self._silent.discard(player)
                await self._call("on_message", handler.on_message, self, player, body)
            now = anyio.current_time()
            if now >= due:
                await self._call("on_tick", handler.on_tick, self, tick)
                # A tick that was missed is left out: to catch up would be to fall behind.
                tick = max(tick, math.floor((anyio.current_time() - start) * rate)) + 1

    async def _call(self, what: str, method: Callable[..., Awaitable[None]], *args: Any) -> None:
        seconds = self._game.call_seconds_max
        with anyio.CancelScope(deadline=anyio.current_time() + seconds) as scope:
            await self._watch.run(what, method, *args)
        if scope.cancelled_caught:
            raise TimeoutError(f"{what} took longer than {seconds:g} s")

    async def _fail(self, error: Exception) -> None:
        logger.error("the handler of match %s has failed", self.match.id, exc_info=error)
        try:
            await self._commands.cancel(_plain(f"The game failed: {_told(error)}"))
        except Exception:  # the log has why it failed; this match is all that it concerns
            logger.exception("match %s could not be cancelled", self.match.id)


def _told(error: Exception) -> str:
    try:
        return f"{type(error).__name__}: {error}"
    except Exception:  # an application's error need not have words
        return type(error).__name__


def _plain(reason: str) -> str:
    # Half a surrogate pair, of which there may be one in any error, cannot be written.
    return reason.encode(errors="replace").decode()[:REASON_CHARS_MAX]


def _first(group: ExceptionGroup[Exception]) -> Exception:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, ExceptionGroup) else first
