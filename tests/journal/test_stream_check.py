"""The events of a stream are checked one by one; the faults themselves are in test_verify.py."""

from __future__ import annotations

import msgspec
import pytest

from hubbub.errors import HubbubError
from hubbub.journal.stores.contract import Record
from hubbub.journal.stream_check import StreamCheck, head_of
from tests.journal.tally import NOON, STREAMS


def record(seq: int, *, body: bytes | None = None) -> Record:
    event = {
        "stream": "poll/1",
        "seq": seq,
        "at": NOON,
        "by": "ann",
        "ref": None,
        "type": "voted",
    }
    return Record("poll/1", seq, "voted", "ann", None, body or msgspec.json.encode(event))


def test_of_an_unknown_kind_the_heads_are_checked() -> None:
    check = StreamCheck("poll/1", STREAMS)

    assert list(check.check(record(1))) == []
    assert list(check.check(record(3))) == ["event 2 is missing before it"]
    assert not check.sound


def test_what_is_no_name_is_refused() -> None:
    with pytest.raises(HubbubError):
        StreamCheck("tally/", STREAMS)


@pytest.mark.parametrize("bad", [b"\n", b"\xff"])
def test_an_event_is_one_line_of_text(bad: bytes) -> None:
    [body] = [record(1).body]
    body = body[:-1] + b',"more":"' + bad + b'"}'
    [fault] = StreamCheck("poll/1", STREAMS).check(record(1, body=body))

    assert fault.startswith("it cannot be decoded: ")


def test_the_head_of_any_event_is_decoded() -> None:
    assert head_of(record(7).body).seq == 7
