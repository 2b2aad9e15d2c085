"""The messages of other devices are read once, in order, whatever they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import anyio
import anyio.lowlevel
import msgspec
import pytest
import vodozemac
from anyio import to_thread

import hubbub
from hubbub import Event
from hubbub.chat.events import Said
from hubbub.encryption import EncryptedSession, Rotation, Unreadable, UnreadableMessage, encrypted
from hubbub.encryption.payloads import AskAgain, DevicePayload, RoomKey
from hubbub.encryption.store import KeyStore, RowChange
from hubbub.errors import Overloaded, RateLimited
from hubbub.keys.device import SealedBody
from tests.encryption.kit import PASSPHRASE, Party, make_quick
from tests.encryption.tampering import TamperingSession

EACH = Rotation(messages=1)


async def room_of(ann: EncryptedSession, *others: EncryptedSession) -> str:
    room = str((await ann.chat.create_room("Secrets", encrypted=True)).id)
    for other in others:
        await other.chat.join(room)
    return room


async def until(happened: Callable[[], bool]) -> None:
    with anyio.fail_after(10):
        while not happened():
            await anyio.lowlevel.checkpoint()


def forget_sessions(path: Path, *names: str) -> None:
    """Take the Olm sessions with some devices out of a store."""
    with KeyStore(path, PASSPHRASE) as store:
        store.write([RowChange("olm", name, None) for name in names or store.all("olm")])


async def text_and_what_came_before(
    device: EncryptedSession, room: str, after: int, text: str
) -> list[Event]:
    """Follow a room until a text is read."""
    found: list[Event] = []
    with anyio.fail_after(10):
        async with device.follow(f"room/{room}", after=after) as events:
            async for event in events:
                found.append(event)
                if event.data == Said(text):
                    return found
    raise AssertionError


async def test_a_device_that_lost_its_sessions_gets_the_key_again(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann", rotation=EACH) as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann, bob)
            await ann.chat.send(room, "before")
            assert len(await bob.chat.history(room)) == 1
        await to_thread.run_sync(forget_sessions, party.store("bob"))
        async with party.device("bob") as bob:
            sent = await ann.chat.send(room, "after the loss")
            *before, last = await text_and_what_came_before(
                bob, room, sent.seq - 1, "after the loss"
            )

            assert last.seq == sent.seq
            assert all(event.data == Unreadable("no_key") for event in before)
            # Both go on with the new session.
            await ann.chat.send(room, "and on")
            answer = await bob.chat.send(room, "an answer")
            assert [one.text for one in await bob.chat.history(room)][-2:] == [
                "and on",
                "an answer",
            ]
            [*_, read] = await ann.chat.history(room)
            assert (read.seq, read.text) == (answer.seq, "an answer")


async def test_a_follower_gets_the_message_again_with_its_text(tmp_path: Path) -> None:
    async with Party.opened(tmp_path) as party, party.device("ann", rotation=EACH) as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann, bob)
            await ann.chat.send(room, "before")
        await to_thread.run_sync(forget_sessions, party.store("bob"))
        async with party.device("bob") as bob:
            answers = ann._rooms.take
            ann._rooms.take = lambda *args: ()  # type: ignore[method-assign]
            async with bob.follow(f"room/{room}") as events:
                sent = await ann.chat.send(room, "after the loss")
                with anyio.fail_after(10):
                    first = await anext(events)
                    assert (first.seq, first.data) == (sent.seq, Unreadable("no_key"))
                    # Only now does Ann hear that her message could not be read.
                    ann._rooms.take = answers  # type: ignore[method-assign]
                    ann._rooms.take(bob._device.address, "", AskAgain())
                    second = await anext(events)

            assert (second.seq, second.data) == (sent.seq, Said("after the loss"))


async def test_a_device_that_has_begun_anew_is_written_to_in_the_new_session(
    tmp_path: Path,
) -> None:
    async with Party.opened(tmp_path) as party, party.device("bob") as bob:
        async with party.device("ann", rotation=EACH) as ann:
            room = await room_of(ann, bob)
            await ann.chat.send(room, "before")
            await bob.chat.send(room, "an answer")
            await ann.chat.history(room)
        await to_thread.run_sync(forget_sessions, party.store("ann"))
        async with party.device("ann", rotation=EACH) as ann:
            await ann.chat.send(room, "after the loss")

            assert [one.text for one in await bob.chat.history(room)] == [
                "before",
                "an answer",
                "after the loss",
            ]


async def test_junk_from_a_device_makes_nobody_forget_its_sessions(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=EACH) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        await ann.chat.send(room, "before")
        await bob.chat.history(room)
        name = "/".join(bob._device.address)
        # Ann's key is under way in the session that there is, and junk comes before it.
        await ann._session.keys.deliver(ann.device_id, {name: SealedBody(1, "AwogZm9vYmFy")})
        sent = await ann.chat.send(room, "after the junk")

        [*_, read] = await bob.chat.history(room)
        assert (read.seq, read.text) == (sent.seq, "after the junk")
        assert len(bob._device.olm._sessions[ann._device.address]) >= 1


async def test_a_device_is_asked_once_in_an_hour(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        await room_of(ann, bob)
        name = "/".join(bob._device.address)
        for _ in range(3):
            await ann._session.keys.deliver(ann.device_id, {name: SealedBody(1, "AwogZm9vYmFy")})
        stream = f"device/ann/{ann.device_id}"
        with anyio.fail_after(10):
            async with ann.follow(stream, after=0) as events:
                await anext(events)
        await bob._device.inbox.catch_up()
        await anyio.wait_all_tasks_blocked()

        assert len(await ann.read(stream)) == 1


@pytest.mark.parametrize("error", [RateLimited("too fast"), Overloaded("full")])
async def test_a_key_that_cannot_be_handed_over_again_ends_nothing(
    tmp_path: Path, error: Exception
) -> None:
    refuses = [False]

    class Refusing(TamperingSession):
        def __init__(self, session: hubbub.Session) -> None:
            super().__init__(session)
            deliver = session.keys.deliver

            async def refused(*args: Any, **kwargs: Any) -> None:
                if refuses[0]:
                    raise error
                await deliver(*args, **kwargs)

            self.keys.deliver = refused  # type: ignore[attr-defined]

    async with Party.opened(tmp_path) as party, party.device("bob") as bob:
        path = party.store("ann")
        await to_thread.run_sync(make_quick, path)
        async with (
            party.hub.session("ann") as session,
            encrypted(
                cast(hubbub.Session, Refusing(session)), store=path, passphrase=PASSPHRASE
            ) as ann,
        ):
            room = await room_of(ann, bob)
            await ann.chat.send(room, "before")
            refuses[0] = True
            ann._rooms.take(bob._device.address, "", AskAgain())
            await until(lambda: not ann._rooms._asking)
            await anyio.wait_all_tasks_blocked()
            refuses[0] = False
            await ann.chat.send(room, "after")

            assert [one.text for one in await bob.chat.history(room)] == ["before", "after"]


async def test_what_a_stranger_says_waits_for_who_they_are(tmp_path: Path) -> None:
    fails = [False]

    def unless_it_fails(found: Any) -> Any:
        if fails[0]:
            raise Overloaded("The server is busy.")
        return found

    async with Party.opened(tmp_path) as party, party.device("ann", rotation=EACH) as ann:
        async with party.device("bob") as bob:
            room = await room_of(ann, bob)
        async with (
            party.hub.session("bob") as session,
            encrypted(
                cast(hubbub.Session, TamperingSession(session, keys={"devices": unless_it_fails})),
                store=party.store("bob"),
                passphrase=PASSPHRASE,
            ) as bob,
        ):
            fails[0] = True
            sent = await ann.chat.send(room, "a secret")
            [message] = await bob.chat.history(room)

            assert isinstance(message, UnreadableMessage)
        async with party.device("bob") as bob:
            [message] = await bob.chat.history(room)

            assert (message.seq, message.text) == (sent.seq, "a secret")


async def test_a_device_that_is_gone_by_then_is_believed_by_what_it_has_sent(
    tmp_path: Path,
) -> None:
    async with Party.opened(tmp_path) as party:
        async with party.device("ann") as ann, party.device("bob") as bob:
            room = await room_of(ann, bob)
            key = await ann.recovery_key()
        async with party.device("ann", "laptop", recovery_key=key) as laptop:
            await laptop.chat.send(room, "from the laptop")
            gone = laptop.device_id
        async with party.device("ann") as ann:
            await ann.remove_device(gone)
        async with party.device("bob") as bob:
            [message] = await bob.chat.history(room)

            assert message.text == "from the laptop"


async def test_a_key_for_another_device_is_not_taken(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
        party.device("eve") as eve,
    ):
        room = await room_of(ann, bob, eve)
        await ann.chat.send(room, "a secret")
        await bob.chat.history(room)
        before = bob._rooms.sessions().keys()
        known = await ann._device.devices_of(["eve"])
        content = RoomKey(f"room/{room}", vodozemac.GroupSession().session_key.to_base64())
        assert ann._device.signed is not None
        for address, journal in (
            (eve._device.address, ann.journal_id),
            (bob._device.address, "another journal"),
        ):
            device_key = known.get(address, bob._device.signed.keys).ed25519  # type: ignore[union-attr]
            payload = DevicePayload(ann._device.signed, *address, device_key, journal, content)
            body = ann._device.olm.encrypt(bob._device.address, msgspec.json.encode(payload))
            names = {"/".join(bob._device.address): body}
            await ann._session.keys.deliver(ann.device_id, names)
        await bob._device.inbox.catch_up()

        assert bob._rooms.sessions().keys() == before


async def test_what_is_no_payload_is_passed_over(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann", rotation=EACH) as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        await ann.chat.send(room, "before")
        deep, no_text = b'{"x":' + b"[" * 5_000, b'{"user":"\xff"}'
        for plaintext in (b"", b"junk", b'{"sender": 5}', deep, no_text, bytes(range(256))):
            body = ann._device.olm.encrypt(bob._device.address, plaintext)
            names = {"/".join(bob._device.address): body}
            await ann._session.keys.deliver(ann.device_id, names)
        await ann.chat.send(room, "after")

        assert [one.text for one in await bob.chat.history(room)] == ["before", "after"]


async def test_a_device_that_asks_all_the_time_is_answered_now_and_then(tmp_path: Path) -> None:
    async with (
        Party.opened(tmp_path) as party,
        party.device("ann") as ann,
        party.device("bob") as bob,
    ):
        room = await room_of(ann, bob)
        await ann.chat.send(room, "before")
        known = await bob._device.devices_of(["ann"])
        for _ in range(20):
            await bob._device.send(dict.fromkeys(known, AskAgain()), known)
            await ann._device.inbox.catch_up()
            await until(lambda: not ann._rooms._asking)
        await ann.chat.send(room, "after")

        assert [one.text for one in await bob.chat.history(room)] == ["before", "after"]
        # The key, the key again, and the key for the message after that.
        assert len(await bob.read(f"device/bob/{bob.device_id}")) == 3
