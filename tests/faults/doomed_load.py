"""
A hub to be killed under load: chat, matches, a board and a shop at once, every command with a key.

Run as ``python doomed_load.py PATH BACKEND LIFE``; a line is "kind user number", acknowledged.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Literal

import anyio

import hubbub
from hubbub import FirstTo, Session, Settings
from tests.faults.doomed import announce

__all__ = ["BOARD", "KINDS", "SETTINGS", "SKU", "STOCK", "command", "key_of"]

KINDS = ("chat", "match", "board", "stock", "cart")
USERS_OF_A_KIND = 6
BOARD, SKU, STOCK = "sums", "mouse", 1_000_000
# A cart has at most a thousand of each product.
CART_MAX = 900
SETTINGS = Settings(message_limit=1_000_000)

Command = Callable[[str], Awaitable[object]]


def key_of(user: str, number: int) -> str:
    return f"{user}'s command {number}"


def command(session: Session, kind: str, place: str) -> Command:
    """Return the command of a kind; each takes its key, and counts something up or down by 1."""
    commands: dict[str, Command] = {
        "chat": lambda key: session.chat.send(place, key, key=key),
        "match": lambda key: session.games.add_score(place, 1, key=key),
        "board": lambda key: session.games.submit(BOARD, 1, key=key),
        "stock": lambda key: session.shop.adjust_stock(SKU, -1, key=key),
        "cart": lambda key: session.shop.add_item(SKU, key=key),
    }
    return commands[kind]


async def run(path: str, life: int) -> None:
    """Work until killed."""
    async with hubbub.open(path, settings=SETTINGS) as hub, anyio.create_task_group() as tasks:
        async with hub.session("host", role="admin") as host:
            await host.games.create_board(BOARD, operator="sum")
            if life == 0:
                price = hubbub.Money("1", "USD")
                await host.shop.set_product(SKU, "Mouse", price, stock=STOCK)
            room = await host.chat.create_room(f"Life {life}")
        for kind in KINDS:
            for number in range(USERS_OF_A_KIND):
                tasks.start_soon(work, hub, kind, f"{kind}.{life}.{number}", room.id)


async def work(hub: hubbub.Hubbub, kind: str, user: str, room: str) -> None:
    role = "admin" if kind == "stock" else "user"
    async with hub.session(user, role=role) as session:
        place = await place_of(session, kind, room)
        announce(kind, user, "at", place)
        execute = command(session, kind, place)
        for number in range(CART_MAX if kind == "cart" else 1_000_000):
            await execute(key_of(user, number))
            announce(kind, user, number)


async def place_of(session: Session, kind: str, room: str) -> str:
    """Prepare the place of a user's commands; return its id."""
    if kind == "match":
        players = [session.user.id, "host"]
        return (await session.games.start_match(players, rules=FirstTo(1_000_000))).id
    if kind == "chat":
        await session.chat.join(room)
    return room


if __name__ == "__main__":
    _, path_, backend, life_ = sys.argv
    name: Literal["asyncio", "trio"] = "trio" if backend == "trio" else "asyncio"
    anyio.run(run, path_, int(life_), backend=name)
