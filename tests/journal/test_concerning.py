"""The events that concern a user; tests/journal/test_export.py has the whole of an export."""

from __future__ import annotations

from datetime import UTC, datetime

from hubbub.chat.events import Said, UserMuted
from hubbub.journal.concerning import ConcerningUser
from hubbub.journal.event import Data, Event, Streams, encode_event
from hubbub.journal.stores.contract import PlacedEvent
from hubbub.users.events import AccountCreated, PasswordSet, Registered
from tests.features import STREAMS

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def placed(place: int, stream: str, seq: int, by: str, data: Data) -> PlacedEvent:
    return PlacedEvent(place, encode_event(Event(stream, seq, NOON, by, None, data)), False)


def selected(user: str, *page: PlacedEvent) -> tuple[ConcerningUser, list[int]]:
    concerning = ConcerningUser(Streams(STREAMS), {"user", "account"}, user)
    return concerning, [one.place for _, one in concerning.select(page)]


def test_what_the_user_caused_and_what_names_the_user_concerns_them() -> None:
    _, places = selected(
        "ann",
        placed(1, "room/1", 1, "ann", Said("hello")),
        placed(2, "room/1", 2, "bob", Said("ann")),
        placed(3, "room/1", 3, "bob", UserMuted("ann", NOON)),
        placed(4, "room/1", 4, "bob", UserMuted("cid", NOON)),
    )

    assert places == [1, 3]


def test_a_private_stream_is_whole_or_not_at_all() -> None:
    concerning, places = selected(
        "ann",
        placed(1, "user/ann", 1, "root", Registered("Ann", "👤")),
        placed(2, "account/a", 1, "root", AccountCreated("ann", "a", "hash")),
        placed(3, "account/a", 2, "root", PasswordSet("hash")),
        placed(4, "user/bob", 1, "ann", Registered("Bob", "👤")),
    )

    assert places == [1, 2, 3]
    assert concerning.own == {"user/ann", "account/a"}


def test_streams_of_unknown_kinds_are_counted() -> None:
    event = b'{"stream":"ticket/1","seq":1,"by":"ann","type":"opened"}'
    concerning, places = selected("ann", PlacedEvent(1, event, False))

    assert (places, concerning.skipped) == ([], {"ticket": 1})
