"""Unfollowing before the server has accepted the follower."""

from __future__ import annotations

from tests.server.raw_client import connected
from tests.server.running import running


async def test_a_follow_is_answered_even_if_it_was_taken_back() -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        stream = (await ann.ask("chat.create_room", name="r"))["result"]["stream"]
        posted = [
            await ann.post("session.follow", stream=stream),
            await ann.post("session.unfollow", stream=stream),
            await ann.post("session.follow", stream=stream, after=99),
            await ann.post("session.unfollow", stream=stream),
            await ann.post("session.follow", stream=stream, after=0),
        ]
        messages = [await ann.message() for _ in range(len(posted) + 2)]

    answers = {message["id"]: message for message in messages if "id" in message}
    first, _, bad, _, last = [answers[number] for number in posted]
    events = [message["params"]["seq"] for message in messages if "id" not in message]
    assert first["result"] == last["result"] == {"head": 2}
    assert bad["error"]["data"]["code"] == "conflict"
    assert events == [1, 2]
