"""Checks of messages that the server cannot read."""

from __future__ import annotations

import pytest

import hubbub
from hubbub.chat.messages.message import Sealed
from hubbub.chat.messages.sealed import (
    SEALED_CHANGES_MAX,
    SEALED_CHARS_MAX,
    check_roster,
    check_sealed_body,
)
from hubbub.errors import Conflict, Invalid
from tests.session.test_sealed import SEALED, encrypted_room


@pytest.mark.parametrize("roster", [-1, 1.0, "1", True, None, 1 << 60])
def test_a_roster_is_a_seq(roster: object) -> None:
    with pytest.raises(Invalid):
        check_roster(roster)


def test_a_body_has_a_most() -> None:
    check_sealed_body(Sealed("phone", "session", "A" * SEALED_CHARS_MAX))

    with pytest.raises(Invalid, match="body"):
        check_sealed_body(Sealed("phone", "session", "A" * (SEALED_CHARS_MAX + 1)))


async def test_a_message_has_a_most_of_changes() -> None:
    async with hubbub.open("memory://") as hub, hub.session("ann") as ann:
        room = await encrypted_room(ann)
        sent = await ann.chat.send_sealed(room.id, *SEALED, roster=room.roster)
        for _ in range(SEALED_CHANGES_MAX):
            await ann.chat.change_sealed(room.id, sent.seq, *SEALED, roster=room.roster)

        with pytest.raises(Conflict, match="at most"):
            await ann.chat.change_sealed(room.id, sent.seq, *SEALED, roster=room.roster)
