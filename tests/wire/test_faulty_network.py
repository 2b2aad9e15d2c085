"""A client's memory against a real server, over a network that loses connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import hubbub
from hubbub.errors import Conflict
from hubbub.wire.follower import RemoteFollower
from hubbub.wire.resumption import REQUESTS_SENT_MAX
from tests.wire.faulty import Client, Network, served, take_all

Backend = Literal["asyncio", "trio"]


@pytest.fixture(scope="module", autouse=True)
def _small_buffers() -> Iterator[None]:
    """Let a few events be many."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hubbub.wire.follower.BUFFER_EVENTS_MAX", 6)
        patch.setattr("hubbub.wire.follow.PAGE_EVENTS", 3)
        yield


acts = st.sampled_from(["send", "send", "bob", "bob", "follow", "take", "leave", "forget", "carry"])
faults = st.lists(st.integers(0, 12), max_size=12)


@given(acts=st.lists(acts, max_size=40), faults=faults)
def test_nothing_is_lost_or_doubled_or_out_of_order(
    backend: Backend, acts: list[str], faults: list[int]
) -> None:
    anyio.run(play, acts, faults, backend=backend)


async def play(acts: list[str], faults: list[int]) -> None:
    async with served() as (gateway, bob, room):
        story = Story(Client(gateway, "ann", faults), bob, room)
        for act in acts:
            await getattr(story, act)()
        await story.client.answered()
        history = await bob.chat.history(room.id, limit=500)
        said = [message.text for message in history if message.by == "ann"]
        head = (await bob.read(room.stream, limit=500))[-1].seq
        await story.take_up_to(head)

    assert said == [text for text in story.asked if text in said]
    assert set(story.client.answers) <= set(said)
    assert all(answers == [text] for text, answers in story.client.answers.items())
    for follower, seqs in story.seen.items():
        assert seqs == list(range(story.began[follower] + 1, head + 1))


class Story:
    """Ann's session over the network, and Bob's in the process."""

    def __init__(self, client: Client, bob: hubbub.Session, room: hubbub.Room) -> None:
        self.client = client
        self.asked: list[str] = []
        self.began: dict[RemoteFollower, int] = {}
        self.seen: dict[RemoteFollower, list[int]] = {}
        self._bob = bob
        self._room = room

    async def send(self) -> None:
        self.asked.append(f"message {len(self.asked)}")
        self.client.send(self._room, self.asked[-1])

    async def forget(self) -> None:
        if self.client.answers:
            self.client.forget(list(self.client.answers)[-1])

    async def bob(self) -> None:
        await self._bob.chat.send(self._room.id, "I am bob")

    async def follow(self) -> None:
        after = len(self.asked) % 3
        follower = await self.client.joined(self._room.stream, after)
        self.began[follower] = after
        self.seen[follower] = []

    async def take(self) -> None:
        for follower, seqs in self.seen.items():
            seqs.extend(event.seq for event in take_all(follower))

    async def take_up_to(self, head: int) -> None:
        for follower, seqs in self.seen.items():
            seqs.extend(event.seq for event in await self.client.seen(follower, head))

    async def leave(self) -> None:
        if self.seen:
            self.seen.popitem()[0].leave()

    async def carry(self) -> None:
        self.client.network.step()


async def test_an_answer_that_was_lost_is_asked_for_again() -> None:
    async with served() as (gateway, bob, room):
        # The sign-in and its answer pass, and so does the command.
        client = Client(gateway, "ann", faults=[3])
        client.send(room, "once")
        await client.answered()
        history = await bob.chat.history(room.id)

    assert [message.text for message in history] == ["once"]
    assert client.answers == {"once": ["once"]}
    assert client.network.connections == 2


async def test_a_command_that_was_forgotten_before_it_was_sent_is_not_sent() -> None:
    async with served() as (gateway, bob, room):
        client = Client(gateway, "ann")
        client.send(room, "never mind")
        client.forget("never mind")
        client.send(room, "this")
        await client.answered()
        history = await bob.chat.history(room.id)

    assert [message.text for message in history] == ["this"]


async def test_commands_wait_for_the_sign_in_and_follows_do_not() -> None:
    async with served() as (gateway, _, room):
        client = Client(gateway, "ann")
        client.send(room, "hello")
        client.follow(room.stream, 0)
        client.resume.connected({"token": "…"})
        methods = [msgspec.json.decode(frame)["method"] for frame in client.resume.outgoing()]

    assert methods == ["session.sign_in", "session.follow"]


async def test_no_more_is_sent_than_a_server_takes_at_a_time() -> None:
    async with served() as (gateway, bob, room):
        client = Client(gateway, "ann")
        for n in range(REQUESTS_SENT_MAX + 50):
            client.send(room, str(n))
        await client.network.until(lambda: client.resume.is_signed_in)
        sent = len(client.resume.outgoing())
        client.network.cut()
        await client.answered()
        history = await bob.chat.history(room.id, limit=500)

    assert sent == REQUESTS_SENT_MAX
    assert [message.text for message in history] == [str(n) for n in range(REQUESTS_SENT_MAX + 50)]


async def test_another_journal_is_a_conflict_for_what_belongs_to_the_first() -> None:
    async with served() as (gateway, _, room), served() as (other, _, elsewhere):
        client = Client(gateway, "ann")
        old = await client.joined(room.stream, 0)
        take_all(old)
        client.send(room, "lost")
        client.network.cut()
        client.network = Network(other, client.resume, other.tokens.sign("ann"), ())
        await client.answered()
        client.send(elsewhere, "found")
        new = await client.joined(elsewhere.stream, 0)
        await client.answered()

    assert client.answers["lost"][0].startswith("Conflict('The history was reset")
    with pytest.raises(Conflict, match="reset"):
        old.take()
    assert client.answers["found"] == ["found"]
    assert new.joined
