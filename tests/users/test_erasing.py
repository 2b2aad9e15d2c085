"""Events of a user without the person."""

from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from hubbub.event_samples import sample
from hubbub.journal.event import Data
from hubbub.users.erasing import ERASED_EVENTS, ERASED_NICKNAME
from hubbub.users.events import AccountEvent, NameClaimed, Registered, UserEvent


def with_texts(kind: type[Data], user: str) -> Data:
    """Make an event that has a text wherever one can be."""
    made = sample(kind)
    texts = dict.fromkeys(("nickname", "avatar", "name", "hash"), "xylophone")
    given = {field: text for field, text in texts.items() if hasattr(made, field)}
    if hasattr(made, "user"):
        given["user"] = user
    return msgspec.structs.replace(made, **given)


@pytest.mark.parametrize("kind", [*get_args(UserEvent), *get_args(AccountEvent)])
def test_no_text_of_the_user_is_left(kind: type[Data]) -> None:
    event = with_texts(kind, "ann")
    erased = ERASED_EVENTS[kind](event, "ann") if kind in ERASED_EVENTS else event

    assert type(erased) is kind
    assert b"xylophone" not in msgspec.json.encode(erased)


def test_the_name_of_another_user_stays() -> None:
    claim = NameClaimed("bob", "Bob")

    assert ERASED_EVENTS[NameClaimed](claim, "ann") == claim


def test_a_guest_is_still_the_guest_of_a_sign_in() -> None:
    erased = ERASED_EVENTS[Registered](Registered("Ann", "🦊", "phone"), "12")

    assert erased == Registered(ERASED_NICKNAME, "😊", "phone")
