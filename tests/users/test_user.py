"""A user: pure functions of its state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from hubbub.errors import NotAllowed, NotFound
from hubbub.journal.event import Draft, Event
from hubbub.journal.link import Linked
from hubbub.users import user as u
from hubbub.users.user import UserState, default_avatar, user_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def fold(state: UserState, drafts: list[Draft]) -> UserState:
    for seq, draft in enumerate(drafts, 1):
        state.apply(Event(draft.stream, seq, NOW, "1", draft.ref, draft.data))
    return state


def known() -> UserState:
    return fold(UserState(), u.register(UserState(), "1", "Ann"))


@pytest.mark.parametrize(
    ("user_id", "avatar"),
    [
        ("2", "😊"),
        ("10", "😊"),
        ("7", "😎"),
        ("alice", "👤"),
        ("7a", "👤"),
        ("٣", "👤"),
        ("-2", "👤"),
    ],
)
def test_the_first_avatar_depends_on_the_id(user_id: str, avatar: str) -> None:
    assert default_avatar(user_id) == avatar


def test_who_is_new_is_registered() -> None:
    user = user_of("1", known(), "online")

    assert (user.nickname, user.avatar, user.status) == ("Ann", "😎", "online")
    assert user.joined_at == NOW


def test_without_a_nickname_it_is_the_id() -> None:
    state = fold(UserState(), u.register(UserState(), "1", None))

    assert state.nickname == "1"


def test_who_is_known_is_not_registered_again() -> None:
    assert u.register(known(), "1", "Ann") == []
    assert u.register(known(), "1", None) == []


def test_another_nickname_at_the_next_session_is_taken() -> None:
    state = known()
    fold(state, u.register(state, "1", "Anna"))

    assert (state.nickname, state.avatar) == ("Anna", "😎")


def test_a_profile_changes_only_what_is_given() -> None:
    state = known()
    fold(state, u.profile(state, "1", None, "🦊"))

    assert (state.nickname, state.avatar) == ("Ann", "🦊")
    assert u.profile(state, "1", "Ann", "🦊") == []


def test_links_are_kept_beside_the_profile() -> None:
    state = fold(known(), [Draft("user/1", Linked("room/1", 3))])

    assert state.links == {"room/1": 3}


def test_a_user_s_stream_is_that_user_s_alone() -> None:
    known().check_reader("user/1", "1")
    with pytest.raises(NotAllowed):
        known().check_reader("user/1", "2")


def test_nobody_is_not_shown() -> None:
    with pytest.raises(NotFound):
        user_of("1", UserState(), "offline")
