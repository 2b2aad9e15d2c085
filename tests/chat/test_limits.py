from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from hubbub.chat import events as e
from hubbub.chat import limits
from hubbub.chat.limits import BANS_MAX, DIRECTS_MAX, INVITES_MAX, MUTES_MAX
from hubbub.chat.rooms import commands
from hubbub.chat.rooms.room import RoomState
from hubbub.errors import Conflict
from hubbub.journal.event import Draft
from hubbub.journal.link import Links
from tests.chat.folding import NOW, STREAM, event_of, room_with

LATER = NOW + timedelta(hours=1)


def users(count: int) -> list[str]:
    return [f"user{number}" for number in range(count)]


def linked(where: str, count: int) -> Links:
    return Links(links={f"{where}/{user}": 0 for user in users(count)})


@pytest.mark.parametrize(
    ("check", "most"),
    [
        (lambda n: limits.check_members(users(n), 3), 3),
        (lambda n: limits.check_joined(linked("room", n), 3), 3),
        (lambda n: limits.check_directs(linked("direct/a", n)), DIRECTS_MAX),
        (lambda n: limits.check_invites(users(n)), INVITES_MAX),
        (lambda n: limits.check_bans(users(n)), BANS_MAX),
        (lambda n: limits.check_mutes(dict.fromkeys(users(n), LATER), "ann", NOW), MUTES_MAX),
    ],
    ids=["members", "joined", "directs", "invites", "bans", "mutes"],
)
def test_there_is_one_more_up_to_a_limit(check: Callable[[int], None], most: int) -> None:
    check(most - 1)
    with pytest.raises(Conflict):
        check(most)


def test_rooms_and_conversations_are_counted_apart() -> None:
    links = Links(links={"direct/a/b": 0, "match/1": 0, "room/1": 0, "rooms/2": 0, "roo/3": 0})

    limits.check_joined(links, 2)
    assert [links.count(kind) for kind in ("room", "direct", "match", "cart")] == [1, 1, 1, 0]


def test_mutes_that_are_over_do_not_count_and_do_not_stay() -> None:
    over = dict.fromkeys(users(MUTES_MAX), NOW - timedelta(seconds=1))
    limits.check_mutes(over, "ann", NOW)

    assert limits.still_muted(over, NOW) == {}


def test_one_who_is_muted_is_muted_anew_however_many_are() -> None:
    limits.check_mutes(dict.fromkeys(users(MUTES_MAX), LATER), "user1", NOW)


def test_however_often_members_are_muted_a_room_keeps_so_many_mutes() -> None:
    room = RoomState()
    for number in range(3 * MUTES_MAX):
        until = NOW + timedelta(seconds=number)
        room.apply(event_of(number, "ann", Draft(STREAM, e.UserMuted(f"user{number}", until))))

    assert len(room.muted) <= MUTES_MAX


@pytest.mark.parametrize(
    ("fill", "decide"),
    [
        (
            lambda room: room.roles.update(dict.fromkeys(users(10), "member")),
            lambda room: commands.join(room, STREAM, "new", 9, 10),
        ),
        (
            lambda room: room.invited.update(users(INVITES_MAX)),
            lambda room: commands.invite(room, STREAM, "ann", "new", "user"),
        ),
        (
            lambda room: room.banned.update(users(BANS_MAX)),
            lambda room: commands.ban(room, STREAM, "ann", "new", "user"),
        ),
        (
            lambda room: room.muted.update(dict.fromkeys(users(MUTES_MAX), LATER)),
            lambda room: commands.mute(room, STREAM, "ann", "bob", 5, "user", NOW),
        ),
    ],
    ids=["join", "invite", "ban", "mute"],
)
def test_a_full_room_takes_no_more(
    fill: Callable[[RoomState], None], decide: Callable[[RoomState], list[Draft]]
) -> None:
    room = room_with("ann", "bob")
    assert decide(room)
    fill(room)

    with pytest.raises(Conflict):
        decide(room)


def test_what_is_there_already_is_no_conflict() -> None:
    room = room_with("ann", "bob")
    room.invited.update(users(INVITES_MAX))
    room.banned.update(f"{user}!" for user in users(BANS_MAX))

    assert commands.join(room, STREAM, "bob", 9, 2) == []
    assert commands.invite(room, STREAM, "ann", "user1", "user") == []
    assert commands.ban(room, STREAM, "ann", "user1!", "user") == []
