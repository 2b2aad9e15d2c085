"""
Events of all released versions can be folded.

A file holds the events that a version added: the types and the fields that no older version
wrote. All files in order are the history of a database that lived through all versions. Before
a release, write what is new since the last one into a file with its version.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from hubbub.chat.messages.message import message_of
from hubbub.chat.rooms.room import RoomState
from hubbub.games.boards.board import BoardState
from hubbub.games.matches.match import MatchState
from hubbub.games.matches.rules import BestOf, Custom, FirstTo, Rounds, Timed
from hubbub.journal.event import Data, Event, State, Streams, encode_event
from hubbub.journal.link import Links
from hubbub.journal.schedule import Schedule
from hubbub.keys.state import BackupState, InboxState, KeysState
from hubbub.money import Money
from hubbub.shop.carts.cart import CartState
from hubbub.shop.catalog.coupon import CouponState
from hubbub.shop.catalog.product import Offer, ProductState
from hubbub.shop.orders.order import OrderState
from hubbub.users.account import AccountState
from hubbub.users.user import UserState
from tests.docs import changelog
from tests.features import STREAMS

FILES = sorted(
    Path(__file__).with_name("golden").glob("*.jsonl"),
    key=lambda file: [int(number) for number in file.stem.split(".")],
)


def all_events() -> list[Event]:
    """Return the events of all versions, in their order."""
    streams = Streams(STREAMS)
    return [streams.decode(line) for file in FILES for line in file.read_bytes().splitlines()]


def folded() -> dict[str, State]:
    """Return what each stream comes to."""
    streams, events = Streams(STREAMS), all_events()
    states = {event.stream: streams.empty(event.stream) for event in events}
    for event in events:
        states[event.stream].apply(event)
    return states


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_event_is_still_read_as_it_was_written(file: Path) -> None:
    streams = Streams(STREAMS)
    lines = file.read_bytes().splitlines()

    assert [encode_event(streams.decode(line)) for line in lines] == lines


def test_they_fold_into_what_they_did() -> None:
    events, states = all_events(), folded()

    room, user, index = states["room/1"], states["user/ann"], states["index/rooms"]
    assert isinstance(room, RoomState)
    assert (room.name, room.creator, room.roles) == ("Room", "ann", {"ann": "creator"})
    assert (room.banned, room.invited, set(room.muted)) == ({"cid"}, {"dan"}, {"bob"})
    assert isinstance(user, UserState)
    assert (user.nickname, user.avatar, user.links) == ("Anna", "🦊", {"room/1": 5})
    assert (user.rating, user.deviation) == (1658.123, 483.954)
    assert isinstance(index, Links)
    assert index.links == {"room/1": 0}
    [said] = [event for event in events if event.seq == 5 and event.stream == "room/1"]
    about = [event for event in events if event.stream == "room/1" and event.ref == 5]
    assert message_of(said, about).deleted


def test_accounts_and_rooms_that_are_closed_fold_into_what_they_did() -> None:
    states = folded()

    room, user, account = states["room/9"], states["user/zoe"], states["account/zoë"]
    assert isinstance(room, RoomState)
    assert room.closed
    assert isinstance(user, UserState)
    assert (user.account, user.role, user.kept_session) == ("Zoë", "moderator", "phone")
    assert user.signed_out.keys() == {"phone"}
    assert user.good_after == datetime(2026, 11, 24, 9, 0, 6, 123456, UTC).timestamp()
    assert isinstance(account, AccountState)
    assert (account.user, account.hash) == ("zoe", "$argon2id$v=19$two")


def test_games_fold_into_what_they_did() -> None:
    states = folded()

    won, called_off = states["match/1"], states["match/2"]
    assert isinstance(won, MatchState)
    assert (won.status, won.winner, won.scores) == ("completed", "ann", {"ann": 10, "bob": 0})
    assert (won.gone, won.present, set(won.dropped)) == (["bob"], {"ann", "bob"}, {"bob"})
    assert isinstance(called_off, MatchState)
    assert (called_off.status, called_off.reason, called_off.private) == ("cancelled", "rain", True)
    rules = [getattr(states[f"match/{number}"], "rules", None) for number in range(1, 6)]
    assert rules == [
        FirstTo(20), Timed(60.0), BestOf(3), Rounds(4), Custom("golf", {"holes": 18}),
    ]  # fmt: skip
    main, speed = states["board/main"], states["board/speed"]
    assert isinstance(main, BoardState)
    assert (main.operator, main.score("ann")) == ("sum", 10)
    assert isinstance(speed, BoardState)
    assert (speed.score("ann"), speed.score("bob"), len(speed.seasons)) == (None, 11, 1)
    by_ann, by_hub = states["match/6"], states["match/2"]
    assert isinstance(by_ann, MatchState)
    assert isinstance(by_hub, MatchState)
    assert (by_ann.asked, by_ann.acted, by_hub.asked) == (False, {"bob"}, True)
    schedule = states["agenda/matches"]
    assert isinstance(schedule, Schedule)
    assert schedule.due == {}


def test_the_shop_folds_into_what_it_did() -> None:
    states = folded()

    mouse, paid, declined = states["product/mouse"], states["order/1"], states["order/2"]
    assert isinstance(mouse, ProductState)
    assert mouse.offer == Offer("Maus 🖱", Money(2999, "USD"), "office", 3)
    assert isinstance(paid, OrderState)
    assert (paid.status, paid.payment_id, paid.refunded()) == ("paid", "sandbox_1", usd(1000))
    assert (paid.terms().total, paid.terms().reserved) == (usd(5938), ["mouse"])
    assert isinstance(declined, OrderState)
    assert (declined.status, declined.reason) == ("declined", "Your card was declined.")
    carts = [states[f"cart/{user}"] for user in ("ann", "guest", "eve")]
    assert [cart.items for cart in carts if isinstance(cart, CartState)] == [{}, {}, {}]
    ann, spring = carts[0], states["coupon/SPRING"]
    assert isinstance(ann, CartState)
    assert (ann.used, ann.country, ann.coupon) == ({"SPRING": "1"}, "DE", None)
    assert isinstance(spring, CouponState)
    assert spring.discount(usd(5998)) == usd(600)


def test_what_was_ended_or_adjusted_by_hand_folds_into_what_it_did() -> None:
    states = folded()

    pen, cancelled, unscheduled = states["product/pen"], states["order/8"], states["order/9"]
    assert isinstance(pen, ProductState)
    assert pen.offer == Offer("Pen", Money(500, "USD"), None, 2)
    assert isinstance(cancelled, OrderState)
    assert (cancelled.status, cancelled.reconciliation) == ("declined", "done")
    assert isinstance(unscheduled, OrderState)
    assert (unscheduled.status, unscheduled.reconciliation) == ("paid", "failed")
    cart = states["cart/zoe"]
    assert isinstance(cart, CartState)
    assert cart.used == {}
    merged = states["cart/mia"]
    assert isinstance(merged, CartState)
    assert merged.used == {"SPRING": "11"}


def test_ratings_fold_into_what_they_did() -> None:
    kim = folded()["user/kim"]

    assert isinstance(kim, UserState)
    assert (kim.guest, kim.rating, kim.deviation) == (True, 1521.5, 472.25)
    assert kim.rivals.keys() == {"ann", "bob"}


def test_keys_and_encrypted_rooms_fold_into_what_they_did() -> None:
    states = folded()

    room, keys = states["room/10"], states["keys/ann"]
    inbox, backup = states["device/ann/phone"], states["backup/ann"]
    assert isinstance(room, RoomState)
    assert (room.encrypted, room.roster) == ("megolm.1", 6)
    assert isinstance(keys, KeysState)
    assert keys.links == {}
    assert list(keys.devices) == ["phone"]
    phone = keys.device("phone")
    assert (list(phone.one_time), phone.published, phone.fallback_id) == (["1"], 1, "7")
    assert phone.generation == 1
    assert isinstance(inbox, InboxState)
    assert inbox.up_to == 1
    assert isinstance(backup, BackupState)
    assert (backup.stands, backup.entries) == ("one", 1)


def usd(amount: int) -> Money:
    return Money(amount, "USD")


def test_the_files_have_every_event_type_of_every_kind_of_stream() -> None:
    written = {(event.stream.partition("/")[0], type(event.data)) for event in all_events()}

    assert written >= {
        (kind, data)
        for kind, state in STREAMS.items()
        # A direct conversation has some of a room's events.
        if kind != "direct"
        for data in get_args(state.data_type) or (state.data_type,)
    }


def test_the_files_have_every_field_of_every_event_type() -> None:
    streams = Streams(STREAMS)
    written: dict[type[Data], set[str]] = {}
    for line in (line for file in FILES for line in file.read_bytes().splitlines()):
        fields = written.setdefault(type(streams.decode(line).data), set())
        fields.update(msgspec.json.decode(line))

    assert [(data, set(data.__struct_fields__) - fields) for data, fields in written.items()] == [
        (data, set()) for data in written
    ]


def test_this_version_has_a_file() -> None:
    assert FILES[-1].stem == changelog.version()
