"""A connection that reconnects, against a fake server, in virtual time."""

from __future__ import annotations

from typing import Any

import anyio
import msgspec
import pytest

from hubbub.client.connection import (
    CONNECT_SECONDS_MAX,
    REQUESTS_MAX,
    STABLE_SECONDS,
    TRIES_MAX,
    ReconnectingConnection,
)
from hubbub.errors import Closed, Conflict, NotAllowed
from tests.client.played import Play, PlayedServer, call, calling, kept_up


def test_a_request_gets_its_answer(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.answer(server.asked[0]["id"], "done")

        assert found == ["done"]
        assert server.signed_in == [{"nickname": "ann"}]

    play(story)


def test_what_is_under_way_survives_a_lost_connection(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.cut()
            first, again = await server.until_asked(2)
            server.answer(again["id"], "done")

        assert again == first
        assert found == ["done"]
        assert server.signed_in[1] == {"token": "token 1"}

    play(story)


def test_it_tries_again_after_longer_and_longer_waits(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.down = True
            server.cut()
            await anyio.sleep(60)
            server.down = False
            await server.until_asked(2)
            server.answer(server.asked[1]["id"], "done")

        waits = [b - a for a, b in zip(server.dialled[1:], server.dialled[2:], strict=False)]
        assert waits[:7] == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0])
        assert max(waits) == pytest.approx(10.0)
        assert found == ["done"]

    play(story)


def test_the_waits_are_short_again_after_a_connection_that_held(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()):
            for seconds in (0.5, 0.5, 0.5, STABLE_SECONDS, 0.5):
                await anyio.sleep(seconds)
                server.cut()
                await server.until_signed_in(len(server.sockets) + 1)

        waits = [b - a for a, b in zip(server.dialled, server.dialled[1:], strict=False)]
        held = (0.5, 0.5, 0.5, STABLE_SECONDS, 0.5)
        pauses = [wait - seconds for wait, seconds in zip(waits, held, strict=True)]
        assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.1, 0.2], abs=0.05)

    play(story)


@pytest.mark.parametrize("code", [1001, 1006, 1012, 3000, 3001])
def test_there_are_ends_after_which_it_comes_back(play: Play, code: int) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            await calling(tasks, connection, server)
            server.cut(code)
            await server.until_asked(2)
            tasks.cancel_scope.cancel()

        assert len(server.signed_in) == 2

    play(story)


@pytest.mark.parametrize("code", [1008, 3500, 3999])
def test_there_are_ends_after_which_it_does_not(play: Play, code: int) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection:
            async with anyio.create_task_group() as tasks:
                found = await calling(tasks, connection, server)
                server.cut(code)
            with pytest.raises(Closed, match=f"ended the session: played .{code}"):
                await connection.call("m", {})

        assert [type(error) for error in found] == [Closed]
        assert len(server.dialled) == 1

    play(story)


def test_a_server_that_is_not_there_at_first_is_tried_a_few_times(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        server.down = True
        with pytest.raises(Closed, match="cannot be reached: nobody there"):
            await server.connection().run(task_status=anyio.TASK_STATUS_IGNORED)

        assert len(server.dialled) == TRIES_MAX

    play(story)


def test_a_server_that_does_not_answer_at_first_is_not_waited_for_for_long(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        server.silent = True
        began = anyio.current_time()
        with pytest.raises(Closed, match="the sign-in was not answered"):
            await server.connection().run(task_status=anyio.TASK_STATUS_IGNORED)

        assert anyio.current_time() - began == pytest.approx(CONNECT_SECONDS_MAX)

    play(story)


def test_another_journal_is_a_conflict(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.journal_id = "another"
            server.cut()

        assert [type(error) for error in found] == [Conflict]
        assert len(server.asked) == 1

    play(story)


def test_to_cancel_a_request_is_to_forget_it(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection:
            async with anyio.create_task_group() as tasks:
                await calling(tasks, connection, server)
                tasks.cancel_scope.cancel()
            server.cut()
            async with anyio.create_task_group() as tasks:
                found = await calling(tasks, connection, server)
                server.answer(server.asked[1]["id"], "second")

        assert len(server.asked) == 2
        assert found == ["second"]

    play(story)


def test_beyond_a_number_requests_wait_for_a_place(play: Play) -> None:
    async def story() -> None:
        server, found = PlayedServer(), list[Any]()
        async with kept_up(server.connection()) as connection:
            server.down = True
            server.cut()
            async with anyio.create_task_group() as tasks:
                for number in range(REQUESTS_MAX + 3):
                    tasks.start_soon(call, connection, found, number)
                await anyio.sleep(1)
                remembered = len(connection._resumption._requests)
                server.down = False
                for n in range(REQUESTS_MAX + 3):
                    asked = await server.until_asked(n + 1)
                    server.answer(asked[n]["id"], asked[n]["params"])

        assert remembered == REQUESTS_MAX
        assert sorted(found) == list(range(REQUESTS_MAX + 3))

    play(story)


def test_after_the_end_nobody_waits(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        connection = server.connection()
        async with anyio.create_task_group() as tasks, kept_up(connection):
            found = await calling(tasks, connection, server)

        with pytest.raises(Closed, match="session has ended"):
            await connection.call("m", {})
        assert [type(error) for error in found] == [Closed]

    play(story)


def test_one_who_was_let_in_gets_events_until_the_end(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            tasks.start_soon(let_in, server, 4)
            async with connection.follow("room/1", 4) as tail:
                event = {"stream": "room/1", "seq": 5}
                server.sockets[-1].put({"jsonrpc": "2.0", "method": "event", "params": event})
                body = await tail.next()
                tasks.start_soon(end_soon, connection)
                with pytest.raises(Closed):
                    await tail.next()

        assert msgspec.json.decode(body) == event

    play(story)


def test_to_leave_is_told_to_the_server(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            tasks.start_soon(let_in, server, 4)
            async with connection.follow("room/1", 4):
                pass
            _, left = await server.until_asked(2)

        assert (left["method"], left["params"]) == ("session.unfollow", {"stream": "room/1"})

    play(story)


def test_one_who_is_not_let_in_is_told_why(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            tasks.start_soon(keep_out, server)
            with pytest.raises(NotAllowed):
                async with connection.follow("room/1", None):
                    pass

    play(story)


async def let_in(server: PlayedServer, head: int) -> None:
    [asked] = await server.until_asked(1)
    server.answer(asked["id"], {"head": head})


async def keep_out(server: PlayedServer) -> None:
    [asked] = await server.until_asked(1)
    server.refuse(asked["id"], NotAllowed("No."))


async def end_soon(connection: ReconnectingConnection) -> None:
    await anyio.sleep(1)
    connection.end()
