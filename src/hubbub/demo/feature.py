"""The demo as a feature: it sets up a lobby, a leaderboard and products, and runs the bot."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from functools import partial

import anyio

from ..chat.rooms.room import Room
from ..errors import NotAllowed, NotFound, RateLimited
from ..feature import Feature
from ..games.matches.supervisor import MatchSupervisor
from ..hub import Hubbub
from ..journal.containment import contained, keep_running
from ..session import Session
from ..shop.catalog.demo import put_on_sale
from ..task_group import open_task_group
from ..wake_up import WakeUp
from .bots import ROBIN, SAMPLES, bot_session
from .chatting import Chatting
from .directs import answer_directs
from .lobby import open_lobby
from .opponent import Opponent

__all__ = ["DEMO", "DEMO_NEEDS"]

logger = logging.getLogger("hubbub.demo")

# The demo shows those of these features that the hub has; without any there is nothing to show.
DEMO_NEEDS = frozenset({"chat", "games", "shop"})
# The board on which the winners of matches are.
BOARD = "main"
# The longest that opening the hub waits for the demo, in seconds; the bot finishes it later.
SET_UP_SECONDS = 5.0
# How long the bot waits for its rate limit, where the refusal does not say it.
RETRY_SECONDS = 1.0
# The job of running the bot: only one node has it.
JOB = "demo"


class Demo:
    """
    The demo of one hub.

    Args:
        hub: where everything is made.
    """

    def __init__(self, hub: Hubbub) -> None:
        self._hub = hub
        self._has = {name for name in DEMO_NEEDS if name in hub.features}
        self._is_set_up = False

    async def set_up(self) -> None:
        """Create missing parts: the products, the leaderboard, the lobby."""
        if "shop" in self._has:
            async with self._hub.session("demo", nickname="Demo", role="admin") as admin:
                await put_on_sale(admin.shop)
        if "games" in self._has:
            for bot in (ROBIN, *SAMPLES):
                async with bot_session(self._hub, bot) as session:
                    await _submit_once(session, bot.score)
        if "chat" in self._has:
            async with bot_session(self._hub, ROBIN) as robin:
                await self._open_lobby(robin)
        self._is_set_up = True

    async def run(self) -> None:
        """Let the bot talk and play until cancelled: on one node, where several share a store."""
        if not self._is_set_up:
            await self.set_up()
        nodes, changed = self._hub.journal.nodes, WakeUp()
        nodes.changed.append(changed.set)
        try:
            while True:
                if nodes.owns(JOB):
                    async with open_task_group() as tasks:
                        tasks.start_soon(self._run_bot)
                        while nodes.owns(JOB):
                            await changed.wait()
                        tasks.cancel_scope.cancel()
                await changed.wait()
        finally:
            nodes.changed.remove(changed.set)

    async def _run_bot(self) -> None:
        async with bot_session(self._hub, ROBIN) as robin, open_task_group() as tasks:
            for name, works in (
                ("chat", (self._talk, self._answer_directs)),
                ("games", (self._play,)),
            ):
                for work in works if name in self._has else ():
                    tasks.start_soon(keep_running, f"the bot of {name}", partial(work, robin))
            await anyio.sleep_forever()

    async def _talk(self, robin: Session) -> None:
        try:
            room = await self._open_lobby(robin)
        except NotAllowed as error:
            logger.warning("%s cannot join the lobby: %s", ROBIN.nickname, error.message)
            return
        if room is not None:
            games, clock = "games" in self._has, self._hub.journal.clock
            await Chatting(robin, room, clock, games=games).run()

    async def _open_lobby(self, robin: Session) -> Room | None:
        has_games, has_shop = "games" in self._has, "shop" in self._has
        while True:
            try:
                return await open_lobby(robin, games=has_games, shop=has_shop)
            except RateLimited as error:
                # The hub lets a user say less at a time than the welcome has.
                await anyio.sleep(error.retry_after or RETRY_SECONDS)

    async def _answer_directs(self, robin: Session) -> None:
        await answer_directs(robin, self._hub.journal.clock)

    async def _play(self, robin: Session) -> None:
        matchmaker = self._hub.runtime(MatchSupervisor).matchmaker
        await Opponent(robin, matchmaker, self._hub.journal.clock, self._hub.ids).run()


async def _submit_once(bot: Session, score: int) -> None:
    # A key is remembered for some days, the entry is there for good.
    try:
        await bot.games.rank(BOARD)
    except NotFound:
        await bot.games.submit(BOARD, score, key="demo-score")


@asynccontextmanager
async def running_demo(hub: Hubbub) -> AsyncGenerator[Demo]:
    """Create missing parts before anyone connects, and run the bot."""
    demo = Demo(hub)
    with anyio.move_on_after(SET_UP_SECONDS):
        await contained("setting up the demo", demo.set_up)
    hub.keep_running("the demo", demo.run)
    yield demo


DEMO = Feature(name="demo", runtime=running_demo)
