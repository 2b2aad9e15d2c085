"""The members of a room: the first of them with the room, and all of them page by page."""

from __future__ import annotations

import msgspec
import pytest

from hubbub import Invalid, Member, NotFound, NotMember, Settings
from tests.session.test_rights import in_a_room
from tests.session.worlds import OpenWorld

SHOWN = 3


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hubbub.chat.rooms.room.MEMBERS_SHOWN_MAX", SHOWN)


@pytest.mark.usefixtures("few")
async def test_a_large_room_shows_its_first_members_and_the_user_who_asks(
    world: OpenWorld,
) -> None:
    async with world() as w:
        room, sessions = await in_a_room(w, *"abcdef")
        ids = [session.user.id for session in sessions]
        first, last = sessions[0], sessions[-1]
        stranger = await w.session("stranger")
        to_first, to_last, to_stranger = [
            (await session.chat.rooms())[0] for session in (first, last, stranger)
        ]
        joined = await sessions[4].chat.join(room.id)

    assert to_first.members == to_stranger.members == ids[:SHOWN]
    assert to_last.members == [*ids[:SHOWN], last.user.id]
    assert joined.members == [*ids[:SHOWN], ids[4]]
    assert to_last.roles == {ids[0]: "creator", **dict.fromkeys(to_last.members[1:], "member")}
    assert {one.member_count for one in (to_first, to_last, to_stranger, joined)} == {6}


async def test_a_page_of_large_rooms_is_small(world: OpenWorld) -> None:
    names = [f"user {number}" for number in range(120)]
    async with world(Settings(guests_per_address=1_000)) as w:
        _, sessions = await in_a_room(w, *names)
        (listed,) = await sessions[0].chat.rooms()

    assert len(listed.members) == 100
    assert listed.member_count == len(names)
    assert len(msgspec.json.encode(listed)) < 100 * 100


async def test_all_members_come_page_by_page_whoever_leaves_meanwhile(world: OpenWorld) -> None:
    async with world() as w:
        room, sessions = await in_a_room(w, *"abcdefg")
        ids = sorted(session.user.id for session in sessions)
        alice = sessions[0]
        stranger = await w.session("stranger")
        page = await stranger.chat.members(room.id, limit=3)
        left = next(session for session in sessions if session.user.id == page[-1].user)
        if left is not alice:
            await left.chat.leave(room.id)
        rest = await alice.chat.members(room.id, after=page[-1].user)

    assert [member.user for member in (*page, *rest)] == ids
    assert Member(alice.user.id, "creator") in [*page, *rest]
    assert [member.role for member in (*page, *rest)].count("member") == 6


async def test_the_members_of_a_private_room_are_for_its_members(world: OpenWorld) -> None:
    async with world() as w:
        alice, eve = await w.sessions("Alice", "Eve")
        room = await alice.chat.create_room("secret", private=True)
        own = await alice.chat.members(room.id)

        with pytest.raises(NotMember):
            await eve.chat.members(room.id)
        with pytest.raises(NotFound):
            await eve.chat.members("none")
        for limit in (0, 501):
            with pytest.raises(Invalid):
                await alice.chat.members(room.id, limit=limit)

    assert own == [Member(alice.user.id, "creator")]
