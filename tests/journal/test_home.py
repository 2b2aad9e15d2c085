from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import anyio
import pytest

import hubbub
from hubbub.journal.home import Home, WrongLoop
from hubbub.session import Session

Backend = Literal["asyncio", "trio"]
BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])

USES: dict[str, Callable[[hubbub.Hubbub, Session, str], Awaitable[Any]]] = {
    "a command": lambda hub, ann, room: ann.chat.send(room, "hello"),
    "a query": lambda hub, ann, room: ann.users.get("ann"),
    "a page": lambda hub, ann, room: ann.chat.history(room),
    "a read": lambda hub, ann, room: ann.read(f"room/{room}"),
    "following": lambda hub, ann, room: ann.follow(f"room/{room}", after=0).__aenter__(),
    "a feed": lambda hub, ann, room: hub.feed().__aenter__(),
    "a session": lambda hub, ann, room: hub.session("bob").__aenter__(),
}


def test_at_home_is_where_it_was_made() -> None:
    async def check() -> None:
        home = Home()
        home.check()

    anyio.run(check)


@BACKENDS
def test_another_loop_in_the_same_thread_is_told(backend: Backend) -> None:
    homes: list[Home] = []

    async def make() -> None:
        homes.append(Home())

    async def use() -> None:
        with pytest.raises(WrongLoop, match="another event loop"):
            homes[0].check()

    anyio.run(make, backend=backend)
    anyio.run(use, backend=backend)


def test_the_error_is_of_both_families_and_survives_the_wire() -> None:
    error = hubbub.errors.error_from_code("conflict", "moved", reason="wrong_loop")

    assert isinstance(error, hubbub.Conflict)
    assert isinstance(WrongLoop(), RuntimeError)


@BACKENDS
@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_hub_used_in_the_loop_of_another_thread_says_so_at_once(
    backend: Backend, use: Callable[[hubbub.Hubbub, Session, str], Awaitable[Any]]
) -> None:
    told: list[BaseException] = []

    async def use_it(hub: hubbub.Hubbub, ann: Session, room: str) -> None:
        try:
            with anyio.fail_after(5):
                await use(hub, ann, room)
        except Exception as error:
            told.append(error)

    async def main() -> None:
        async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
            room = (await ann.chat.create_room("Room")).id
            other = threading.Thread(target=anyio.run, args=(use_it, hub, ann, room))
            other.start()
            await anyio.to_thread.run_sync(other.join)
            await ann.chat.send(room, "it goes on")

    anyio.run(main, backend=backend)

    assert [type(error) for error in told] == [WrongLoop]


@pytest.mark.parametrize("use", USES.values(), ids=USES)
def test_a_hub_used_in_another_loop_of_the_same_thread_says_so_at_once(
    use: Callable[[hubbub.Hubbub, Session, str], Awaitable[Any]],
) -> None:
    from anyio.from_thread import start_blocking_portal  # noqa: PLC0415

    # A portal's loop stands beside this thread's, as one loop of pytest-asyncio does.
    async def use_it(hub: hubbub.Hubbub, ann: Session, room: str) -> BaseException | None:
        try:
            with anyio.fail_after(5):
                await use(hub, ann, room)
        except Exception as error:
            return error
        return None

    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(hubbub.open("memory://")) as hub,
        portal.wrap_async_context_manager(hub.session("ann")) as ann,
    ):
        room = portal.call(ann.chat.create_room, "Room").id

        assert isinstance(anyio.run(use_it, hub, ann, room), WrongLoop)
        assert portal.call(ann.chat.send, room, "it goes on").text == "it goes on"
