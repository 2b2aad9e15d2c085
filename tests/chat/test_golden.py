"""Events of released versions are folded for ever."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest

from hubbub.chat.message import message_of
from hubbub.chat.room import RoomState
from hubbub.journal.event import State, Streams, encode_event
from hubbub.journal.link import Links
from hubbub.session import STREAMS
from hubbub.users.user import UserState

FILES = sorted(Path(__file__).with_name("golden").glob("*.jsonl"))
NEWEST = FILES[-1]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_event_is_still_read_as_it_was_written(file: Path) -> None:
    streams = Streams(STREAMS)
    lines = file.read_bytes().splitlines()

    assert [encode_event(streams.decode(line)) for line in lines] == lines


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_they_fold_into_what_they_did(file: Path) -> None:
    streams = Streams(STREAMS)
    events = [streams.decode(line) for line in file.read_bytes().splitlines()]
    states = {event.stream: streams.empty(event.stream) for event in events}
    for event in events:
        states[event.stream].apply(event)

    room, user, index = states["room/1"], states["user/ann"], states["index/rooms"]
    assert isinstance(room, RoomState)
    assert (room.name, room.creator, room.roles) == ("Room", "ann", {"ann": "creator"})
    assert (room.banned, room.invited, set(room.muted)) == ({"cid"}, {"dan"}, {"bob"})
    assert isinstance(user, UserState)
    assert (user.nickname, user.avatar, user.links) == ("Anna", "🦊", {"room/1": 5})
    assert isinstance(index, Links)
    assert index.links == {"room/1": 0}
    [said] = [event for event in events if event.seq == 5 and event.stream == "room/1"]
    about = [event for event in events if event.stream == "room/1" and event.ref == 5]
    assert message_of(said, about).deleted


def test_the_newest_file_has_every_event_type() -> None:
    streams = Streams(STREAMS)
    events = [streams.decode(line) for line in NEWEST.read_bytes().splitlines()]
    written = {(event.stream.partition("/")[0], type(event.data)) for event in events}
    kinds: dict[str, type[State]] = {"room": RoomState, "user": UserState}

    assert written >= {
        (kind, data) for kind, state in kinds.items() for data in get_args(state.data_type)
    }
