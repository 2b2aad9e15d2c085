"""The slash commands of ``hubbub chat --encrypted``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import anyio

from ..errors import HubbubError, Invalid
from .comparison import Comparison
from .conversation import Conversation
from .lines import note

if TYPE_CHECKING:
    from ..encryption import EncryptedSession

__all__ = ["ENCRYPTION_COMMANDS"]

# How long the numbers wait for the user's answer, in seconds.
ANSWER_SECONDS_MAX = 120.0


def _session(conversation: Conversation) -> EncryptedSession:
    found: object = conversation.session
    if not hasattr(found, "fingerprint"):
        raise Invalid("This chat is not encrypted; start it with --encrypted.")
    return found  # type: ignore[return-value]


async def _verify(conversation: Conversation, rest: str) -> None:
    session = _session(conversation)
    if not rest:
        raise Invalid("Usage: /verify USER")
    if conversation.comparison is not None:
        raise Invalid("You are verifying a user; type /match or /mismatch first.")
    user = await _find(conversation, rest)
    conversation.show(note(f"Waiting for {rest}, who types /verify too …"))
    conversation.start(_verify_user, session, conversation, user, rest)


async def _verify_user(
    session: EncryptedSession, conversation: Conversation, user: str, name: str
) -> None:
    comparison = conversation.comparison = Comparison()
    try:
        async with session.verify(user) as verification:
            numbers = "  ".join(map(str, verification.numbers))
            conversation.show(note(f"Compare these numbers with {name}: {numbers}"))
            conversation.show(note("Type /match if they are the same, /mismatch if not."))
            with anyio.move_on_after(ANSWER_SECONDS_MAX):
                await comparison.given.wait()
            if comparison.same:
                await verification.match()
                conversation.show(note(f"You have verified {name}."))
            else:
                await verification.mismatch()
                conversation.show(note(f"You have not verified {name}."))
    except HubbubError as error:
        conversation.show(note(error.message))
    finally:
        conversation.comparison = None


async def _match(conversation: Conversation, rest: str) -> None:
    _comparison(conversation).answer(same=True)


async def _mismatch(conversation: Conversation, rest: str) -> None:
    _comparison(conversation).answer(same=False)


async def _fingerprint(conversation: Conversation, rest: str) -> None:
    session = _session(conversation)
    if not rest:
        conversation.show(note(f"Your key: {session.fingerprint}"))
        return
    user = await _find(conversation, rest)
    await session.devices(user)
    conversation.show(note(f"The key of {rest}: {session.fingerprint_of(user) or 'none'}"))


async def _devices(conversation: Conversation, rest: str) -> None:
    session = _session(conversation)
    user = await _find(conversation, rest) if rest else session.user.id
    for device in await session.devices(user):
        this = "  this device" if device == session.device_id else ""
        conversation.show(note(f"{device}{this}"))


async def _recovery(conversation: Conversation, rest: str) -> None:
    key = await _session(conversation).recovery_key()
    conversation.show(note(f"Your recovery key: {key}"))
    conversation.show(note("Write it down: nobody can show it again. It replaces an earlier one."))


async def _accept(conversation: Conversation, rest: str) -> None:
    session = _session(conversation)
    if not rest:
        raise Invalid("Usage: /accept USER")
    await session.accept(await _find(conversation, rest))
    conversation.show(note(f"You trust the new key of {rest}."))


async def _encrypt(conversation: Conversation, rest: str) -> None:
    session = _session(conversation)
    await session.chat.encrypt(conversation.in_front.id)


async def _find(conversation: Conversation, who: str) -> str:
    members = conversation.room.members if conversation.room else []
    return (await conversation.names.find(who, also=members)).id


def _comparison(conversation: Conversation) -> Comparison:
    if conversation.comparison is None:
        raise Invalid("You are not verifying a user; /verify USER begins.")
    return conversation.comparison


ENCRYPTION_COMMANDS: dict[str, tuple[str, str, Callable[[Conversation, str], Awaitable[None]]]] = {
    "encrypt": ("", "encrypt the room from now on", _encrypt),
    "verify": ("USER", "compare numbers with a user", _verify),
    "match": ("", "say that the numbers are the same", _match),
    "mismatch": ("", "say that they are not", _mismatch),
    "fingerprint": ("[USER]", "show a key", _fingerprint),
    "devices": ("[USER]", "list devices", _devices),
    "accept": ("USER", "trust a key that has changed", _accept),
    "recovery": ("", "back your keys up, and show the recovery key", _recovery),
}
