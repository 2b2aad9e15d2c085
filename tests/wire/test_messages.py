"""The bytes of the protocol."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub import errors
from hubbub.wire.messages import (
    INTERNAL_ERROR,
    ErrorObject,
    Incoming,
    Outgoing,
    encode,
    error_object,
    error_of,
    events_frame,
    signal_frame,
)

KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type)
    and issubclass(kind, errors.HubbubError)
    and kind is not errors.HubbubError
]


def test_a_chunk_is_one_array_of_notifications() -> None:
    assert events_frame([b'{"seq":1}', b'{"seq":2}']) == (
        b'[{"jsonrpc":"2.0","method":"event","params":{"seq":1}},'
        b'{"jsonrpc":"2.0","method":"event","params":{"seq":2}}]'
    )


@given(st.lists(st.dictionaries(st.text(), st.text() | st.integers(-9, 9)), min_size=1))
def test_the_bytes_of_an_event_are_sent_as_they_are(bodies: list[dict[str, object]]) -> None:
    encoded = [msgspec.json.encode(body) for body in bodies]
    sent = msgspec.json.decode(events_frame(encoded), type=list[Incoming])

    assert [bytes(message.params) for message in sent] == encoded
    assert {message.method for message in sent} == {"event"}


def test_a_signal_is_a_notification() -> None:
    assert signal_frame(b'{"type":"typing"}') == (
        b'{"jsonrpc":"2.0","method":"signal","params":{"type":"typing"}}'
    )


def test_what_is_not_set_is_left_out() -> None:
    assert msgspec.json.decode(encode(Outgoing(id=1, result=None))) == {
        "jsonrpc": "2.0",
        "id": 1,
        "result": None,
    }


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_error_comes_out_at_the_other_end(kind: type[errors.HubbubError]) -> None:
    error = kind("what to do", retry_after=1.5)
    shown = msgspec.json.decode(encode(error_object(error)), type=ErrorObject)
    again = error_of(shown)

    assert type(again) is kind
    assert (again.message, again.retry_after) == ("what to do", 1.5)


def test_a_fault_is_not_shown() -> None:
    shown = error_object(ValueError("secret"))

    assert shown.code == INTERNAL_ERROR
    assert "secret" not in shown.message


def test_an_error_of_json_rpc_itself_is_invalid() -> None:
    assert type(error_of(ErrorObject(-32700, "not JSON"))) is errors.Invalid
