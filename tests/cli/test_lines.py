"""The output for each kind of event."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import get_args

import msgspec
import pytest

from hubbub import Event, Message, Room
from hubbub.chat import events as e
from hubbub.cli.lines import (
    direct_line,
    event_line,
    message_line,
    note,
    room_line,
    room_title,
    users_in,
)
from hubbub.cli.names import Names
from hubbub.journal.event import Data
from hubbub.users.user import User
from tests.cli.paper import opened

# In whatever time zone these tests run.
NOON = datetime(2026, 1, 1, 12).astimezone()


@pytest.fixture
async def names() -> Names:
    async with opened() as (_, ann, _bob):
        found = Names(ann.users)
        await found.learn(["ann", "bob"])
    return found


def event(data: Data, *, ref: int | None = None, by: str = "ann") -> Event:
    return Event("room/1", 7, NOON.astimezone(UTC), by, ref, data)


async def test_a_message_has_its_time_its_seq_and_its_author(names: Names) -> None:
    line = message_line(Message("room/1", 5, NOON.astimezone(UTC), "ann", "hi"), names)

    assert line.plain == "12:00 [5] Ann: hi"


async def test_a_message_of_a_guest_says_so(names: Names) -> None:
    gus = User("gus", "Gus", "🦊", "online", NOON, 1500.0, guest=True)
    names.note([gus])
    message = Message("room/1", 5, NOON, "gus", "hi")
    as_guest = message_line(message, names)
    names.note([msgspec.structs.replace(gus, guest=False)])
    with_account = message_line(message, names)

    assert as_guest.plain.endswith(" (guest) [5] Gus: hi")
    assert "guest" not in with_account.plain


async def test_a_message_shows_what_became_of_it(names: Names) -> None:
    line = message_line(
        Message(
            "room/1", 5, NOON, "ann", "hi", 3, NOON, False, {"👍": ["ann", "bob"], "👋": ["x"]}
        ),
        names,
    )

    assert line.plain == "12:00 [5] Ann (to [3]): hi (edited)  👍 2  👋 1"


async def test_a_deleted_message_has_no_text(names: Names) -> None:
    line = message_line(Message("room/1", 5, NOON, "ann", "", deleted=True), names)

    assert line.plain == "12:00 [5] Ann: (deleted)"


async def test_further_lines_are_indented(names: Names) -> None:
    line = message_line(Message("room/1", 5, NOON, "ann", "one\ntwo"), names)

    assert line.plain == "12:00 [5] Ann: one\n    two"


async def test_what_moves_a_cursor_is_not_shown(names: Names) -> None:
    said = message_line(Message("room/1", 5, NOON, "\x1b[2J", "\x1b[2J"), names)
    edited = event_line(event(e.Edited("\x1b[2J"), ref=5), names)

    assert "\x1b" not in said.plain
    assert edited is not None
    assert "\x1b" not in edited.plain
    assert "\x1b" not in note("\x1b").plain


@pytest.mark.parametrize(
    ("data", "ref", "text"),
    [
        (e.Said("hi", 3), None, "12:00 [7] Ann (to [3]): hi"),
        (e.Edited("ho"), 5, "12:00 * Ann edited [5]: ho"),
        (e.Deleted(), 5, "12:00 * Ann deleted [5]"),
        (e.Reacted("👍"), 5, "12:00 * Ann reacted to [5] with 👍"),
        (e.Unreacted("👍"), 5, "12:00 * Ann removed 👍 from [5]"),
        (e.Created("Lobby"), None, "12:00 * Ann created this room"),
        (e.Joined(), None, "12:00 * Ann joined"),
        (e.Left(), None, "12:00 * Ann left"),
        (e.Invited("bob"), None, "12:00 * Ann invited Bob"),
        (e.Kicked("bob"), None, "12:00 * Ann kicked Bob"),
        (e.UserBanned("bob"), None, "12:00 * Ann banned Bob"),
        (
            e.UserMuted("bob", (NOON + timedelta(minutes=5)).astimezone(UTC)),
            None,
            "12:00 * Ann muted Bob until 12:05",
        ),
        (e.RoleSet("bob", "moderator"), None, "12:00 * Ann made Bob a moderator"),
        (e.RoomClosed(), None, "12:00 * Ann closed this room"),
    ],
)
async def test_what_happens_is_a_sentence(
    names: Names, data: Data, ref: int | None, text: str
) -> None:
    line = event_line(event(data, ref=ref), names)

    assert line is not None
    assert line.plain == text


async def test_every_type_of_a_rooms_events_has_a_line(names: Names) -> None:
    words = {"until": NOON, "user": "bob", "role": "member", "private": False, "direct": None}
    for kind in get_args(e.RoomEvent):
        data = kind(**{name: words.get(name, "x") for name in kind.__struct_fields__})

        assert event_line(event(data, ref=1), names) is not None


async def test_a_type_that_is_not_known_is_not_shown(names: Names) -> None:
    class Sung(Data, frozen=True, tag="sung"):
        """An event of a later version."""

    assert event_line(event(Sung()), names) is None


async def test_braces_in_a_text_stay(names: Names) -> None:
    line = event_line(event(e.Edited("{by} {0}"), ref=5), names)

    assert line is not None
    assert line.plain.endswith("edited [5]: {by} {0}")


async def test_a_direct_message_says_to_whom(names: Names) -> None:
    own = direct_line(event(e.Said("hi")), "bob", "ann", names)
    others = direct_line(event(e.Said("hi"), by="bob"), "bob", "ann", names)

    assert own is not None
    assert others is not None
    assert own.plain == "12:00 (direct to Bob) Ann: hi"
    assert others.plain == "12:00 (direct) Bob: hi"
    assert direct_line(event(e.Reacted("👍")), "bob", "ann", names) is None


async def test_a_room_is_called_by_its_name_or_by_the_other_user(names: Names) -> None:
    matchmaker = Room("1", "room/1", "Lobby", "ann", ["ann"], False, NOON, {})
    direct = Room("direct/ann/bob", "direct/ann/bob", "", "ann", ["ann", "bob"], True, NOON, {})

    assert room_title(matchmaker, "ann", names) == "Lobby"
    assert room_title(direct, "ann", names) == "direct with Bob"
    assert room_line(matchmaker, "Lobby", 0).plain == "Lobby  1 member  1"
    assert room_line(direct, "x", 2).plain == "x  2 members, private, 2 new  direct/ann/bob"


def test_the_users_of_an_event_are_who_did_it_and_to_whom() -> None:
    assert list(users_in(event(e.Kicked("bob")))) == ["ann", "bob"]
    assert list(users_in(event(e.Left()))) == ["ann"]
