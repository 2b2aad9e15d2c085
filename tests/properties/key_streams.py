"""Every decision about devices, their inboxes and a backup, drawn for test_folds.py."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from hypothesis import strategies as st

from hubbub.chat.rooms.room import RoomState
from hubbub.journal.decide.cache_entries import StreamEntry
from hubbub.journal.decide.states import States
from hubbub.journal.event import Data, Draft, Event
from hubbub.journal.link import Linked, Unlinked
from hubbub.keys import commands
from hubbub.keys import events as e
from hubbub.keys.state import (
    BackupState,
    DeviceState,
    InboxState,
    KeysState,
    backup_stream,
    device_stream,
)
from hubbub.rosters import keys_stream
from tests.games.board_kit import NOON, states_of

__all__ = ["decide_backup", "decide_inbox", "decide_keys", "first_device"]

KEYS = [e.SignedKey(letter * 43, letter * 86) for letter in "ABC"]

# Decides something about a stream, given its state and its events so far.
Decide = Callable[[Any, Sequence[Event]], Iterable[Draft]]

devices = st.sampled_from(["phone", "phone", "laptop", "desk"])
user_keys = st.sampled_from(["U" * 43] * 4 + ["V" * 43])
key_ids = st.integers(0, 60).map(str)
signed_keys = st.sampled_from(KEYS)
stocks = st.dictionaries(key_ids, signed_keys, max_size=4)
fallbacks = st.none() | st.tuples(key_ids, signed_keys)
rooms = st.sampled_from(["room/1", "room/2"])
versions = st.sampled_from(["1", "2"])
texts = st.sampled_from(["", "aGVsbG8"])


def decide_keys(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw what a user's devices do, what others claim, and links to encrypted rooms."""
    user = stream.partition("/")[2]

    def by(decide: Callable[[States], Iterable[Draft]]) -> tuple[str, Decide]:
        return user, lambda state, _: decide(_states(user, state))

    def add(device: str, user_key: str, replace: bool) -> tuple[str, Decide]:
        signed = _signed(user, device)
        return by(
            lambda states: commands.add_device(
                states, user, device, "Phone", signed, user_key, replace=replace
            )
        )

    def publish(
        device: str, stock: dict[str, e.SignedKey], fallback: tuple[str, e.SignedKey] | None
    ) -> tuple[str, Decide]:
        return by(lambda states: commands.publish(states, user, device, stock, fallback))

    def claim(device: str) -> tuple[str, Decide]:
        return by(lambda states: commands.claim_keys(states, user, [(user, device)]))

    def remove(device: str) -> tuple[str, Decide]:
        return by(lambda states: commands.remove_device(states, user, device))

    def reopen(device: str, generation: int) -> tuple[str, Decide]:
        return by(lambda states: commands.open_device(states, user, device, generation))

    links = st.builds(Linked, rooms) | st.builds(Unlinked, rooms)
    return st.one_of(
        st.builds(add, devices, user_keys, st.booleans()),
        *[st.builds(publish, devices, stocks, fallbacks)] * 2,
        st.builds(claim, devices),
        st.builds(remove, devices),
        st.builds(reopen, devices, st.integers(1, 3)),
        _drafted(stream, links),
    )


def first_device(stream: str) -> list[Draft]:
    """Draft a device, so that most of what is drawn is not refused."""
    user = stream.partition("/")[2]
    added = e.DeviceAdded("phone", "Phone", _signed(user, "phone"))
    return [Draft(stream, e.UserKeySet("U" * 43)), Draft(stream, added)]


def decide_inbox(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw messages to a device, and how far it has stored them."""
    _, user, device = stream.split("/")

    def receive(seq: int) -> tuple[str, Decide]:
        def decide(inbox: InboxState, events: Sequence[Event]) -> Iterable[Draft]:
            states = _states(user, KeysState())
            states.of(KeysState, keys_stream(user)).devices[device] = _device(user, device)
            states.put(StreamEntry(stream, inbox, len(events)))
            return commands.receive(states, user, device, seq)

        return user, decide

    sealed = st.builds(e.SealedKey, devices, st.just("C" * 43), st.sampled_from([0, 1]), texts)
    return st.builds(receive, st.integers(0, 40)) | _drafted(stream, sealed)


def decide_backup(stream: str) -> st.SearchStrategy[tuple[str, Decide]]:
    """Draw backups that a user begins, and entries of them."""
    user = stream.partition("/")[2]

    def begin(version: str, salt: str) -> tuple[str, Decide]:
        def decide(backup: BackupState, _: Sequence[Event]) -> Iterable[Draft]:
            return commands.begin_backup(_with(backup), user, version, salt, "check")

        return user, decide

    def back_up(version: str, entries: dict[str, str]) -> tuple[str, Decide]:
        def decide(backup: BackupState, _: Sequence[Event]) -> Iterable[Draft]:
            return commands.back_up(_with(backup), user, version, entries)

        return user, decide

    def _with(backup: BackupState) -> States:
        return states_of(NOON, StreamEntry(backup_stream(user), backup))

    entries = st.dictionaries(st.sampled_from(["a", "b", "c"]), texts, min_size=1)
    return st.builds(begin, versions, texts) | st.builds(back_up, versions, entries)


def _device(user: str, device: str) -> DeviceState:
    return DeviceState("Phone", _signed(user, device))


def _signed(user: str, device: str) -> e.SignedDevice:
    keys = e.DeviceKeys(user, device, "journal", "E" * 43, "C" * 43)
    return e.SignedDevice(keys, "S" * 86, "T" * 86)


def _states(user: str, keys: KeysState) -> States:
    inboxes = [device_stream(user, name) for name in ("phone", "laptop", "desk")]
    return states_of(
        NOON,
        StreamEntry(keys_stream(user), keys),
        *(StreamEntry(inbox, InboxState()) for inbox in inboxes),
        *(StreamEntry(room, RoomState()) for room in ("room/1", "room/2")),
    )


def _drafted(stream: str, data: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[str, Decide]]:
    def draft(data: Data) -> tuple[str, Decide]:
        return "ann", lambda _, __: [Draft(stream, data)]

    return data.map(draft)
