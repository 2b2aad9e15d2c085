"""Valid inputs of what is fuzzed, which it begins with, and the words that they consist of."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, get_args

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import HMACAlgorithm, OKPAlgorithm

from hubbub.encryption.payloads import Content, DevicePayload, RoomPayload
from hubbub.event_samples import sample
from hubbub.games.boards.cursor import cursor_of
from hubbub.journal.event import Event, encode_event, tag_of
from hubbub.keys.events import DeviceKeys, SignedDevice
from hubbub.server.auth.keys import KEY_BYTES_MIN
from hubbub.server.websocket.frames import BINARY, CLOSE, CONTINUATION, PING, PONG
from tests.blackbox.raw import frame_of
from tests.chat.test_golden import all_events, folded
from tests.features import ALL, STREAMS
from tests.fuzzing.targets import REGISTRY

__all__ = ["SEEDS", "words"]

FIELD: Final = re.compile(rb"([A-Za-z-]{2,}):")
TESTS: Final = Path(__file__).parents[1]
NOON: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)
# The first byte says how the rest is cut: not at all, or into pieces of so many bytes.
CUTS: Final = (b"\x00", b"\x01", b"\x07")

FRAMES: Final = (
    frame_of("hello"),
    frame_of(bytes(range(130)), BINARY),
    frame_of(bytes(200), BINARY),
    frame_of(b"zo\xc3", final=False) + frame_of(b"?", PING) + frame_of(b"\xab", CONTINUATION),
    frame_of(b"a" * 100, final=False)
    + frame_of(b"", CONTINUATION, final=False)
    + frame_of(b"b" * 100, CONTINUATION),
    frame_of(b"", PONG),
    frame_of(b"", CLOSE),
    frame_of(b"\x03\xe8bye", CLOSE),
    frame_of(b"\x03\xf6", CLOSE),
    frame_of(b"\xff"),
    frame_of(b"a", reserved=4),
    frame_of(b"a", masked=False),
    frame_of(b"a", size_bits=16),
    frame_of(b"a", size_bits=64),
    b"\x81\xff" + b"\xff" * 8,
)
REQUESTS: Final = (
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /a%20b?c=d&e HTTP/1.0\r\n\r\n",
    b"\r\nPOST /b HTTP/1.1\r\nHost: x:80\r\nContent-Length: 5\r\n\r\nhello",
    (
        b"POST /c HTTP/1.1\r\nHost: [::1]\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"2;a=b\r\nhi\r\n0\r\nT: x\r\n\r\n"
    ),
    (
        b"GET http://x.org/d?e HTTP/1.1\r\nHost: y\r\n"
        b"Connection: close, x\r\nExpect: 100-continue\r\n\r\n"
    ),
    (
        b"GET /ws HTTP/1.1\r\nHost: x.org\r\nOrigin: https://y.org\r\nConnection: Upgrade\r\n"
        b"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: a, hubbub.v1\r\n"
        b"X-Forwarded-For: 1.2.3.4, [::1]:80, 10.0.0.1\r\n\r\n"
    ),
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nA: \xe9\r\nA:  b \r\n\r\n",
)
DEEP: Final = b"[" * 1_200


def cut_in_each_way(inputs: Iterable[bytes]) -> list[bytes]:
    """Put how they are cut before inputs."""
    return [cut + data for data in inputs for cut in CUTS]


def rpc_frames() -> Iterator[bytes]:
    """Call each method; some at once, some wrongly."""
    calls = list[bytes]()
    for name, method in ALL.methods.items():
        try:
            params = msgspec.to_builtins(sample(method.arguments))
        except TypeError:
            params = {}
        call = {"jsonrpc": "2.0", "id": len(calls), "method": name, "params": params}
        calls.append(msgspec.json.encode(call))
    yield from calls
    yield b"[" + b",".join(calls[:3]) + b"]"
    yield b'[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","id":"b","method":"c"},5,{}]'
    yield b'{"jsonrpc":"2.0","id":1,"result":[]}'
    yield b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"a","data":{"code":"b"}}}'
    yield b'{"jsonrpc":"2.0","method":"a","params":' + DEEP
    yield b"[]"


def histories() -> Iterator[bytes]:
    """Write the history of each stream of the past, and each type of event once."""
    lines: dict[str, list[bytes]] = {}
    for event in all_events():
        lines.setdefault(event.stream, []).append(encode_event(event))
    yield from (b"\n".join(bodies) for bodies in lines.values())
    for event in sample_events():
        yield encode_event(event)
    yield encode_event(next(sample_events()))[:-1] + b',"x":' + DEEP


def sample_events() -> Iterator[Event]:
    """Make an event of each type of each kind of stream."""
    for kind, state in STREAMS.items():
        for data in get_args(state.data_type) or (state.data_type,):
            # Money has no sample value; the histories have some.
            with suppress(TypeError):
                yield Event(f"{kind}/1", 1, NOON, "ann", None, sample(data))


def states() -> Iterator[bytes]:
    """Write the snapshot of each stream of the past."""
    for stream, state in folded().items():
        yield stream.encode() + b"\n" + REGISTRY.encode_state(state).body
    yield b"room/1\n" + DEEP


def encrypted() -> Iterator[bytes]:
    """Write what is inside the ciphertexts of the past."""
    vectors = json.loads((TESTS / "encryption" / "vectors.json").read_bytes())
    for text in (*vectors["device_payloads"], *vectors["room_payloads"]):
        yield text.encode()
        yield text[:-1].encode() + b',"x":' + DEEP


def key_sets() -> Iterator[bytes]:
    """Write a set with a key of each kind."""
    keys = [HMACAlgorithm.to_jwk("s" * KEY_BYTES_MIN, as_dict=True)]
    public = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    keys.append(OKPAlgorithm.to_jwk(public, as_dict=True))
    keys.append({**keys[0], "alg": "HS256", "use": "sig", "kid": "a", "key_ops": ["verify"]})
    yield msgspec.json.encode({"keys": keys})
    yield b'{"keys":[' + DEEP


SEEDS: Final[Mapping[str, list[bytes]]] = {
    "frames": cut_in_each_way([*FRAMES, b"".join(FRAMES)]),
    "requests": cut_in_each_way([*REQUESTS, b"".join(REQUESTS)]),
    "rpc": list(rpc_frames()),
    "events": list(histories()),
    "snapshots": list(states()),
    "payloads": list(encrypted()),
    "key_sets": list(key_sets()),
    "cursors": [cursor_of(*place).encode() for place in ((0, 1), (-1.5, 7), (1e300, 99))],
}


def words(target: str) -> set[str]:
    """Return words that an input of a target can have."""
    match target:
        case "requests":
            lines = [line for one in REQUESTS for line in one.split(b"\r\n")]
            return {found[1].decode() for line in lines if (found := FIELD.match(line))}
        case "rpc":
            return {"jsonrpc", "method", "params", "result", "error", *ALL.methods}
        case "key_sets":
            return {"keys", "kty", "alg", "crv", "use", "key_ops", "kid", "RSA", "OKP", "Ed25519"}
        case "payloads":
            kinds = (DevicePayload, RoomPayload, SignedDevice, DeviceKeys, *get_args(Content))
            return {field for kind in kinds for field in kind.__struct_fields__}
        case "events" | "snapshots":
            fields = {name for event in sample_events() for name in event.data.__struct_fields__}
            return {tag_of(type(event.data)) for event in sample_events()} | fields | STREAMS.keys()
    return set()
