"""
The targets of fuzzing: functions that take any bytes, and raise only for a fault of Hubbub's.

Hypothesis drives them in every run of the tests, and atheris, guided by coverage, in
``nox -s fuzz``.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final

import msgspec

from hubbub.encryption.identity import decoded
from hubbub.encryption.payloads import DevicePayload, RoomPayload
from hubbub.errors import HubbubError, Invalid
from hubbub.games.boards.cursor import cursor_of, read_cursor
from hubbub.journal.event import EncodedState, Event, State, Streams, encode_event
from hubbub.server.auth.keys import read_keys
from hubbub.wire.peer import Malformed, Notification, Peer, Request, Response, decode_params
from tests.features import ALL, STREAMS
from tests.fuzzing.framing import check_frames
from tests.fuzzing.http_requests import check_requests

__all__ = ["TARGETS", "Target"]

Target = Callable[[bytes], None]

REGISTRY: Final = Streams(STREAMS)
# What reads stored bytes may raise these; `hubbub verify` names the place.
CORRUPT: Final = (HubbubError, ValueError, RecursionError)
DECODERS: Final = {
    name: msgspec.json.Decoder(method.arguments) for name, method in ALL.methods.items()
}
# Events that one input folds.
EVENTS_MAX: Final = 200


def frames(data: bytes) -> None:
    """Read WebSocket frames as two other implementations do, however they are cut."""
    check_frames(cut(data))


def requests(data: bytes) -> None:
    """Read HTTP requests alike however they are cut; what is accepted, h11 reads the same."""
    check_requests(cut(data))


def rpc(data: bytes) -> None:
    """Answer every message of a frame once, in JSON; reading a frame never fails."""
    for message in Peer(asks=True).receive(data):
        assert isinstance(message, (Notification, Response, Malformed))
    if not is_text(data):
        # No such frame comes so far, and it is enough that it is survived.
        assert list(Peer(asks=False).receive(data))
        return
    peer, frames = Peer(asks=False), list[bytes]()
    messages = list(peer.receive(data))
    for number, message in enumerate(messages):
        assert isinstance(message, (Request, Malformed))
        frame = message.frame if isinstance(message, Malformed) else answer(peer, message, number)
        frames += [] if frame is None else [frame]
    given = [one["id"] for frame in frames for one in responses_of(frame)]
    asked = [m.id for m in messages if isinstance(m, Request) and m.id is not msgspec.UNSET]
    # Those that cannot be read are answered as well, and their id is not known.
    assert not Counter(asked) - Counter(given), "a request has no response"
    assert not Counter(i for i in given if i is not None) - Counter(asked), "nobody asked"
    check_with_json(data, messages)


def events(data: bytes) -> None:
    """
    Decode stored events, and fold them.

    An event that can be decoded survives another encoding, and a state has a snapshot that is the
    same state.
    """
    states: dict[str, State] = {}
    for body in data.split(b"\n")[:EVENTS_MAX]:
        try:
            event = REGISTRY.decode(body)
        except CORRUPT:
            continue
        check_encoding(event)
        state = states.get(event.stream) or REGISTRY.empty(event.stream)
        try:
            state.apply(event)
        except Exception:  # nobody decided it; whoever folds contains any exception
            states.pop(event.stream, None)
            continue
        states[event.stream] = state
    for stream, state in states.items():
        check_snapshot(stream, state)


def snapshots(data: bytes) -> None:
    """Decode the snapshot of a state: the name of its stream, and its bytes in the next line."""
    name, _, body = data.partition(b"\n")
    try:
        stream, kept = name.decode(), EncodedState(body, ())
        state = REGISTRY.decode_state(stream, kept) if REGISTRY.is_current(stream, kept) else None
    except CORRUPT:
        return
    if state is not None:
        check_snapshot(stream, state)


def payloads(data: bytes) -> None:
    """Read what a device of another user has encrypted: it is a payload, or passed over."""
    for kind in (DevicePayload, RoomPayload):
        if (payload := decoded(kind, data)) is not None:
            assert decoded(kind, msgspec.json.encode(payload)) == payload


def key_sets(data: bytes) -> None:
    """Read the keys that an application signs its tokens with."""
    with suppress(Invalid):
        assert read_keys(data, secrets=True)


def cursors(data: bytes) -> None:
    """Read a place on a board, which a client sends again."""
    with suppress(Invalid):
        cursor = read_cursor(data.decode(errors="replace"))
        assert read_cursor(cursor_of(cursor.score, cursor.seq)) == cursor


TARGETS: Final[Mapping[str, Target]] = {
    "frames": frames,
    "requests": requests,
    "rpc": rpc,
    "events": events,
    "snapshots": snapshots,
    "payloads": payloads,
    "key_sets": key_sets,
    "cursors": cursors,
}


def cut(data: bytes) -> list[bytes]:
    """Cut what follows the first byte into pieces of so many bytes; 0 is one piece."""
    step = data[0] if data and data[0] else max(1, len(data))
    return [data[at : at + step] for at in range(1, len(data), step)]


def answer(peer: Peer, request: Request, number: int) -> bytes | None:
    """Decode the params for some method, and answer."""
    decoder = DECODERS.get(request.method) or list(DECODERS.values())[number % len(DECODERS)]
    try:
        decode_params(request, decoder)
    except Invalid as error:
        return peer.refuse(request, error)
    return peer.answer(request, request.params)


def responses_of(frame: bytes) -> list[dict[str, Any]]:
    """Decode the responses of a frame."""
    found = json.loads(frame)
    responses = found if isinstance(found, list) else [found]
    assert all(
        one["jsonrpc"] == "2.0" and ("result" in one) != ("error" in one) for one in responses
    )
    return responses


def is_text(data: bytes) -> bool:
    """Return whether bytes are UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def check_with_json(data: bytes, messages: list[Any]) -> None:
    """Fail if a request was read that the standard library reads differently."""
    read = [message for message in messages if isinstance(message, Request)]
    try:
        found = json.loads(data) if read else []
    except RecursionError:
        # It does not pass over what it does not need, as the other does.
        return
    given = [
        one for one in (found if isinstance(found, list) else [found]) if isinstance(one, dict)
    ]
    pairs = [(one.get("method"), one.get("id")) for one in given]
    for message in read:
        assert (message.method, None if message.id is msgspec.UNSET else message.id) in pairs


def check_encoding(event: Event) -> None:
    """Fail if an event is another one when it was stored."""
    body = encode_event(event)
    again = REGISTRY.decode(body)
    assert again == event
    assert encode_event(again) == body
    # A reader may get the part of it that is shown when it is deleted.
    json.loads(REGISTRY.redact(body))


def check_snapshot(stream: str, state: State) -> None:
    """Fail if a state is another one after its snapshot."""
    encoded = REGISTRY.encode_state(state)
    assert REGISTRY.is_current(stream, encoded)
    assert REGISTRY.decode_state(stream, encoded) == state
