"""Every state is the fold of its events, from wherever the folding begins."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.chat.events import Created, Said
from hubbub.chat.messages import commands as message_commands
from hubbub.chat.messages.message import Message, message_of
from hubbub.chat.rooms import commands as room_commands
from hubbub.chat.rooms.room import INDEX, RoomState
from hubbub.errors import HubbubError
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.event import Data, Draft, Event, State, Streams, encode_event
from hubbub.journal.link import Linked, Links, Marked, Offered, Unlinked
from hubbub.players import Rated, ToldPlayer
from hubbub.users import user as u
from hubbub.users.events import (
    AccountCreated,
    AccountLinked,
    PasswordSet,
    RoleGiven,
    SignedOut,
    SignedOutEverywhere,
    UserDisabled,
    UserEnabled,
)
from tests.features import STREAMS
from tests.games.board_kit import states_of
from tests.properties.board_streams import decide_agenda, decide_board, decide_queue
from tests.properties.key_streams import decide_backup, decide_inbox, decide_keys, first_device
from tests.properties.match_streams import decide_match
from tests.properties.shop_streams import (
    decide_cart,
    decide_coupon,
    decide_order,
    decide_product,
    list_sku,
    take,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REGISTRY = Streams(STREAMS)

names = st.sampled_from(["ann", "bob", "eve", "zoë"])
roles = st.sampled_from(["user", "moderator", "admin"])
seqs = st.integers(1, 20)
texts = st.sampled_from(["hello", "👋", "x" * 100])
emoji = st.sampled_from(["👍", "❤️", "😀"])
targets = st.sampled_from(["room/1", "room/2", "direct/ann/bob"])
marks = st.integers(0, 99)

# Decides something about a stream, given its state and its events so far.
Decide = Callable[[Any, Sequence[Event]], Iterable[Draft]]


def message_at(events: Sequence[Event], seq: int) -> Message:
    """Fold the message that the events have at a seq, as a room's commands do."""
    if seq > len(events):
        raise IndexError
    return message_of(events[seq - 1], [event for event in events if event.ref == seq])


def now_at(events: Sequence[Event]) -> datetime:
    return NOON + timedelta(seconds=len(events))


def decide_room(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw users and commands: every decision about a room."""

    def by(user: str) -> dict[str, Decide]:
        return {
            "join": lambda room, events: room_commands.join(room, stream, user, len(events), 1_000),
            "leave": lambda room, events: room_commands.leave(room, stream, user),
            "say": lambda room, events: say(room, user, events),
        }

    def say(room: RoomState, user: str, events: Sequence[Event]) -> list[Draft]:
        room.check_speaker(user, now_at(events))
        return [Draft(stream, Said("hello"))]

    def plain(user: str, what: str) -> tuple[str, Decide]:
        return user, by(user)[what]

    def to_another(user: str, other: str, role: str, what: str) -> tuple[str, Decide]:
        decide: dict[str, Decide] = {
            "invite": lambda room, _: room_commands.invite(room, stream, user, other, role),
            "kick": lambda room, _: room_commands.kick(room, stream, user, other, role),
            "ban": lambda room, _: room_commands.ban(room, stream, user, other, role),
            "mute": lambda room, events: room_commands.mute(
                room, stream, user, other, 30, role, now_at(events)
            ),
            "promote": lambda room, _: room_commands.set_role(
                room, stream, user, other, "moderator", role
            ),
            "close": lambda room, _: room_commands.close(
                states_of(NOON, StreamEntry(INDEX, Links())), room, stream, user, role
            ),
            "demote": lambda room, _: room_commands.set_role(
                room, stream, user, other, "member", role
            ),
        }
        return user, decide[what]

    def to_message(user: str, seq: int, text: str, emoji: str, what: str) -> tuple[str, Decide]:
        decide: dict[str, Decide] = {
            "edit": lambda _, events: message_commands.edit(
                message_at(events, seq), user, text, 100
            ),
            "delete": lambda room, events: message_commands.delete(
                message_at(events, seq), user, room.held(user, "user")
            ),
            "react": lambda _, events: message_commands.react(
                message_at(events, seq), user, emoji, 1_000
            ),
            "unreact": lambda _, events: message_commands.unreact(
                message_at(events, seq), user, emoji
            ),
        }
        return user, decide[what]

    others = st.sampled_from(["invite", "kick", "ban", "mute", "promote", "demote", "close"])
    about = st.sampled_from(["edit", "delete", "react", "unreact"])
    return st.one_of(
        st.builds(plain, names, st.sampled_from(["join", "leave", "say"])),
        st.builds(to_another, names, names, roles, others),
        st.builds(to_message, names, seqs, texts, emoji, about),
    )


def decide_user(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw changes of a user's profile, and drafts of others into the stream."""
    user = stream.partition("/")[2]
    nicknames = st.none() | st.sampled_from(["Ann", "Änn", "A"])

    def register(nickname: str | None) -> tuple[str, Decide]:
        return user, lambda state, _: u.register(state, user, nickname)

    def profile(nickname: str | None, avatar: str | None) -> tuple[str, Decide]:
        return user, lambda state, _: u.profile(state, user, nickname, avatar)

    data = st.one_of(
        st.builds(AccountLinked, names),
        st.builds(RoleGiven, roles),
        st.builds(SignedOut, names, st.integers(0, 99).map(lambda n: NOON + timedelta(seconds=n))),
        st.builds(SignedOutEverywhere, st.none() | names),
        st.just(UserDisabled()) | st.just(UserEnabled()),
    )
    return st.one_of(
        st.builds(register, nicknames),
        st.builds(profile, nicknames, nicknames),
        drafted(stream, data),
        link(stream),
        play(stream),
    )


def decide_account(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw what happens to an account."""
    return drafted(
        stream, st.builds(AccountCreated, names, names, texts) | st.builds(PasswordSet, texts)
    )


def link(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw a link: each writer to a stream of links decides by its own state."""
    data: st.SearchStrategy[Data] = st.one_of(
        st.builds(Linked, targets, marks),
        st.builds(Marked, targets, marks),
        st.builds(Unlinked, targets),
        st.builds(Offered, targets),
    )

    return drafted(stream, data)


def play(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw what a match writes to a player's stream."""
    rated = st.builds(Rated, st.floats(0, 3_000), st.floats(1, 500))
    return drafted(stream, rated | st.just(ToldPlayer("match/1", {"hand": [1]})))


def drafted(stream: str, data: st.SearchStrategy[Data]) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw what somebody else's decision drafts into a stream."""

    def draft(data: Data) -> tuple[str, Decide]:
        return "ann", lambda _, __: [Draft(stream, data)]

    return data.map(draft)


def begin(stream: str) -> list[Draft]:
    """Draft what a stream begins with."""
    match stream.partition("/")[0]:
        case "room":
            return [
                d
                for d in room_commands.create(stream, "ann", "R", private=False)
                if d.stream == stream
            ]
        case "direct":
            return [Draft(stream, Created("", private=True, direct=("ann", "bob")))]
        case "keys":
            return first_device(stream)
    return []


STRATEGIES: dict[str, Callable[[str], st.SearchStrategy[tuple[str, Decide]]]] = {
    "room": decide_room,
    "direct": decide_room,
    "user": decide_user,
    "account": decide_account,
    "index": link,
    "match": decide_match,
    "board": decide_board,
    "product": decide_product,
    "catalogue": list_sku,
    "coupon": decide_coupon,
    "cart": decide_cart,
    "order": decide_order,
    "sandbox": take,
    "agenda": decide_agenda,
    "queue": decide_queue,
    "keys": decide_keys,
    "device": decide_inbox,
    "backup": decide_backup,
}
EXAMPLES = {
    "room": "room/1",
    "direct": "direct/ann/bob",
    "user": "user/ann",
    "account": "account/ann",
    "index": "index/rooms",
    "match": "match/1",
    "board": "board/speed",
    "product": "product/pen",
    "catalogue": "catalogue/products",
    "coupon": "coupon/A",
    "cart": "cart/ann",
    "order": "order/1",
    "sandbox": "sandbox/1",
    "agenda": "agenda/boards",
    "queue": "queue/duel",
    "keys": "keys/ann",
    "device": "device/ann/phone",
    "backup": "backup/ann",
}


def events_of(stream: str, decisions: Iterable[tuple[str, Decide]]) -> list[Event]:
    """Decide one after another, as the committer does; a refusal adds nothing."""
    state, events = REGISTRY.empty(stream), list[Event]()

    def append(by: str, drafts: Iterable[Draft]) -> None:
        for draft in drafts:
            if draft.stream == stream:
                at = now_at(events)
                event = Event(stream, len(events) + 1, at, by, draft.ref, draft.data)
                state.apply(event)
                events.append(event)

    append("ann", begin(stream))
    for by, decide in decisions:
        with suppress(HubbubError, IndexError):
            append(by, list(decide(state, events)))
    return events


def fold(state: State, events: Iterable[Event]) -> State:
    for event in events:
        state.apply(event)
    return state


def test_every_kind_of_stream_is_tested() -> None:
    assert STRATEGIES.keys() == STREAMS.keys()


@pytest.mark.parametrize("kind", STREAMS)
@given(data=st.data())
def test_a_state_is_the_same_whether_or_not_a_snapshot_was_taken(
    kind: str, data: st.DataObject
) -> None:
    stream = EXAMPLES[kind]
    events = events_of(stream, data.draw(st.lists(STRATEGIES[kind](stream), max_size=40)))
    half = data.draw(st.integers(0, len(events)))

    snapshot = REGISTRY.encode_state(fold(REGISTRY.empty(stream), events[:half]))
    resumed = fold(REGISTRY.decode_state(stream, snapshot), events[half:])

    whole = fold(REGISTRY.empty(stream), events)
    assert resumed == whole
    # What has an order keeps it: who came first is listed first.
    assert orders_of(resumed) == orders_of(whole)


@pytest.mark.parametrize("kind", STREAMS)
@given(data=st.data())
def test_every_event_that_is_decided_survives_its_encoding(kind: str, data: st.DataObject) -> None:
    stream = EXAMPLES[kind]
    events = events_of(stream, data.draw(st.lists(STRATEGIES[kind](stream), max_size=20)))

    assert [REGISTRY.decode(encode_event(event)) for event in events] == events


def orders_of(state: State) -> dict[str, list[Any]]:
    fields = {name: getattr(state, name) for name in state.__struct_fields__}
    return {name: list(value) for name, value in fields.items() if isinstance(value, dict)}
