"""
Visitors of a server: each comes as a new guest, uses everything, and goes in one way or another.

Run as ``python visitors.py ADDRESS SECONDS SEED``; it prints how many came.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from random import Random

import anyio
import httpx2

import hubbub
from hubbub import FirstTo, HubbubError
from hubbub.client.remote import RemoteSession
from tests.blackbox.raw import TEXT, Raw, frame_of, handshake_of

AT_ONCE = 12
SKU = "mouse"

Visit = Callable[[RemoteSession, "Visits"], Awaitable[None]]


class Visits:
    """The room, the address and the chance that all visitors share."""

    def __init__(self, address: str, seed: int) -> None:
        self.address = address
        self.random = Random(seed)
        self.count = 0
        self.room = ""

    def open(self) -> RemoteSession:
        """Make a session of a new guest."""
        self.count += 1
        session = hubbub.connect(self.address, nickname=f"Guest {self.count}")
        assert isinstance(session, RemoteSession)
        return session


async def chat(session: RemoteSession, visits: Visits) -> None:
    """Follow a room, write, change what was written, and look for it."""
    chat = session.chat
    await chat.join(visits.room)
    async with (
        session.follow(f"room/{visits.room}") as events,
        session.signals(f"room/{visits.room}"),
    ):
        await chat.typing(visits.room)
        message = await chat.send(visits.room, f"hello from {session.user.nickname}")
        await chat.react(visits.room, message.seq, "👍")
        await chat.edit(visits.room, message.seq, "changed")
        await anext(events)
        await chat.delete(visits.room, message.seq)
    await chat.history(visits.room)
    await chat.search(visits.room, "hello")
    await chat.unread()
    await chat.leave(visits.room)


async def room(session: RemoteSession, visits: Visits) -> None:
    """Make a room of their own, and close it."""
    own = await session.chat.create_room(f"Room of {session.user.id}")
    async with session.follow(own.stream, after=0) as events:
        await session.chat.send(own.id, "hello")
        await anext(events)
    await session.chat.close_room(own.id)


async def play(session: RemoteSession, visits: Visits) -> None:
    """Play a match against another guest, and resign."""
    async with visits.open() as other:
        match = await session.games.start_match([session.user.id, other.user.id], rules=FirstTo(9))
        async with session.follow(match.stream):
            await session.games.add_score(match.id, 1)
            await other.games.add_score(match.id, 2)
            await other.games.resign(match.id)
    await session.games.submit("main", visits.random.randrange(100))
    await session.games.top("main")


async def search_for_a_match(session: RemoteSession, visits: Visits) -> None:
    """Search for an opponent, and stop before there is one."""
    with suppress(HubbubError):
        await session.games.find_match(queue="arithmetic", timeout=0.05)


async def buy(session: RemoteSession, visits: Visits) -> None:
    """Fill a cart and pay."""
    await session.shop.add_item(SKU)
    await session.shop.checkout(payment="tok_visa", key=f"order of {session.user.id}")
    await session.shop.orders()


async def ask_over_http(session: RemoteSession, visits: Visits) -> None:
    """Call methods over HTTP, and begin to read a stream of events."""
    headers = {"Authorization": f"Bearer {session.token}"}
    async with httpx2.AsyncClient(base_url=visits.address, headers=headers) as client:
        await client.get("/api/chat/rooms")
        await client.get("/metrics")
        with suppress(httpx2.HTTPError):
            async with client.stream("GET", f"/api/events?stream=user/{session.user.id}") as answer:
                await anext(answer.aiter_bytes(), None)


async def sign_out(session: RemoteSession, visits: Visits) -> None:
    """Sign out, which ends the session."""
    with suppress(HubbubError):
        await session.users.sign_out()


async def break_off(session: RemoteSession, visits: Visits) -> None:
    """Connect beside, and go in the middle of something."""
    port = int(visits.address.rpartition(":")[2])
    await anyio.to_thread.run_sync(_break_off, port, visits.random.random())


def _break_off(port: int, chance: float) -> None:
    client = Raw(port)
    if chance < 0.3:
        client.send(handshake_of()[: int(100 * chance)])
    else:
        client.upgrade()
        frame = frame_of(b'{"jsonrpc":"2.0","id":1,"method":"session.sign_in"}', TEXT)
        client.send(frame[: int(len(frame) * chance)])
    if chance < 0.7:
        client.reset()
    else:
        client.close()


VISITS: tuple[Visit, ...] = (
    *(chat, room, play, search_for_a_match, buy, ask_over_http, sign_out, break_off),
)


async def visit(visits: Visits) -> None:
    """Come once."""
    wanted = visits.random.sample(VISITS, 3)
    # Some go before they have done everything.
    seconds = 0.3 if visits.random.random() < 0.2 else 20.0
    with anyio.move_on_after(seconds):
        async with visits.open() as session:
            for one in wanted:
                await one(session, visits)


async def visit_again(visits: Visits, ends: float) -> None:
    while anyio.current_time() < ends:
        try:
            await visit(visits)
        except HubbubError as error:
            # After a sign-out the rest is refused.
            if error.code not in ("closed", "not_allowed"):
                raise


async def main(address: str, seconds: float, seed: int) -> None:
    """Let visitors come and go."""
    visits = Visits(address, seed)
    async with visits.open() as host:
        visits.room = (await host.chat.create_room("Lobby")).id
        ends = anyio.current_time() + seconds
        async with anyio.create_task_group() as tasks:
            for _ in range(AT_ONCE):
                tasks.start_soon(partial(visit_again, visits, ends))
        await host.chat.close_room(visits.room)
    sys.stdout.write(f"{visits.count}\n")


if __name__ == "__main__":
    _, address_, seconds_, seed_ = sys.argv
    anyio.run(main, address_, float(seconds_), int(seed_))
