from __future__ import annotations

from collections.abc import Callable
from functools import partial

import msgspec
import pytest

from hubbub.errors import Closed, HubbubError, Invalid, NotAllowed, NotMember, Overloaded
from hubbub.wire.connection_lost import ConnectionLost
from hubbub.wire.messages import error_object
from hubbub.wire.resumption import REQUESTS_SENT_MAX, Resumption


def answer(resume: Resumption, number: int, result: object = None) -> None:
    resume.receive(msgspec.json.encode({"jsonrpc": "2.0", "id": number, "result": result}))


def refuse(resume: Resumption, number: int | None, error: Exception) -> None:
    shown = {"jsonrpc": "2.0", "id": number, "error": error_object(error)}
    resume.receive(msgspec.json.encode(shown))


def sign_in(resume: Resumption) -> list[int]:
    """Sign in; return the numbers of the requests that were sent then."""
    resume.connected({"nickname": "ann"})
    [number] = numbers(resume)
    answer(resume, number, {"user": {}, "token": "t", "journal_id": "j"})
    return numbers(resume)


def numbers(resume: Resumption) -> list[int]:
    return [msgspec.json.decode(frame)["id"] for frame in resume.outgoing()]


def note(found: list[object], result: msgspec.Raw, error: HubbubError | None) -> None:
    found.append(error or msgspec.json.decode(result))


@pytest.fixture
def resume() -> Resumption:
    return Resumption(lambda: None)


def test_requests_are_repeated_in_their_order_as_the_same_bytes(resume: Resumption) -> None:
    found: list[object] = []
    first = resume.ask("m", {"a": 1}, partial(note, found))
    second = resume.ask("m", {"a": 2}, partial(note, found))
    sent = sign_in(resume)
    answer(resume, first, "one")
    resume.disconnected()

    assert sent == [first, second]
    assert sign_in(resume) == [second]
    answer(resume, second, "two")
    assert found == ["one", "two"]


def test_what_was_forgotten_before_it_was_sent_is_not_sent(resume: Resumption) -> None:
    sign_in(resume)
    first = resume.ask("m", {}, partial(note, []))
    second = resume.ask("m", {}, partial(note, []))
    resume.forget(first)

    assert numbers(resume) == [second]


def test_what_was_forgotten_after_it_was_sent_is_cancelled(resume: Resumption) -> None:
    sign_in(resume)
    number = resume.ask("m", {}, partial(note, []))
    sent = numbers(resume)
    resume.forget(number)

    assert sent == [number]
    [told] = resume.outgoing()
    assert msgspec.json.decode(told) == {
        "jsonrpc": "2.0",
        "method": "session.cancel",
        "params": {"id": number},
    }
    assert resume.outgoing() == []


def test_what_is_to_be_cancelled_on_a_connection_is_not_on_the_next(resume: Resumption) -> None:
    sign_in(resume)
    number = resume.ask("m", {}, partial(note, []))
    resume.outgoing()
    resume.forget(number)
    resume.disconnected()

    assert sign_in(resume) == []


def test_there_is_more_to_send_when_an_answer_has_come() -> None:
    woken: list[int] = []
    resume = Resumption(lambda: woken.append(1))
    asked = [resume.ask("m", {}, partial(note, [])) for _ in range(REQUESTS_SENT_MAX + 1)]
    sent = sign_in(resume)
    woken.clear()
    answer(resume, asked[0])

    assert sent == asked[:-1]
    assert woken
    assert numbers(resume) == asked[-1:]


def test_an_answer_counts_once(resume: Resumption) -> None:
    found: list[object] = []
    number = resume.ask("m", {}, partial(note, found))
    sign_in(resume)
    answer(resume, number, "one")
    answer(resume, number, "two")

    assert found == ["one"]


def test_a_refusal_is_an_answer(resume: Resumption) -> None:
    found: list[object] = []
    [number] = [resume.ask("m", {}, partial(note, found))]
    sign_in(resume)
    refuse(resume, number, Overloaded("Full."))

    assert [type(error) for error in found] == [Overloaded]


def test_a_passing_refusal_of_what_may_be_done_already_is_no_answer(resume: Resumption) -> None:
    found: list[object] = []
    number = resume.ask("m", {}, partial(note, found))
    sign_in(resume)
    resume.disconnected()
    sign_in(resume)

    with pytest.raises(ConnectionLost):
        refuse(resume, number, Overloaded("Full."))
    resume.disconnected()
    assert sign_in(resume) == [number]
    answer(resume, number, "done")
    assert found == ["done"]


def test_a_server_that_is_going_is_no_answer(resume: Resumption) -> None:
    found: list[object] = []
    number = resume.ask("m", {}, partial(note, found))
    sign_in(resume)

    with pytest.raises(ConnectionLost):
        refuse(resume, number, Closed("Going."))
    resume.disconnected()
    assert sign_in(resume) == [number]
    assert found == []


def test_what_the_server_could_not_read_is_the_largest(resume: Resumption) -> None:
    found: list[object] = []
    small = resume.ask("m", {"text": "x"}, partial(note, found))
    resume.ask("m", {"text": "x" * 100}, partial(note, found))
    sign_in(resume)
    refuse(resume, None, Invalid("Too large."))
    answer(resume, small, "read")

    assert [type(each) for each in found] == [Invalid, str]


def test_a_connection_that_ends_because_of_a_frame_ends_the_largest(resume: Resumption) -> None:
    found: list[object] = []
    small = resume.ask("m", {"text": "x"}, partial(note, found))
    resume.ask("m", {"text": "x" * 100}, partial(note, found))
    sign_in(resume)
    resume.disconnected(too_big=True)

    assert [type(each) for each in found] == [Invalid]
    assert sign_in(resume) == [small]


def test_what_is_no_json_is_refused_before_it_is_sent(resume: Resumption) -> None:
    for params in ({"text": "\ud800"}, {"text": object()}):
        with pytest.raises(Invalid, match="cannot be encoded"):
            resume.ask("m", params, partial(note, []))

    assert sign_in(resume) == []


def test_params_that_are_nested_too_deeply_are_refused(resume: Resumption) -> None:
    nested: dict[str, object] = {}
    for _ in range(10_000):
        nested = {"a": nested}

    with pytest.raises(Invalid, match="cannot be encoded"):
        resume.ask("games.submit", nested, partial(note, []))


def test_a_refused_sign_in_is_raised(resume: Resumption) -> None:
    resume.connected({"token": "forged"})

    with pytest.raises(NotAllowed, match="not good"):
        refuse(resume, numbers(resume)[0], NotAllowed("The token is not good."))


def test_a_server_that_fails_at_a_sign_in_is_come_back_to(resume: Resumption) -> None:
    resume.connected({})

    with pytest.raises(ConnectionLost, match="failed"):
        refuse(resume, numbers(resume)[0], RuntimeError("the users' database is down"))


def test_a_server_that_has_no_time_for_a_sign_in_is_come_back_to(resume: Resumption) -> None:
    resume.connected({"token": "t"})

    with pytest.raises(ConnectionLost):
        refuse(resume, numbers(resume)[0], Overloaded("Full."))


@pytest.mark.parametrize(
    "frame",
    [
        "{",
        '{"jsonrpc": "1.0"}',
        '{"jsonrpc": "2.0", "method": "event", "params": {"seq": "x"}}',
        '{"jsonrpc": "2.0", "method": "unfollowed", "params": {}}',
        '{"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "No."}}',
    ],
)
def test_a_server_that_breaks_the_protocol_is_left(resume: Resumption, frame: str) -> None:
    sign_in(resume)

    with pytest.raises(ConnectionLost):
        resume.receive(frame)


@pytest.mark.parametrize(
    "frame",
    [
        '{"jsonrpc": "2.0", "method": "signal", "params": {"stream": "room/1", "type": "typing"}}',
        '{"jsonrpc": "2.0", "method": "event", "params": {"stream": "room/1", "seq": 7}}',
        '{"jsonrpc": "2.0", "id": 4711, "result": null}',
        "[]",
    ],
)
def test_what_nobody_waits_for_is_passed_over(resume: Resumption, frame: str) -> None:
    sign_in(resume)
    resume.receive(frame)

    assert numbers(resume) == []


def tell_unfollowed(resume: Resumption, error: HubbubError) -> None:
    ended = {"stream": "room/1", "error": error_object(error)}
    told = {"jsonrpc": "2.0", "method": "unfollowed", "params": ended}
    resume.receive(msgspec.json.encode(told))


def test_a_stream_that_the_server_ends_is_ended() -> None:
    resume = Resumption(lambda: None)
    follower = resume.follow("room/1", 0, lambda: None)
    resume.connected({})
    signing_in, following = numbers(resume)
    answer(resume, signing_in, {"user": {}, "token": "t", "journal_id": "j"})
    answer(resume, following, {"head": 0})
    tell_unfollowed(resume, NotMember("You were kicked."))
    tell_unfollowed(resume, NotMember("Nobody is there any more."))

    with pytest.raises(NotMember, match="kicked"):
        follower.take()


def test_a_stream_that_ends_with_the_server_is_followed_again(resume: Resumption) -> None:
    sign_in(resume)

    with pytest.raises(ConnectionLost):
        tell_unfollowed(resume, Closed("Going."))


def test_the_end_of_a_session_is_everybodys(resume: Resumption) -> None:
    found: list[object] = []
    resume.ask("m", {}, partial(note, found))
    waiting = resume.follow("room/1", None, lambda: None)
    resume.fail(Closed("Over."))
    asks: list[Callable[[], object]] = [
        lambda: resume.ask("m", {}, partial(note, found)),
        lambda: resume.follow("room/1", None, lambda: None),
        waiting.take,
    ]

    assert [type(each) for each in found] == [Closed]
    for ask in asks:
        with pytest.raises(Closed, match="Over"):
            ask()
