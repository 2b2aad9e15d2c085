"""
A hub that will be killed, and somebody in it who reads its feed and keeps the position.

Run as ``python doomed_feed.py PATH BACKEND SENDERS``; a line is "position stream seq".
"""

from __future__ import annotations

import sys
from typing import Literal

import anyio

import hubbub
from hubbub import Settings
from tests.faults.doomed import announce, key_of, text_of


async def run(path: str, senders: int) -> None:
    """Send and read until killed."""
    settings = Settings(message_limit=1_000_000)
    async with hubbub.open(path, settings=settings) as hub, anyio.create_task_group() as tasks:
        async with hub.session("host") as host:
            room = (await host.chat.create_room("Room")).id
        for number in range(senders):
            tasks.start_soon(send_for_ever, hub, f"user{number}", room)
        async with hub.feed(after="") as feed:
            async for position, event in feed:
                announce(position, event.stream, event.seq)


async def send_for_ever(hub: hubbub.Hubbub, user: str, room: str) -> None:
    async with hub.session(user) as session:
        await session.chat.join(room)
        for number in range(1_000_000):
            await session.chat.send(room, text_of(user, number), key=key_of(user, number))


if __name__ == "__main__":
    _, path_, backend, senders_ = sys.argv
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    anyio.run(run, path_, int(senders_), backend=name)
