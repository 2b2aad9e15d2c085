"""The checks of a chat: each finds the fault that it looks for."""

from __future__ import annotations

from typing import Any

from hubbub.simulator.chat_workload import ChatWorkload
from hubbub.simulator.workload import Evidence

BEGIN = "2026-01-01T00:00:00Z"


def message(seq: int, text: str, at: str = BEGIN, by: str = "ann") -> dict[str, Any]:
    return {"stream": "room/r", "seq": seq, "at": at, "by": by, "type": "message", "text": text}


def checked(
    events: list[dict[str, Any]],
    acknowledged: dict[str, int] | None = None,
    seen: list[tuple[int, str, str | None]] | None = None,
    crashes: tuple[float, ...] = (),
    limit: int = 10,
) -> list[str]:
    chat = ChatWorkload(limit)
    chat.room, chat.stream = "r", "room/r"
    chat.tried = {event["text"] for event in events}
    chat.acknowledged = acknowledged or {}
    if seen is not None:
        chat.seen["bob"] = seen
    return list(chat.broken(Evidence({"room/r": events}, events, crashes)))


def test_what_is_right_passes() -> None:
    events = [message(1, "one"), message(2, "two")]
    seen: list[tuple[int, str, str | None]] = [(1, "message", "one"), (2, "message", "two")]

    assert checked(events, {"one": 1, "two": 2}, seen) == []


def test_a_lost_message_is_named() -> None:
    assert "acknowledged as 2" in checked([message(1, "one")], {"two": 2})[0]


def test_a_doubled_message_is_named() -> None:
    assert "twice" in checked([message(1, "one"), message(2, "one")])[0]


def test_a_message_that_nobody_sent_is_named() -> None:
    chat = ChatWorkload()
    chat.stream = "room/r"
    events = [message(1, "one")]

    (line,) = chat.broken(Evidence({"room/r": events}, events, ()))
    assert "nobody has sent it" in line


def test_a_gap_in_what_a_user_saw_is_named() -> None:
    events = [message(1, "one"), message(2, "two"), message(3, "three")]

    (line,) = checked(events, seen=[(1, "message", "one"), (3, "message", "three")])
    assert "saw event 3 where 2" in line


def test_an_event_that_was_seen_and_is_not_stored_is_named() -> None:
    (line,) = checked([], seen=[(1, "message", "one")])
    assert "which is not stored" in line


def test_another_text_than_the_stored_is_named() -> None:
    (line,) = checked([message(1, "one")], seen=[(1, "message", "two")])
    assert "saw 'two' as event 1" in line


def test_a_follower_that_is_behind_is_missing_something() -> None:
    chat = ChatWorkload()
    chat.stream = "room/r"
    chat.seen["bob"] = [(1, "message", "one")]
    events = [message(1, "one"), message(2, "two")]

    (line,) = chat.missing(Evidence({"room/r": events}, events, ()))
    assert line == "bob has seen 1 of 2 events of the room."


def test_more_messages_than_the_limit_are_named() -> None:
    at = [f"2026-01-01T00:00:{second:02}Z" for second in (0, 20, 40, 59)]
    events = [message(n, str(n), at=time) for n, time in enumerate(at, 1)]

    (line,) = checked(events, limit=3)
    assert "4 messages within 60.0 s" in line
    assert checked(events, limit=4) == []


def test_a_crash_begins_a_new_period() -> None:
    at = [f"2026-01-01T00:00:{second:02}Z" for second in (0, 20, 40, 59)]
    events = [message(n, str(n), at=time) for n, time in enumerate(at, 1)]

    assert checked(events, limit=3, crashes=(30.0,)) == []
