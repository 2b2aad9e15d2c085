"""Streams that a socket follows."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub import Settings
from hubbub.journal.live.topic import TAIL_EVENTS_MAX
from tests.server.memory_socket import Client, clients


async def followed(ann: Client, after: int | None = 0) -> Any:
    room = (await ann.ask("chat.create_room", name="Room"))["result"]
    await ann.ask("session.follow", stream=room["stream"], after=after)
    if after is not None:
        await seen(ann, 2)
    return room


async def seen(client: Client, seq: int) -> None:
    """Wait until an event has come."""
    await client.until(lambda message: message.get("params", {}).get("seq") == seq)


async def test_history_and_then_what_is_live() -> None:
    async with clients("ann") as (_, [ann]):
        room = await followed(ann)
        await ann.ask("chat.send", room_id=room["id"], text="hi")

    assert ann.seqs() == [1, 2, 3]


async def test_the_head_comes_before_the_events() -> None:
    async with clients("ann") as (_, [ann]):
        await followed(ann)
        [answer] = [m for m in ann.socket.messages if m.get("result") == {"head": 2}]

    assert ann.socket.messages.index(answer) < len(ann.socket.messages) - 1


async def test_without_a_seq_it_is_from_now_on() -> None:
    async with clients("ann") as (_, [ann]):
        room = await followed(ann, after=None)
        await ann.ask("chat.send", room_id=room["id"], text="hi")

    assert ann.seqs() == [3]


async def test_after_unfollow_nothing_comes() -> None:
    async with clients("ann") as (_, [ann]):
        room = await followed(ann, after=None)
        await ann.ask("session.unfollow", stream=room["stream"])
        await ann.ask("chat.send", room_id=room["id"], text="hi")

    assert ann.seqs() == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"stream": "user/other"}, "not_allowed"),
        ({"stream": "room/none"}, "not_found"),
        ({"stream": "nothing"}, "not_found"),
        ({"stream": "index/rooms", "after": 99}, "conflict"),
    ],
)
async def test_what_may_not_be_followed(params: dict[str, Any], code: str) -> None:
    async with clients("ann") as (_, [ann]):
        refused = await ann.ask("session.follow", **params)
        again = await ann.ask("session.follow", **params)

    assert refused["error"]["data"]["code"] == code
    assert again["error"]["data"]["code"] == code


async def test_a_stream_is_followed_once() -> None:
    async with clients("ann") as (_, [ann]):
        room = await followed(ann)
        again = await ann.ask("session.follow", stream=room["stream"])

    assert again["error"]["data"]["code"] == "conflict"


async def test_the_streams_of_one_connection_are_bounded() -> None:
    async with clients("ann", settings=Settings(follows_max=1)) as (_, [ann]):
        await followed(ann)
        second = await ann.ask("session.follow", stream="index/rooms")

    assert second["error"]["data"]["code"] == "overloaded"


async def test_who_is_kicked_sees_it_and_no_more() -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        room = (await ann.ask("chat.create_room", name="Room"))["result"]
        joined = (await bob.ask("chat.join", room_id=room["id"]))["result"]
        await bob.ask("session.follow", stream=room["stream"], after=0)
        kick = ann.post("chat.kick", room_id=room["id"], user_id=joined["members"][1])
        ann.post("chat.send", room_id=room["id"], text="behind his back")
        await ann.answer(kick)
        ended = await bob.until(lambda message: message.get("method") == "unfollowed")

    assert bob.seqs() == [1, 2, 3, 4]
    assert ended["params"]["error"]["data"]["reason"] == "not_member"


@pytest.mark.parametrize("count", [3, 2 * TAIL_EVENTS_MAX + 10], ids=["a few", "past the tail"])
async def test_after_a_pause_nothing_is_missed_or_doubled(count: int) -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        room = (await ann.ask("chat.create_room", name="Room"))["result"]
        await bob.ask("chat.join", room_id=room["id"])
        await bob.ask("session.follow", stream=room["stream"], after=0)
        await seen(bob, 3)
        bob.socket.paused = True
        for number in range(count):
            sent = ann.post("chat.send", room_id=room["id"], text=str(number))
            if number % 200 == 0:
                await ann.answer(sent)
        last = (await ann.answer(sent))["result"]["seq"]
        before = bob.seqs()
        bob.socket.paused = False
        bob.connection.resume()
        await seen(bob, last)

    assert before == [1, 2, 3]
    assert bob.seqs() == list(range(1, last + 1))
