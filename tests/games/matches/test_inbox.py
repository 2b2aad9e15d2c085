"""The messages that wait for a handler, and the verdicts for their senders."""

from __future__ import annotations

from typing import Any

import pytest

from hubbub.errors import Closed, Overloaded
from hubbub.games.matches.inbox import INBOX_BYTES_MAX, MESSAGE_KEYS_MAX, MESSAGES_MAX, Inbox
from hubbub.journal.command import Verdict


def put(inbox: Inbox, player: str = "ann", key: str | None = None, **body: Any) -> Verdict:
    """Put a message in; return what its sender waits for."""
    verdict = Verdict()
    inbox.put(player, body, verdict, key)
    return verdict


async def test_messages_come_out_as_they_were_put_in() -> None:
    inbox = Inbox(["ann", "bob"])
    for n, player in enumerate(("ann", "bob", "ann")):
        put(inbox, player, n=n)

    out = [await inbox.receive() for _ in range(3)]
    assert [(message.player, message.body["n"]) for message in out] == [
        ("ann", 0),
        ("bob", 1),
        ("ann", 2),
    ]


async def test_so_many_messages_wait() -> None:
    inbox = Inbox(["ann", "bob"])
    for n in range(MESSAGES_MAX):
        put(inbox, n=n)
    with pytest.raises(Overloaded):
        put(inbox, "bob")
    await inbox.receive()

    put(inbox, "bob")


async def test_each_player_has_a_part_of_the_bytes() -> None:
    inbox, half = Inbox(["ann", "bob"]), "y" * (INBOX_BYTES_MAX // 2)
    # One message of a player is always taken.
    put(inbox, x=half)
    with pytest.raises(Overloaded):
        put(inbox, x="")
    put(inbox, "bob", x=half)
    await inbox.receive()

    put(inbox, x="")


async def test_so_many_keys_are_remembered() -> None:
    inbox = Inbox(["ann"])
    for n in range(MESSAGE_KEYS_MAX + 1):
        put(inbox, key=str(n), n=n)
    put(inbox, key=str(MESSAGE_KEYS_MAX), n=MESSAGE_KEYS_MAX)
    put(inbox, key="0", n=0)

    assert len(inbox._messages) == MESSAGE_KEYS_MAX + 2
    assert len(inbox._keys["ann"]) == MESSAGE_KEYS_MAX


async def test_a_message_that_was_not_taken_is_not_remembered() -> None:
    inbox = Inbox(["ann"])
    put(inbox, x="y" * INBOX_BYTES_MAX)
    for _ in range(2):
        with pytest.raises(Overloaded):
            put(inbox, key="a", x="y")
    await inbox.receive()

    assert not put(inbox, key="a", x="y").settled


async def test_what_waits_when_it_is_closed_is_refused() -> None:
    inbox, error = Inbox(["ann"]), Closed("The hub is closing.")
    waits = [put(inbox, n=n) for n in range(2)]
    inbox.close(error)

    assert [verdict.error for verdict in waits] == [error, error]
