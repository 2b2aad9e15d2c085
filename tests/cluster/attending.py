"""Users who come and go, and users who sign out everywhere."""

from __future__ import annotations

from contextlib import suppress
from functools import partial

import anyio

import hubbub
from hubbub.errors import HubbubError
from tests.cluster.works import PAUSE_SECONDS, Round, again, connected, following

__all__ = ["Attending"]

# How long until all nodes show who is there, after everything is well again.
SHOWN_SECONDS_MAX = 10.0
# How long until a sign-out has closed a user's other connections: then, and under trouble.
CLOSED_SECONDS_MAX = 3.0
TROUBLED_SECONDS_MAX = 30.0


class Attending:
    """
    Users who come and go until the round is over, and of whom some then stay.

    Args:
        users: their number.
    """

    def __init__(self, users: int) -> None:
        self.users = users
        self.signed_out: list[float] = []
        self.found: list[str] = []
        self._ids: dict[str, str] = {}
        self._left = set[str]()
        self._stays = 0
        self._checked = anyio.Event()

    async def run(self, round_: Round) -> None:
        """Connect, leave, sign out; in the end, let each node list who is online."""
        async with anyio.create_task_group() as tasks:
            for number in range(self.users):
                tasks.start_soon(self._attend, round_, number)
            tasks.start_soon(self._sign_out, round_)
            await round_.over.wait()
            await self._check(round_)
            self._checked.set()

    async def _attend(self, round_: Round, number: int) -> None:
        name = f"guest {number}"
        random, token = round_.random(name), None
        while True:
            async with connected(round_.url, name, token) as session:
                token, self._ids[name] = session.refresh_token, session.user.id
                with anyio.move_on_after(random.uniform(0.5, 4)):
                    await round_.over.wait()
                if round_.is_over:
                    if number % 2:
                        # These leave for good.
                        self._left.add(self._ids.pop(name))
                        return
                    self._stays += 1
                    await self._checked.wait()
                    return
                token = session.refresh_token

    async def _check(self, round_: Round) -> None:
        with anyio.move_on_after(SHOWN_SECONDS_MAX):
            while self._stays + len(self._left) < self.users:  # noqa: ASYNC110
                await anyio.sleep(PAUSE_SECONDS)
        there, away = set(self._ids.values()), self._left
        for url in round_.urls:
            async with connected(url, "observer") as observer:
                shown = set[str]()
                with anyio.move_on_after(SHOWN_SECONDS_MAX):
                    while not there <= shown or away & shown:
                        online = await again(observer.users.online)
                        shown = {user.id for user in online}
                        await anyio.sleep(PAUSE_SECONDS)
                if not there <= shown or away & shown:
                    missing, left = len(there - shown), len(away & shown)
                    self.found.append(f"{url} misses {missing} users, and shows {left} who left")

    async def _sign_out(self, round_: Round) -> None:
        number = 0
        while True:
            calm = round_.is_over
            await self._sign_out_once(round_, f"account {number}", calm=calm)
            if calm:
                return
            number += 1
            with anyio.move_on_after(1):
                await round_.over.wait()

    async def _sign_out_once(self, round_: Round, name: str, *, calm: bool) -> None:
        most = CLOSED_SECONDS_MAX if calm else TROUBLED_SECONDS_MAX
        async with connected(round_.url, name) as one:
            room = await again(partial(one.chat.create_room, name, key="room"))
            closed = list[str]()
            async with anyio.create_task_group() as tasks:
                # By turns, so these are at other nodes.
                for _ in round_.urls[1:]:
                    tasks.start_soon(self._until_closed, round_.url, one.token, room.stream, closed)
                await anyio.sleep(0.5)
                began, others = anyio.current_time(), len(round_.urls[1:])
                with anyio.move_on_after(most):
                    while len(closed) < others:
                        # It may not have been accepted, and another sign-out does no harm.
                        with suppress(HubbubError):
                            await one.users.sign_out(everywhere=True)
                            began = anyio.current_time()
                        await anyio.sleep(PAUSE_SECONDS / 5)
                took = anyio.current_time() - began
                if len(closed) < others:
                    self.found.append(f"{name} is not signed out at another node after {most} s")
                self.signed_out.append(took)
                tasks.cancel_scope.cancel()

    async def _until_closed(self, url: str, token: str, stream: str, closed: list[str]) -> None:
        try:
            async with (
                connected(url, "again", token) as session,
                following(session, stream) as events,
            ):
                async for _ in events:
                    pass
        except HubbubError:
            closed.append(url)

    async def faults(self, reader: hubbub.Session) -> list[str]:
        """Return what was found."""
        return self.found

    def figures(self) -> str:
        """Return how long a sign-out took at most."""
        longest = max(self.signed_out, default=0.0)
        return f"{len(self.signed_out)} sign-outs of up to {longest:.1f} s"
