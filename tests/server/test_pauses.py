"""A socket that asks for pauses sees every event once, and none of them in a pause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server.memory_socket import Client, clients

Backend = Literal["asyncio", "trio"]
Act = Literal["send", "many", "pause", "resume", "turn"]


@pytest.fixture(scope="module", autouse=True)
def _short_tail() -> Iterator[None]:
    """Let a few events be more than a topic keeps."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hubbub.journal.live.topic.TAIL_EVENTS_MAX", 4)
        patch.setattr("hubbub.journal.live.topic.BATCH_EVENTS_MAX", 3)
        patch.setattr("hubbub.journal.live.following.BATCH_EVENTS_MAX", 3)
        yield


acts = st.sampled_from(["send", "send", "many", "pause", "resume", "turn"])


@given(acts=st.lists(acts, max_size=30), after=st.sampled_from([0, 1, 2, None]))
def test_nothing_is_missed_or_doubled(backend: Backend, acts: list[Act], after: int | None) -> None:
    anyio.run(play, acts, after, backend=backend)


async def play(acts: list[Act], after: int | None) -> None:
    async with clients("ann", "bob") as (_, [ann, bob]):
        room = (await ann.ask("chat.create_room", name="Room"))["result"]
        await bob.ask("chat.join", room_id=room["id"])
        head = (await bob.ask("session.follow", stream=room["stream"], after=after))["result"]
        sent = [await act(name, ann, bob, room["id"]) for name in acts]
        resume(bob)
        last = head["head"] + sum(sent)
        if last > (first := head["head"] if after is None else after):
            await bob.until(lambda message: message.get("params", {}).get("seq") == last)

    assert bob.seqs() == list(range(first + 1, last + 1))


async def act(name: Act, ann: Client, bob: Client, room_id: str) -> int:
    """Do something; return how many messages were sent. The socket checks that pauses are kept."""
    match name:
        case "send" | "many":
            count = 1 if name == "send" else 11
            for number in [ann.post("chat.send", room_id=room_id, text="hi") for _ in range(count)]:
                await ann.answer(number)
            return count
        case "pause":
            bob.socket.paused = True
        case "resume":
            resume(bob)
        case "turn":
            await anyio.lowlevel.checkpoint()
    return 0


def resume(client: Client) -> None:
    if client.socket.paused:
        client.socket.paused = False
        client.connection.resume()
