"""
Whatever a method is given, it answers or refuses: nothing but a HubbubError comes out.

Every method of the services named here is called with each of its arguments in turn being
something that no client should send, and the others being right. To have the methods of one
more service tried, add it to ``SERVICES``, and to ``RIGHT`` what its arguments may be.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import anyio
import pytest

import hubbub
from hubbub.chat.service import Chat
from hubbub.errors import HubbubError
from hubbub.method import Method
from hubbub.service import Service, methods_of
from hubbub.users.service import Users
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld, World

SERVICES: list[type[Service]] = [Chat, Users]
METHODS = [method for kind in SERVICES for method in methods_of(kind).values()]

NUMBERS = [True, False, -1, 0, 1 << 31, 1 << 53, 1 << 63, -(1 << 63), 1 << 64, 1 << 70, 10**400]
ODD_NUMBERS = [1e308, -1e308, 5e-324, 0.5, -0.0, 1e19]
# JSON has none of these.
NO_JSON: list[Any] = [10**5000, math.nan, math.inf, -math.inf, "\ud800", "a\udfff", b"bytes", {1}]
TEXTS = [
    *["", " ", "\0", "a\0b", "/", "a/b", "..", "room/", "direct/a", "direct/a/b/c", "user/x"],
    *["\u200b", "\u202e", "\u0301", "\U000e0041", "\ufeff", "\uffff", "👍" * 17, "%s{}\\"],
    *["x" * 20_000, "\ufdfa" * 5_000, "a" + "\u0301" * 10_000, "w " * 10_000, "\u115f" * 10_000],
]
NOTHING: list[Any] = [None, [], {}, [None], {"a": 1}, [[["a"]]], ["x" * 1_000] * 20]
JSON: list[Any] = [*NUMBERS, *ODD_NUMBERS, *TEXTS, *NOTHING]
# Mixed with others' mistakes so many times for each method.
MIXED = 15


class Given:
    """Valid arguments: a room with two members and a message."""

    def __init__(self, room: hubbub.Room, seq: int, other: hubbub.User) -> None:
        self.right: Mapping[str, Any] = {
            "room_id": room.id,
            "seq": seq,
            "user_id": other.id,
            "user_ids": [other.id],
            "name": "Somebody",
            "nickname": "Somebody",
            "password": "correct horse battery",
            "old": "correct horse battery",
            "new": "battery horse correct",
            "text": "hello",
            "emoji": "👍",
            "role": "member",
            "seconds": 5.0,
            "key": None,
            "away": True,
            "device": "phone",
            "session": "session",
            "body": "c2VhbGVk",
            "roster": 1,
        }

    def arguments(self, method: Method) -> dict[str, Any]:
        """Return arguments that a method may be given."""
        fields = method.arguments.__struct_fields__
        return {name: self.right[name] for name in fields if name in self.right}


async def given(w: World) -> tuple[hubbub.Session, Given]:
    room, (alice, bob) = await in_a_room(w, "Alice", "Bob")
    said = await alice.chat.send(room.id, "hello")
    return alice, Given(room, said.seq, bob.user)


async def attempt(session: hubbub.Session, method: Method, arguments: dict[str, Any]) -> None:
    """Call a method; fail if anything comes of it but an answer or a refusal."""
    service, _, name = method.name.partition(".")
    # A call that waits is as good as a call that answers.
    with anyio.move_on_after(10):
        try:
            await getattr(getattr(session, service), name)(**arguments)
        except HubbubError as error:
            if len(str(error)) > 1_000:
                pytest.fail(f"{method.name} repeats all that it was given: {error}"[:200])
        except Exception as error:
            shown = {name: repr(value)[:50] for name, value in safely(arguments).items()}
            pytest.fail(f"{method.name}({shown}) raised {type(error).__name__}: {error}"[:500])


def safely(arguments: dict[str, Any]) -> dict[str, Any]:
    big = 1 << 200
    return {
        name: "a huge number" if isinstance(value, int) and value > big else value
        for name, value in arguments.items()
    }


def one_by_one(method: Method, values: list[Any]) -> Iterator[dict[str, Any]]:
    """Yield arguments with a single nasty one."""
    for name in method.arguments.__struct_fields__:
        for value in values:
            yield {name: value}


def mixed(method: Method, values: list[Any], random: Random) -> Iterator[dict[str, Any]]:
    """Yield arguments of which several are nasty."""
    for _ in range(MIXED):
        names = [name for name in method.arguments.__struct_fields__ if random.random() < 0.6]
        yield {name: random.choice(values) for name in names}


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
@pytest.mark.timeout(120)
async def test_a_method_answers_or_refuses(world: OpenWorld, method: Method) -> None:
    async with world() as w:
        alice, right = await given(w)
        values = JSON if w.address else JSON + NO_JSON
        usual, random = right.arguments(method), Random(method.name)
        tried = [*one_by_one(method, values), *mixed(method, values, random)]
        if w.address:
            # In the process all are tried; over a network some of them.
            tried = random.sample(tried, min(len(tried), 60))
        for nasty in tried:
            await attempt(alice, method, usual | nasty)

        # Nobody else noticed: the hub still does what it is for.
        late = await w.session("Late")
        room = await late.chat.create_room("Late")
        assert (await late.chat.send(room.id, "still here")).text == "still here"
        assert len(await late.read(room.stream)) == 3
