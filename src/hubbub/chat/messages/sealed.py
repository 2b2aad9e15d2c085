"""Decisions about encrypted messages: their roster, never their text. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ...errors import Conflict, Encrypted, Invalid, NotAllowed, NotEncrypted, RosterChanged
from ...journal.decide.states import States
from ...journal.event import Draft
from ...rosters import DeviceLinks, keys_stream
from ...service import SEQ_MAX
from ...shown import shown
from ..events import SealedChange, SealedMessage
from ..rooms.room import RoomState
from .message import Sealed, message_of

__all__ = [
    "SEALED_CHANGES_MAX",
    "SEALED_CHARS_MAX",
    "change_sealed",
    "check_plain",
    "check_roster",
    "check_sealed_body",
    "send_sealed",
]

# Characters of one encrypted message: 4,000 characters of text fit, of four bytes each.
SEALED_CHARS_MAX = 32 * 1_024
# Edits and reactions of one message: the server cannot drop the outdated ones.
SEALED_CHANGES_MAX = 1_000


def check_sealed_body(sealed: Sealed) -> Sealed:
    """
    Return an encrypted message.

    Raises:
        Invalid: a part of it is empty or too long, or not of ASCII.
    """
    parts = {"device": 64, "session": 64, "body": SEALED_CHARS_MAX}
    for name, chars_max in parts.items():
        value = getattr(sealed, name)
        if not isinstance(value, str) or not 0 < len(value) <= chars_max or not value.isascii():
            raise Invalid(f"The {name} has 1 to {chars_max} characters of ASCII.")
    return sealed


def check_plain(room: RoomState) -> None:
    """Raise Encrypted if only sealed messages are sent in a room."""
    if room.encrypted:
        raise Encrypted("This room is encrypted; write in it with hubbub.encryption.")


def check_roster(roster: object) -> int:
    """Return a roster, or raise Invalid."""
    if not isinstance(roster, int) or isinstance(roster, bool) or not 0 <= roster <= SEQ_MAX:
        raise Invalid(f"A roster is a seq of the room, not {shown(roster)}.")
    return roster


def send_sealed(  # noqa: PLR0913
    stream: str, by: str, sealed: Sealed, roster: int, reply_to: int | None, states: States
) -> Sequence[Draft]:
    """Send an encrypted message; see :meth:`hubbub.chat.service.Chat.send_sealed`."""
    _check_sender(stream, by, sealed.device, roster, states)
    if reply_to is not None:
        message_of(states.event(stream, reply_to))
    states.charge("messages", by)
    data = SealedMessage(sealed.device, sealed.session, sealed.body, reply_to)
    return (Draft(stream, data),)


def change_sealed(  # noqa: PLR0913
    stream: str, by: str, seq: int, sealed: Sealed, roster: int, states: States
) -> Sequence[Draft]:
    """Send an encrypted edit or reaction; see :meth:`hubbub.chat.service.Chat.change_sealed`."""
    _check_sender(stream, by, sealed.device, roster, states)
    about = states.about(stream, seq)
    if message_of(states.event(stream, seq), about).deleted:
        raise Conflict("The message was deleted; it cannot be changed any more.")
    if sum(type(event.data) is SealedChange for event in about) >= SEALED_CHANGES_MAX:
        raise Conflict(f"A message has at most {SEALED_CHANGES_MAX} edits and reactions.")
    data = SealedChange(sealed.device, sealed.session, sealed.body)
    return (Draft(stream, data, seq),)


def _check_sender(stream: str, by: str, device: str, roster: int, states: States) -> None:
    room = states.of(RoomState, stream)
    room.check_speaker(by, states.now)
    if not room.encrypted:
        raise NotEncrypted("This room is not encrypted; use chat.send.")
    if not states.of(DeviceLinks, keys_stream(by)).has_device(device):
        raise NotAllowed(f"You have no device {shown(device)}; add it first.")
    if roster != room.roster:
        raise RosterChanged("The members or their devices have changed; encrypt for those now.")
