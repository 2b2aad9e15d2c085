"""Verification with somebody in between, who changes what the two sides say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import anyio
import msgspec
import pytest
import vodozemac

from hubbub.encryption.encoding import to_base64
from hubbub.encryption.identity import UserKey
from hubbub.encryption.payloads import Content, VerifyAccept, VerifyKey, VerifyMac
from hubbub.encryption.trust import Believed
from hubbub.encryption.verify import (
    CANCEL_SECONDS_MAX,
    MESSAGES_MAX,
    Exchange,
    commitment_to,
)
from hubbub.errors import Invalid, NotAllowed
from hubbub.testing import run_in_virtual_time
from tests.event_loop import Backend


class Line:
    """
    One side of a verification, whose messages somebody may change on their way.

    Args:
        user: whose side it is.
        change: makes another message of each one to this side.
    """

    journal = "journal"

    def __init__(self, user: str, change: Callable[[Content], Content]) -> None:
        self.user, self.address, self.user_key = user, (user, "phone"), UserKey()
        self.change = change
        self.other: Line
        self.send_stream, self.inbox = anyio.create_memory_object_stream[Any](MESSAGES_MAX)
        self.keys: dict[str, Believed] = {}
        self.found: list[str] = []

    async def devices_of(self, users: list[str]) -> dict[tuple[str, str], object]:
        return {self.other.address: None}

    async def send(self, contents: Mapping[object, Content], known: object) -> None:
        [content] = contents.values()
        await self.other.send_stream.send((self.address, self.other.change(content)))

    def of(self, user: str) -> Believed | None:
        return self.keys.get(user)

    async def mark_verified(self, user: str, key: str) -> None:
        self.found.append(user)

    async def exchange(self) -> Exchange:
        exchange = Exchange(cast(Any, self), cast(Any, self), self.inbox, {self.other.address: 0})
        await exchange.run(self.other.user, "one")
        return exchange


def lines(change: Callable[[Content], Content] = lambda content: content) -> tuple[Line, Line]:
    ann, bob = Line("ann", change), Line("bob", lambda content: content)
    ann.other, bob.other = bob, ann
    ann.keys["bob"], bob.keys["ann"] = Believed(bob.user_key.public), Believed(ann.user_key.public)
    return ann, bob


async def run_both(ann: Line, bob: Line) -> list[Exchange]:
    done: list[Exchange] = []

    async def run(line: Line) -> None:
        done.append(await line.exchange())

    with ann.send_stream, ann.inbox, bob.send_stream, bob.inbox:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, ann)
            tasks.start_soon(run, bob)
    return done


async def test_without_anybody_between_the_numbers_are_the_same() -> None:
    one, other = await run_both(*lines())

    assert one.numbers == other.numbers


async def test_a_key_that_somebody_has_swapped_is_not_the_promised_one() -> None:
    def swapped(content: Content) -> Content:
        if isinstance(content, VerifyKey):
            return msgspec.structs.replace(content, key=UserKey().public)
        return content

    with pytest.RaisesGroup(pytest.RaisesExc(NotAllowed, match="somebody is between you")):
        await run_both(*lines(swapped))


async def test_somebody_who_swaps_the_promise_as_well_makes_other_numbers() -> None:
    between = vodozemac.Sas().public_key.to_base64()

    def swapped(content: Content) -> Content:
        match content:
            case VerifyKey(transaction):
                return VerifyKey(transaction, between)
            case VerifyAccept(transaction):
                return VerifyAccept(transaction, commitment_to(between, transaction))
            case _:
                return content

    one, other = await run_both(*lines(swapped))

    assert one.numbers != other.numbers


@pytest.mark.parametrize("key", ["", "junk", "A" * 43, to_base64(bytes(31))])
async def test_a_key_that_is_none_is_refused(key: str) -> None:
    def junk(content: Content) -> Content:
        match content:
            case VerifyKey(transaction):
                return VerifyKey(transaction, key)
            case VerifyAccept(transaction):
                return VerifyAccept(transaction, commitment_to(key, transaction))
            case _:
                return content

    with pytest.RaisesGroup(pytest.RaisesExc(Invalid, match="no key")):
        await run_both(*lines(junk))


@pytest.mark.parametrize("mac", ["", "junk", "A" * 43, "ä"])
async def test_a_mac_of_something_else_verifies_nobody(mac: str) -> None:
    def junk(content: Content) -> Content:
        return VerifyMac(content.transaction, mac) if isinstance(content, VerifyMac) else content

    ann, bob = lines(junk)
    exchanges: dict[str, Exchange] = {}

    async def run(line: Line) -> None:
        exchanges[line.user] = await line.exchange()

    with ann.send_stream, ann.inbox, bob.send_stream, bob.inbox:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, ann)
            tasks.start_soon(run, bob)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(exchanges["bob"].confirm)
            with pytest.raises(NotAllowed, match="another key"):
                await exchanges["ann"].confirm()

    assert ann.found == []
    assert bob.found == ["ann"]


def test_telling_the_other_side_of_the_end_holds_nobody_up(backend: Backend) -> None:
    async def end() -> float:
        ann, bob = lines()
        with ann.send_stream, ann.inbox, bob.send_stream, bob.inbox:
            exchange = Exchange(cast(Any, ann), cast(Any, ann), ann.inbox, {bob.address: 0})
            exchange._told = [bob.address]
            ann.send = hang  # type: ignore[method-assign]
            begun = anyio.current_time()
            with pytest.raises(RuntimeError):
                async with exchange.told_if_it_fails():
                    raise RuntimeError
            return anyio.current_time() - begun

    async def hang(contents: object, known: object) -> None:
        await anyio.sleep_forever()

    assert run_in_virtual_time(end, backend=backend) == pytest.approx(CANCEL_SECONDS_MAX)
