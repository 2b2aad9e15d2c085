"""Signing in, again and again, to a server that is played, in virtual time."""

from __future__ import annotations

import anyio
import pytest

from hubbub.client.connection import SIGN_IN_SECONDS_MAX
from hubbub.errors import NotAllowed, Overloaded
from tests.client.played import Play, PlayedServer, calling, kept_up


def test_a_sign_in_that_is_not_answered_is_made_again(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            await calling(tasks, connection, server)
            server.silent = True
            server.cut()
            await anyio.sleep(0.1 + SIGN_IN_SECONDS_MAX)
            server.silent = False
            await server.until_asked(2)
            tasks.cancel_scope.cancel()

        assert len(server.dialled) == 3

    play(story)


def test_a_refused_sign_in_is_raised_as_it_is(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        server.refusal = NotAllowed("The token is not good.")
        with pytest.raises(NotAllowed, match="not good"):
            await server.connection().run(task_status=anyio.TASK_STATUS_IGNORED)

        assert len(server.dialled) == 1

    play(story)


def test_a_later_sign_in_that_is_refused_ends_the_session(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.refusal = NotAllowed("The token has expired.")
            server.cut()

        assert [type(error) for error in found] == [NotAllowed]

    play(story)


def test_the_application_is_asked_for_each_token(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        tokens = iter(["first", "second"])

        async def ask_token() -> str:
            await anyio.lowlevel.checkpoint()
            token = next(tokens, None)
            if token is None:
                raise NotAllowed("You are not here any more.")
            return token

        connection = server.connection(ask_token)
        async with kept_up(connection), anyio.create_task_group() as tasks:
            server.cut()
            await server.until_signed_in(2)
            found = await calling(tasks, connection, server)
            server.cut()

        assert [params["token"] for params in server.signed_in] == ["first", "second"]
        assert [type(error) for error in found] == [NotAllowed]
        assert len(server.dialled) == 2

    play(story)


def test_without_a_token_from_the_application_nobody_signs_in(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()

        async def ask_token() -> str:
            raise NotAllowed("There is none for you.")

        with pytest.raises(NotAllowed, match="none for you"):
            await server.connection(ask_token).run(task_status=anyio.TASK_STATUS_IGNORED)

        assert server.dialled == []

    play(story)


def test_a_later_sign_in_that_has_to_wait_is_made_again(play: Play) -> None:
    async def story() -> None:
        server = PlayedServer()
        async with kept_up(server.connection()) as connection, anyio.create_task_group() as tasks:
            found = await calling(tasks, connection, server)
            server.refusal = Overloaded("Full.")
            server.cut()
            await anyio.sleep(1)
            server.refusal = None
            await server.until_asked(2)
            server.answer(server.asked[1]["id"], "done")

        assert found == ["done"]

    play(story)
