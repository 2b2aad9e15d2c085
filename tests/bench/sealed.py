"""Figures of encryption: sending, reading, handing keys over; vodozemac's own beside them."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import vodozemac

from hubbub import Hubbub, Session
from hubbub.chat.service import Chat
from hubbub.encryption import EncryptedSession, Rotation
from hubbub.encryption.chat import EncryptedChat
from hubbub.encryption.encoding import to_base64
from hubbub.encryption.identity import UserKey, one_time_message
from hubbub.keys.events import DeviceKeys, SignedKey
from tests.bench.table import Row
from tests.encryption.kit import Party

__all__ = ["sealed", "sharing"]

TEXT = "x" * 120
# Calls under way at one time.
SENDERS = 512
MESSAGES = 20_480
ROUNDS = 5
DEVICES = 1_000
ONE_TIME_KEYS = 3


async def sealed(backend: str) -> list[Row]:
    """
    Measure a client that encrypts and sends, and another that reads.

    Args:
        backend: asyncio or trio.
    """
    sent, plain, read, encrypts, decrypts = [], [], [], [], []
    with tempfile.TemporaryDirectory() as folder:
        async with Party.opened(Path(folder), f"{folder}/bench.db") as party:
            rotation = Rotation(messages=10**9)
            async with (
                party.device("ann", rotation=rotation) as ann,
                party.device("bob") as bob,
            ):
                room = (await ann.chat.create_room("bench", encrypted=True)).id
                await bob.chat.join(room)
                await ann.chat.send(room, TEXT)
                await bob.chat.history(room)
                in_clear = (await ann.chat.create_room("in clear")).id
                unsealed = ann.service(Chat)
                for _ in range(ROUNDS):
                    own_encrypts, own_decrypts = bare_rates()
                    plain.append(MESSAGES / await timed(lambda: send_all(unsealed, in_clear)))
                    sent.append(MESSAGES / await timed(lambda: send_all(ann.chat, room)))
                    read.append(MESSAGES / await timed(lambda: read_all(bob, room)))
                    encrypts.append(own_encrypts)
                    decrypts.append(own_decrypts)
    own = statistics.median
    return [
        Row("vodozemac alone, encrypting", backend, own(encrypts), "messages/s"),
        Row("encrypting and sending", backend, own(sent), "messages/s", 5_000),
        Row("  the journal alone, sending in clear", backend, own(plain), "messages/s"),
        Row("vodozemac alone, decrypting", backend, own(decrypts), "messages/s"),
        Row("reading, decrypting and storing", backend, own(read), "messages/s", 10_000),
        Row("  of vodozemac's rate", backend, share(read, decrypts), "", 2 / 3),
    ]


async def sharing(backend: str) -> list[Row]:
    """
    Measure how long a room's key takes to reach 1,000 devices: the first time, and again.

    Args:
        backend: asyncio or trio.
    """
    with tempfile.TemporaryDirectory() as folder:
        async with (
            Party.opened(Path(folder), f"{folder}/bench.db") as party,
            party.device("ann", rotation=Rotation(messages=1)) as ann,
        ):
            room = (await ann.chat.create_room("bench", encrypted=True)).id
            for number in range(DEVICES):
                await add_member(party.hub, room, f"u{number}")
            first = await timed(lambda: ann.chat.send(room, TEXT))
            again = [await timed(lambda: ann.chat.send(room, TEXT)) for _ in range(ROUNDS)]
    later = statistics.median(again)
    return [
        Row(f"a room's first key for {DEVICES:,} devices", backend, first, "s", 1.0, most=True),
        Row("  and each later one", backend, later, "s", 0.1, most=True),
    ]


async def add_member(hub: Hubbub, room: str, user: str) -> None:
    """Add a user with a device whose keys are real, and which reads nothing."""
    account, user_key = vodozemac.Account(), UserKey()
    async with hub.session(user, nickname=user) as session:
        await session.chat.join(room)
        await add_device(session, account, user_key)


async def add_device(session: Session, account: vodozemac.Account, user_key: UserKey) -> None:
    """Publish the keys of a device."""
    keys = DeviceKeys(
        session.user.id,
        "phone",
        session.journal_id,
        account.ed25519_key.to_base64(),
        account.curve25519_key.to_base64(),
    )
    signed = user_key.signed_device(keys, account)
    await session.keys.add_device("phone", "Phone", signed, user_key.public)
    account.generate_one_time_keys(ONE_TIME_KEYS)
    published = {}
    for number, key in enumerate(account.one_time_keys.values()):
        text = key.to_base64()
        signature = account.sign(one_time_message(text, "phone")).to_base64()
        published[str(number)] = SignedKey(text, signature)
    await session.keys.publish("phone", published)


async def send_all(chat: Chat | EncryptedChat, room: str) -> None:
    """Send all messages, some hundreds at a time."""

    async def send_some() -> None:
        for _ in range(MESSAGES // SENDERS):
            await chat.send(room, TEXT)

    async with anyio.create_task_group() as tasks:
        for _ in range(SENDERS):
            tasks.start_soon(send_some)


async def read_all(session: EncryptedSession, room: str) -> None:
    """Read what was sent."""
    await session.chat.history(room)


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    """Return how many seconds something takes."""
    start = time.perf_counter()
    await work()
    return time.perf_counter() - start


def bare_rates() -> tuple[float, float]:
    """Return how many messages a second vodozemac encrypts and decrypts by itself."""
    group = vodozemac.GroupSession()
    inbound = vodozemac.InboundGroupSession(group.session_key)
    # With a room's and a journal's id around them, the texts are about so long.
    plaintext = to_base64(bytes(200)).encode()
    start = time.perf_counter()
    found = [group.encrypt(plaintext) for _ in range(MESSAGES)]
    middle = time.perf_counter()
    for message in found:
        inbound.decrypt(message)
    return MESSAGES / (middle - start), MESSAGES / (time.perf_counter() - middle)


def share(rates: list[float], of: list[float]) -> float:
    """Return the median of what some rates are of others."""
    return statistics.median(one / other for one, other in zip(rates, of, strict=True))
