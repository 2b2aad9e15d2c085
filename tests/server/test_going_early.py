"""A client that goes while it is served leaves nothing behind, whenever that is."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from tests.server.memory_socket import Client, clients

TURNS_MAX = 12


@pytest.mark.parametrize("turns", range(TURNS_MAX))
async def test_nothing_is_left_of_it(turns: int) -> None:
    async with clients("bob") as (gateway, [bob]):
        room = (await bob.ask("chat.create_room", name="Room"))["result"]
        await bob.ask("chat.send", room_id=room["id"], text="hi")
        ann = Client(gateway)
        ask_for_everything(ann, room)
        for _ in range(turns):
            await anyio.lowlevel.checkpoint()
        ann.connection.release()
        sent = len(ann.socket.messages)
        # What was submitted before is through when this is.
        for _ in range(3):
            await bob.ask("users.online")
            await bob.ask("chat.history", room_id=room["id"])
        topic = gateway.hub.journal.topic(room["stream"])

        assert gateway.hub.presence.count == 1
        assert list(gateway.connections) == [bob.connection]
        assert topic is None or not topic.followers
        assert [m for m in ann.socket.messages[sent:] if m.get("method") == "event"] == []


def ask_for_everything(client: Client, room: Any) -> None:
    client.post("session.sign_in", nickname="ann")
    client.post("chat.join", room_id=room["id"])
    client.post("session.follow", stream=room["stream"], after=0)
    client.post("session.follow", stream="index/rooms", after=0)
    client.post("chat.history", room_id=room["id"])
    client.post("session.read", stream=room["stream"])
    client.post("chat.send", room_id=room["id"], text="bye")
