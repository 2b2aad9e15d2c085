"""A client that does not encrypt, and one that is older, in an encrypted room."""

from __future__ import annotations

from pathlib import Path

import anyio
import msgspec
import pytest

import hubbub
from hubbub.chat.events import Said, SealedMessage
from hubbub.errors import Encrypted, Invalid
from hubbub.journal.event import Streams
from tests.session.test_keys import add_device
from tests.session.test_sealed import SEALED, encrypted_room
from tests.session.worlds import Kind, OpenWorld, open_world

SEALED_TYPES = (b'"type":"sealed"', b'"type":"sealed_change"', b'"type":"encrypted"')


async def test_a_session_without_encryption_sees_that_there_is_something(world: OpenWorld) -> None:
    async with world() as here:
        ann, bob = await here.sessions("Ann", "Bob")
        room = await encrypted_room(ann)
        await bob.chat.join(room.id)
        async with bob.follow(room.stream) as events:
            now = await ann.chat.join(room.id)
            sent = await ann.chat.send_sealed(room.id, *SEALED, roster=now.roster)
            with anyio.fail_after(5):
                event = await anext(events)

            assert event.data == SealedMessage(*SEALED)
        [message] = await bob.chat.history(room.id)
        assert (message.seq, message.text) == (sent.seq, "")
        assert message.sealed is not None
        assert [one.encrypted for one in await bob.chat.rooms()] == ["megolm.1"]
        assert await bob.chat.unread() == {room.id: 1}
        await bob.chat.mark_read(room.id, sent.seq)
        with pytest.raises(Encrypted, match=r"hubbub\.encryption"):
            await bob.chat.send(room.id, "in the clear")
        await bob.chat.leave(room.id)


class OlderStreams(Streams):
    """The streams of a version that knows no encrypted rooms."""

    def decode(self, body: bytes | memoryview) -> hubbub.Event:
        if any(one in bytes(body) for one in SEALED_TYPES):
            raise msgspec.ValidationError("Invalid value 'sealed' - at `$.type`")
        return super().decode(body)


@pytest.mark.parametrize("kind", ["remote", "mounted"])
async def test_an_older_client_is_told_and_goes_on_elsewhere(kind: Kind, tmp_path: Path) -> None:
    async with open_world(kind, tmp_path / "hub.db") as here:
        ann, bob = await here.sessions("Ann", "Bob")
        bob._streams = OlderStreams(bob._streams._kinds)  # type: ignore[attr-defined]
        await add_device(ann)
        plain = await ann.chat.create_room("Square")
        secret = await ann.chat.create_room("Secrets", encrypted=True)
        for room in (plain, secret):
            await bob.chat.join(room.id)
        async with bob.follow(plain.stream) as there, bob.follow(secret.stream) as here_too:
            now = await ann.chat.join(secret.id)
            sent = await ann.chat.send_sealed(secret.id, *SEALED, roster=now.roster)
            with pytest.raises(Invalid, match="does not know"):
                await anext(here_too)
            await ann.chat.send(plain.id, "the weather is fine")

            assert (await anext(there)).data == Said("the weather is fine")
        with pytest.raises(Invalid, match="does not know"):
            await bob.read(secret.stream)
        # Its messages are there, without a text.
        assert [one.seq for one in await bob.chat.history(secret.id)] == [sent.seq]
        assert (await bob.chat.send(plain.id, "it is")).text == "it is"
