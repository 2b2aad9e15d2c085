"""
A hub that will be killed: many send, and every acknowledged message is printed.

Run as ``python doomed.py PATH BACKEND SENDERS``; a line is "user number seq".
"""

from __future__ import annotations

import os
import sys
from typing import Literal

import anyio

import hubbub
from hubbub import Session, Settings

ROOMS = 3


def key_of(user: str, number: int) -> str:
    return f"{user}'s message {number}"


def text_of(user: str, number: int) -> str:
    return f"{user} says {number}"


async def run(path: str, senders: int) -> None:
    """Send until killed."""
    settings = Settings(message_limit=1_000_000)
    async with hubbub.open(path, settings=settings) as hub, anyio.create_task_group() as tasks:
        async with hub.session("host") as host:
            rooms = [(await host.chat.create_room(f"Room {n}")).id for n in range(ROOMS)]
        announce(*rooms)
        for number in range(senders):
            tasks.start_soon(send_for_ever, hub, f"user{number}", rooms[number % ROOMS])


async def send_for_ever(hub: hubbub.Hubbub, user: str, room: str) -> None:
    async with hub.session(user) as session:
        await session.chat.join(room)
        for number in range(1_000_000):
            await send_one(session, room, number)


async def send_one(session: Session, room: str, number: int) -> None:
    user = session.user.id
    sent = await session.chat.send(room, text_of(user, number), key=key_of(user, number))
    announce(user, number, sent.seq)


def announce(*words: object) -> None:
    """Write a line that is there for the reader even if this process ends right now."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


if __name__ == "__main__":
    _, path_, backend, senders_ = sys.argv
    uvloop = os.environ.get("HUBBUB_TEST_LOOP") == "uvloop" and backend == "asyncio"
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    options = {"use_uvloop": True} if uvloop else {}
    anyio.run(run, path_, int(senders_), backend=name, backend_options=options)
