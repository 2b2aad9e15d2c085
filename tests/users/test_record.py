"""The record that an admin sees of a user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hubbub.errors import NotFound
from hubbub.journal.event import Data, Event
from hubbub.users.events import Registered, RoleGiven, SignInRecorded, UserDisabled
from hubbub.users.record import record_of
from hubbub.users.user import UserState

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def state_of(*facts: Data) -> UserState:
    state = UserState()
    for seq, data in enumerate(facts, 1):
        at = NOON + timedelta(seconds=seq)
        state.apply(Event("user/ann", seq, at, "ann", None, data))
    return state


def test_the_newest_sign_in_counts() -> None:
    state = state_of(
        Registered("Ann", "👤", "phone"), SignInRecorded("tablet"), SignInRecorded("phone", 1)
    )
    record = record_of("ann", state, "online")

    assert record.signed_in_at == NOON + timedelta(seconds=3)
    assert record.joined_at == NOON + timedelta(seconds=1)
    assert record.guest


def test_role_and_being_disabled_are_shown() -> None:
    state = state_of(Registered("Ann", "👤"), RoleGiven("admin"), UserDisabled())
    record = record_of("ann", state, "offline")

    assert (record.role, record.disabled, record.account) == ("admin", True, None)
    assert record.signed_in_at is None


def test_there_is_no_record_of_nobody() -> None:
    with pytest.raises(NotFound, match="no user"):
        record_of("ann", UserState(), "offline")
