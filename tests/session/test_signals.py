"""Ephemeral signals reach followers, and nobody else."""

from __future__ import annotations

import anyio
import pytest

from hubbub import Conflict, Muted, NotAllowed, NotFound, Session, Signal
from hubbub.journal.live.signals import SIGNALS_MAX
from tests.session.worlds import PATIENCE, OpenWorld, heard


async def first_signal(session: Session, stream: str, signals_heard: list[Signal]) -> None:
    async with session.signals(stream) as signals:
        async for signal in signals:
            signals_heard.append(signal)
            return


async def test_typing_reaches_who_listens(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        with anyio.fail_after(PATIENCE):
            async with bob.signals(room.stream) as signals:
                await alice.chat.typing(room.id)
                typing = await heard(signals, "typing")

    assert typing == Signal(room.stream, alice.user.id, "typing")


async def test_those_who_may_not_speak_are_not_typing(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        await alice.chat.mute(room.id, bob.user.id, 60)
        async with alice.signals(room.stream) as signals:
            with pytest.raises(Muted):
                await bob.chat.typing(room.id)
            await alice.chat.typing(room.id)
            with anyio.fail_after(PATIENCE):
                typing = await heard(signals, "typing")
        await alice.chat.close_room(room.id)

        assert typing.by == alice.user.id
        with pytest.raises(Conflict):
            await alice.chat.typing(room.id)


async def test_events_are_passed_over(world: OpenWorld) -> None:
    async with world() as w:
        alice = await w.session("Alice")
        room = await alice.chat.create_room("r")
        with anyio.fail_after(PATIENCE):
            async with alice.signals(room.stream) as signals:
                for number in range(20):
                    await alice.chat.send(room.id, f"{number}")
                await alice.chat.typing(room.id)
                typing = await heard(signals, "typing")

    assert typing.by == alice.user.id


async def test_who_may_not_read_may_not_listen(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")

        with pytest.raises(NotAllowed):
            await first_signal(bob, room.stream, [])
        with pytest.raises(NotFound):
            await first_signal(bob, "room/nowhere", [])


async def test_who_is_put_out_hears_no_more(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        with anyio.fail_after(PATIENCE):
            async with bob.signals(room.stream) as signals:
                await alice.chat.kick(room.id, bob.user.id)
                await alice.chat.typing(room.id)
                with pytest.raises(NotAllowed):
                    await anext(aiter(signals))


async def test_of_too_many_the_newest_are_heard(world: OpenWorld) -> None:
    async with world() as w:
        alice, bob = await w.sessions("Alice", "Bob")
        room = await alice.chat.create_room("r")
        await bob.chat.join(room.id)
        with anyio.fail_after(2 * PATIENCE):
            async with bob.signals(room.stream) as signals:
                for _ in range(SIGNALS_MAX):
                    await alice.chat.typing(room.id)
                await bob.chat.typing(room.id)
                newest = [await anext(aiter(signals)) for _ in range(SIGNALS_MAX)]

    # Over a network some may still be under way, but they come in their order.
    assert newest[0].by == alice.user.id
    assert len(newest) == SIGNALS_MAX
