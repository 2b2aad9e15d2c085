"""One end of a connection, either end."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid, NotFound
from hubbub.wire.peer import (
    BATCH_BYTES_MAX,
    BATCH_REQUESTS_MAX,
    ID_CHARS_MAX,
    Malformed,
    Notification,
    Peer,
    Request,
    Response,
    UnknownMethod,
    decode_params,
)

Json = dict[str, Any]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=7), inner),
)


def request(number: object = 1, method: str = "chat.send") -> Json:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": {}}


def asked(peer: Peer, payload: object) -> list[Request]:
    messages = list(peer.receive(msgspec.json.encode(payload)))
    assert all(isinstance(message, Request) for message in messages)
    return [message for message in messages if isinstance(message, Request)]


def read(frame: bytes | None) -> Any:
    assert frame is not None
    return msgspec.json.decode(frame)


@pytest.mark.parametrize("number", [1, "a", None])
def test_an_answer_has_the_number_of_its_request(number: object) -> None:
    peer = Peer(asks=False)
    [one] = asked(peer, request(number))

    assert read(peer.answer(one, 7)) == {"jsonrpc": "2.0", "id": number, "result": 7}


def test_a_notification_gets_no_answer() -> None:
    peer = Peer(asks=False)
    [one] = asked(peer, {"jsonrpc": "2.0", "method": "chat.typing"})

    assert peer.answer(one, None) is None
    assert peer.refuse(one, NotFound("gone")) is None


def test_an_array_is_answered_by_one_array_when_the_last_answer_is_there() -> None:
    peer = Peer(asks=False)
    notification = {"jsonrpc": "2.0", "method": "chat.typing"}
    first, _, second = asked(peer, [request(1), notification, request(2)])

    assert peer.answer(second, "b") is None
    assert [answer["id"] for answer in read(peer.answer(first, "a"))] == [2, 1]


def test_what_is_wrong_in_an_array_is_answered_with_the_rest() -> None:
    peer = Peer(asks=False)
    [one] = asked(peer, [request(1), {"jsonrpc": "1.0"}])
    wrong, right = read(peer.answer(one, "a"))

    assert (wrong["id"], wrong["error"]["code"]) == (None, -32600)
    assert right["result"] == "a"


@pytest.mark.parametrize(
    "payload", [[], [{}] * (BATCH_REQUESTS_MAX + 1)], ids=["an empty one", "too many"]
)
def test_an_array_has_a_size(payload: list[object]) -> None:
    [message] = Peer(asks=False).receive(msgspec.json.encode(payload))

    assert isinstance(message, Malformed)
    assert read(message.frame)["error"]["code"] == -32600


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (b"{", -32700),
        (b"\xff", -32700),
        (b"[1", -32700),
        (b"7", -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":[],"method":"a"}', -32600),
        (b'{"id":1,"method":"a"}', -32600),
    ],
)
def test_a_bad_frame_gets_an_error_without_a_number(payload: bytes, code: int) -> None:
    [message] = Peer(asks=False).receive(payload)

    assert isinstance(message, Malformed)
    assert (read(message.frame)["id"], read(message.frame)["error"]["code"]) == (None, code)


@given(st.binary(max_size=60) | json_values.map(msgspec.json.encode))
def test_nothing_that_comes_in_is_a_fault(payload: bytes) -> None:
    for end in (Peer(asks=False), Peer(asks=True)):
        messages = list(end.receive(payload))
        assert len(messages) == 1 or payload.lstrip().startswith(b"[")
        for message in messages:
            if isinstance(message, Malformed) and message.frame is not None:
                errors = read(message.frame)
                for error in errors if isinstance(errors, list) else [errors]:
                    assert error["error"]["code"] in (-32700, -32600)


REQUEST = {"jsonrpc": "2.0", "method": "a"}
RUBBISH: list[Any] = ["seven", {}, [], {"jsonrpc": "2.0"}, {**REQUEST, "id": []}]


@given(
    items=st.lists(
        st.integers(1, 9) | st.none() | st.sampled_from(RUBBISH), min_size=1, max_size=100
    ),
    random=st.randoms(use_true_random=False),
)
def test_every_request_of_an_array_is_answered_once_in_whatever_order(
    items: list[Any], random: Random
) -> None:
    peer = Peer(asks=False)
    requests = {f"r{at}": item for at, item in enumerate(items) if isinstance(item, int)}
    array: list[Any] = [
        {**REQUEST, "id": f"r{at}"} if f"r{at}" in requests
        else REQUEST if item is None
        else item
        for at, item in enumerate(items)
    ]  # fmt: skip
    messages = list(peer.receive(msgspec.json.encode(array)))
    came = [h for h in messages if isinstance(h, Request)]
    random.shuffle(came)
    frames = [peer.answer(one, None) for one in came]
    frames += [h.frame for h in messages if isinstance(h, Malformed)]

    sent = [read(frame) for frame in frames if frame is not None]
    answers = sent[0] if sent else []
    rubbish = sum(item is not None and not isinstance(item, int) for item in items)
    assert len(sent) <= 1
    assert sorted(a["id"] for a in answers if "result" in a) == sorted(requests)
    assert sum(a["id"] is None and "error" in a for a in answers) == rubbish


def test_an_unknown_method_has_a_code_of_its_own() -> None:
    peer = Peer(asks=False)
    [one] = asked(peer, request())
    error = read(peer.refuse(one, UnknownMethod("no such method")))["error"]

    assert (error["code"], error["data"]["code"]) == (-32601, "not_found")


def test_wrong_params_are_told_in_words() -> None:
    class Params(msgspec.Struct):
        text: str

    [one] = asked(Peer(asks=False), request())
    with pytest.raises(Invalid, match=r"chat\.send.*text"):
        decode_params(one, msgspec.json.Decoder(Params))


def test_who_asks_reads_answers_and_notifications() -> None:
    client, server = Peer(asks=True), Peer(asks=False)
    number, frame = client.ask("chat.send", {"text": "hi"})
    [one] = server.receive(frame)
    assert isinstance(one, Request)

    [answered] = client.receive(server.answer(one, "ok") or b"")
    [refused] = client.receive(server.refuse(one, NotFound("gone")) or b"")
    [told] = client.receive(server.tell("signal", {"type": "typing"}))
    assert isinstance(answered, Response)
    assert (answered.id, bytes(answered.result or b"")) == (number, b'"ok"')
    assert isinstance(refused, Response)
    assert refused.error is not None
    assert isinstance(told, Notification)
    assert told.method == "signal"


def test_each_request_has_a_number_of_its_own() -> None:
    client = Peer(asks=True)

    assert [client.ask("a", {})[0] for _ in range(3)] == [1, 2, 3]


def test_an_answer_is_either_a_result_or_an_error() -> None:
    [message] = Peer(asks=True).receive(b'{"jsonrpc":"2.0","id":1}')

    assert message == Malformed(None)


def test_an_oversize_frame_is_told_with_the_limit() -> None:
    assert "1000 bytes" in read(Peer(asks=False).oversize(1_000))["error"]["message"]


def test_answers_of_an_array_that_are_too_large_together_go_out_in_parts() -> None:
    peer = Peer(asks=False)
    [first, second, third] = peer.receive(
        b'[{"jsonrpc":"2.0","id":1,"method":"a"},{"jsonrpc":"2.0","id":2,"method":"a"},'
        b'{"jsonrpc":"2.0","id":3,"method":"a"}]'
    )
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert isinstance(third, Request)
    large = "x" * BATCH_BYTES_MAX
    frames = [peer.answer(first, "small"), peer.answer(second, large), peer.answer(third, "last")]

    assert frames[0] is None
    assert [one["id"] for one in msgspec.json.decode(frames[1] or b"")] == [1, 2]
    assert [one["id"] for one in msgspec.json.decode(frames[2] or b"")] == [3]


# Deeper than any Python lets msgspec go.
DEEP = "[" * 100_000 + "]" * 100_000


@pytest.mark.parametrize(
    "frame",
    [
        DEEP,
        DEEP.join(('{"jsonrpc":"2.0","id":1,"method":"a","params":', "}")),
        DEEP.join(('{"jsonrpc":"2.0","id":1,"method":"a","other":', "}")),
        DEEP.join(('[{"jsonrpc":"2.0","id":1,"method":"a","params":', "}]")),
        DEEP.join(('{"jsonrpc":"2.0","error":{"code":1,"message":"a","data":{"x":', "}}}")),
        f'{{"jsonrpc":"2.0","id":{2**70},"method":"a"}}',
        f'{{"jsonrpc":"2.0","id":1{"0" * 5_000},"method":"a"}}',
        f'{{"jsonrpc":"2.0","id":"{"x" * (ID_CHARS_MAX + 1)}","method":"a"}}',
        '{"jsonrpc":"2.0","id":"\\ud800","method":"a"}',
    ],
    ids=[
        "nested", "nested params", "a nested field", "nested in an array", "a nested error",
        "an id of 70 bits", "an id of 5,000 digits", "a long id", "half a surrogate pair",
    ],
)  # fmt: skip
@pytest.mark.parametrize("asks", [True, False])
def test_what_no_answer_could_be_made_for_is_refused_at_once(frame: str, asks: bool) -> None:
    for payload in (frame, frame.encode()):
        [message] = Peer(asks=asks).receive(payload)

        assert isinstance(message, Malformed | Notification)


@given(st.binary(max_size=200) | st.text(max_size=100))
def test_any_frame_is_read_or_refused(frame: bytes | str) -> None:
    for message in Peer(asks=False).receive(frame):
        assert isinstance(message, Request | Malformed)
