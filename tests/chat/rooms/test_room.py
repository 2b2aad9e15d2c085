"""Permissions in a room: pure functions of its state."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import errors
from hubbub.chat import events as e
from hubbub.chat.rooms import commands
from hubbub.chat.rooms.commands import MUTE_SECONDS_MAX
from hubbub.chat.rooms.room import INDEX, RoomState, direct_stream, room_of
from hubbub.journal.event import Draft
from hubbub.journal.shards import stream_shard
from tests.chat.folding import NOW, STREAM, fold, room_with

Decide = Callable[[RoomState], list[Draft]]

NOBODY, ANN, BOB, CID = "nobody", "ann", "bob", "cid"


def ann_and_bob() -> RoomState:
    return room_with(ANN, BOB)


def with_moderator() -> RoomState:
    room = room_with(ANN, BOB, CID)
    return fold(room, ANN, commands.set_role(room, STREAM, ANN, BOB, "moderator", "user"))


def test_the_creator_is_in_the_room_and_it_is_listed() -> None:
    drafts = commands.create(STREAM, ANN, "Room", private=False)

    assert [draft.stream for draft in drafts] == [
        STREAM,
        STREAM,
        "user/ann",
        stream_shard(INDEX, STREAM),
    ]
    assert room_with(ANN).roles == {ANN: "creator"}


def test_a_private_room_is_not_listed() -> None:
    assert len(commands.create(STREAM, ANN, "Room", private=True)) == 3


def test_to_join_twice_is_to_join_once() -> None:
    assert commands.join(ann_and_bob(), STREAM, BOB, 3, 1_000) == []


REFUSALS: list[tuple[str, Decide, type[Exception]]] = [
    ("join no room", lambda _: commands.join(RoomState(), STREAM, BOB, 0, 1_000), errors.NotFound),
    ("leave as a stranger", lambda x: commands.leave(x, STREAM, NOBODY), errors.NotMember),
    (
        "invite as a stranger",
        lambda x: commands.invite(x, STREAM, NOBODY, CID, "user"),
        errors.NotMember,
    ),
    ("kick as a member", lambda x: commands.kick(x, STREAM, BOB, ANN, "user"), errors.NotAllowed),
    (
        "kick a user who is not there",
        lambda x: commands.kick(x, STREAM, ANN, CID, "user"),
        errors.NotFound,
    ),
    ("ban as a member", lambda x: commands.ban(x, STREAM, BOB, CID, "user"), errors.NotAllowed),
    ("ban yourself", lambda x: commands.ban(x, STREAM, ANN, ANN, "user"), errors.NotAllowed),
    (
        "mute as a member",
        lambda x: commands.mute(x, STREAM, BOB, ANN, 9, "user", NOW),
        errors.NotAllowed,
    ),
    (
        "mute for less than 0",
        lambda x: commands.mute(x, STREAM, ANN, BOB, -1, "user", NOW),
        errors.Invalid,
    ),
    (
        "mute for too long",
        lambda x: commands.mute(x, STREAM, ANN, BOB, MUTE_SECONDS_MAX + 1, "user", NOW),
        errors.Invalid,
    ),
    (
        "role as a member",
        lambda x: commands.set_role(x, STREAM, BOB, ANN, "member", "user"),
        errors.NotAllowed,
    ),
    (
        "role of a stranger",
        lambda x: commands.set_role(x, STREAM, ANN, CID, "member", "user"),
        errors.NotFound,
    ),
    (
        "a role there is not",
        lambda x: commands.set_role(x, STREAM, ANN, BOB, "king", "user"),
        errors.Invalid,
    ),
    (
        "the creator's role",
        lambda x: commands.set_role(x, STREAM, ANN, ANN, "member", "user"),
        errors.Conflict,
    ),
]


@pytest.mark.parametrize(
    ("decide", "error"), [row[1:] for row in REFUSALS], ids=[row[0] for row in REFUSALS]
)
def test_it_is_refused(decide: Decide, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        decide(ann_and_bob())

    assert caught.type is error


def test_existence_is_checked_before_permission() -> None:
    with pytest.raises(errors.NotFound):
        commands.kick(RoomState(), STREAM, NOBODY, ANN, "user")


def test_permission_is_checked_before_arguments() -> None:
    with pytest.raises(errors.NotAllowed):
        commands.mute(ann_and_bob(), STREAM, BOB, ANN, -1, "user", NOW)


def test_a_private_room_is_entered_by_invitation() -> None:
    room = room_with(ANN, private=True)
    with pytest.raises(errors.NotAllowed, match="invite you"):
        commands.join(room, STREAM, BOB, 2, 1_000)

    fold(room, ANN, commands.invite(room, STREAM, ANN, BOB, "user"))
    assert fold(room, BOB, commands.join(room, STREAM, BOB, 3, 1_000)).roles[BOB] == "member"


def test_who_is_banned_may_not_come_back_until_a_moderator_invites_them() -> None:
    room = with_moderator()
    fold(room, BOB, commands.ban(room, STREAM, BOB, CID, "user"))
    with pytest.raises(errors.Banned):
        commands.join(room, STREAM, CID, 9, 1_000)
    with pytest.raises(errors.Banned):
        room.check_reader(STREAM, CID)

    fold(room, ANN, commands.invite(room, STREAM, ANN, CID, "user"))
    assert commands.join(room, STREAM, CID, 9, 1_000)


def test_to_ban_twice_is_to_ban_once() -> None:
    room = ann_and_bob()
    fold(room, ANN, commands.ban(room, STREAM, ANN, BOB, "user"))

    assert commands.ban(room, STREAM, ANN, BOB, "user") == []


def test_a_moderator_may_not_put_out_the_creator_or_another_moderator() -> None:
    room = with_moderator()
    fold(room, ANN, commands.set_role(room, STREAM, ANN, CID, "moderator", "user"))

    for target in (ANN, CID):
        with pytest.raises(errors.NotAllowed):
            commands.kick(room, STREAM, BOB, target, "user")


@pytest.mark.parametrize("role", ["moderator", "admin"])
def test_who_moderates_everything_need_not_be_a_member(role: str) -> None:
    assert commands.kick(ann_and_bob(), STREAM, NOBODY, ANN, role)


def test_who_is_muted_may_speak_again_when_the_time_is_over() -> None:
    room = ann_and_bob()
    fold(room, ANN, commands.mute(room, STREAM, ANN, BOB, 60, "user", NOW))
    with pytest.raises(errors.Muted) as caught:
        room.check_speaker(BOB, NOW + timedelta(seconds=20))

    assert caught.value.retry_after == 40
    room.check_speaker(BOB, NOW + timedelta(seconds=60))


def test_a_direct_conversation_keeps_its_two_users() -> None:
    stream = direct_stream(BOB, ANN)
    room = RoomState()
    made = Draft(STREAM, e.Created("", private=True, direct=(ANN, BOB)))
    fold(room, ANN, [made])

    assert stream == "direct/ann/bob"
    for decide in (commands.leave, commands.kick, commands.ban):
        arguments = (
            (room, stream, ANN) if decide is commands.leave else (room, stream, ANN, BOB, "admin")
        )
        with pytest.raises(errors.NotAllowed):
            decide(*arguments)
    with pytest.raises(errors.NotMember):
        commands.join(room, stream, CID, 1, 1_000)


def test_what_is_shown_is_the_state() -> None:
    shown = room_of(STREAM, with_moderator(), ANN)

    assert (shown.id, shown.members) == ("1", [ANN, BOB, CID])
    assert shown.roles == {ANN: "creator", BOB: "moderator", CID: "member"}
    with pytest.raises(errors.NotFound):
        room_of(STREAM, RoomState(), ANN)


steps = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "invite", "kick", "ban", "mute", "role"]),
        st.sampled_from([ANN, BOB, CID]),
        st.sampled_from([ANN, BOB, CID]),
    ),
    max_size=30,
)


@given(steps)
def test_no_order_of_commands_breaks_the_room(steps: list[tuple[str, str, str]]) -> None:
    room = room_with(ANN)
    for what, by, user in steps:
        decisions: dict[str, Decide] = {
            "join": partial(commands.join, stream=STREAM, by=by, head=1, members_max=9),
            "leave": partial(commands.leave, stream=STREAM, by=by),
            "invite": partial(commands.invite, stream=STREAM, by=by, user=user, role="user"),
            "kick": partial(commands.kick, stream=STREAM, by=by, user=user, role="user"),
            "ban": partial(commands.ban, stream=STREAM, by=by, user=user, role="user"),
            "mute": partial(
                commands.mute, stream=STREAM, by=by, user=user, seconds=5, role="user", now=NOW
            ),
            "role": partial(
                commands.set_role, stream=STREAM, by=by, user=user, new="moderator", role="user"
            ),
        }
        try:
            fold(room, by, decisions[what](room))
        except errors.HubbubError:
            continue

    assert not room.banned & room.roles.keys()
    assert not room.invited & room.banned
    assert [u for u, role in room.roles.items() if role == "creator"] in ([], [ANN])
