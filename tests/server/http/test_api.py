"""Every method by HTTP, and what is refused."""

from __future__ import annotations

import logging
from typing import Any

import anyio
import httpx2
import pytest

import hubbub
from hubbub import Settings
from hubbub.games.matches.supervisor import MatchSupervisor
from hubbub.server import Gateway, create_app
from hubbub.server.http.api import PACES_MAX
from tests.server.api import Api, api
from tests.server.running import running


def signed(it: Api, user: str) -> dict[str, str]:
    """Make the headers of a user who did not sign in."""
    return {"Authorization": f"Bearer {Gateway(it.hub).tokens.sign(user)}"}


async def test_a_guest_gets_a_token_for_a_nickname() -> None:
    async with api() as (_, http):
        answer = await http.post("/api/users/sign_in", json={"nickname": "Ann"})

    assert answer.status_code == 200
    assert answer.json()["user"]["nickname"] == "Ann"
    assert answer.json()["token"]
    assert answer.json()["journal_id"]


async def test_a_token_signs_the_same_user_in_again() -> None:
    async with api() as (_, http):
        first = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        second = (await http.post("/api/users/sign_in", json={"token": first["token"]})).json()

    assert second["user"]["id"] == first["user"]["id"]


async def test_a_command_and_a_query() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        room = (await it.http.post("/api/chat/create_room", json={"name": "r"}, headers=ann)).json()
        said = await it.http.post(
            "/api/chat/send", json={"room_id": room["id"], "text": "hi"}, headers=ann
        )
        history = await it.http.get(
            "/api/chat/history", params={"room_id": room["id"], "limit": 5}, headers=ann
        )

    assert said.json()["text"] == "hi"
    assert history.json() == [said.json()]


async def test_a_command_without_a_result_answers_null() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        room = (await it.http.post("/api/chat/create_room", json={"name": "r"}, headers=ann)).json()
        answer = await it.http.post("/api/chat/leave", json={"room_id": room["id"]}, headers=ann)

    assert (answer.status_code, answer.json()) == (200, None)


async def test_a_list_is_given_by_repeating_its_name() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        [online] = [(await it.http.post("/api/users/sign_in", json={"nickname": "Bob"})).json()]
        ids = [online["user"]["id"]] * 2
        answer = await it.http.get("/api/users/get_many", params={"user_ids": ids}, headers=ann)

    assert [user["nickname"] for user in answer.json()] == ["Bob", "Bob"]


async def test_a_request_makes_nobody_online() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        answer = await it.http.get("/api/users/online", headers=ann)

    assert answer.json() == []


async def test_a_key_may_come_as_a_header() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        headers = {**ann, "Idempotency-Key": "once"}
        rooms = [
            (
                await it.http.post("/api/chat/create_room", json={"name": "r"}, headers=headers)
            ).json()
            for _ in range(2)
        ]

    assert rooms[0]["id"] == rooms[1]["id"]


async def test_a_key_that_must_be_given_may_come_as_a_header() -> None:
    async with api() as it:
        headers = {**await it.sign_in("Ann"), "Idempotency-Key": "once"}
        body = {"payment": "pm_card_visa"}
        answer = await it.http.post("/api/shop/checkout", json=body, headers=headers)

    # The key was good: what is wrong is that there is nothing to buy.
    assert answer.json()["code"] == "conflict"


async def test_a_key_in_the_body_goes_before_the_header() -> None:
    async with api() as it:
        headers = {**await it.sign_in("Ann"), "Idempotency-Key": "x" * 1_000}
        body = {"payment": "pm_card_visa", "key": "once"}
        answer = await it.http.post("/api/shop/checkout", json=body, headers=headers)

    assert answer.json()["code"] == "conflict"


@pytest.mark.parametrize(
    "headers",
    [{}, {"Authorization": "Bearer nonsense"}, {"Authorization": "Basic YTpi"}],
    ids=["none", "bad", "another scheme"],
)
async def test_without_a_good_token_one_is_asked_to_sign_in(headers: dict[str, str]) -> None:
    async with api() as (_, http):
        answer = await http.get("/api/chat/rooms", headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["code"] == "not_allowed"


async def test_an_error_is_a_problem_document() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        answer = await it.http.post("/api/chat/join", json={"room_id": "none"}, headers=ann)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "title": "Not Found",
        "status": 404,
        "code": "not_found",
        "detail": "This room does not exist; see chat.rooms() for the rooms you can join.",
    }


async def test_a_refusal_for_pace_says_when_to_come_back() -> None:
    settings = Settings(message_limit=1, message_period=60.0)
    async with api(settings) as it:
        ann = await it.sign_in("Ann")
        room = (await it.http.post("/api/chat/create_room", json={"name": "r"}, headers=ann)).json()
        message = {"room_id": room["id"], "text": "hi"}
        await it.http.post("/api/chat/send", json=message, headers=ann)
        answer = await it.http.post("/api/chat/send", json=message, headers=ann)

    assert answer.status_code == 429
    assert 59 < answer.json()["retry_after"] <= 60
    assert answer.headers["retry-after"] == "60"


async def test_too_many_requests_are_refused() -> None:
    settings = Settings(requests_per_second=1.0)
    async with api(settings) as it:
        ann = await it.sign_in("Ann")
        answers = [await it.http.get("/api/users/online", headers=ann) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert answers[-1].json()["retry_after"] > 0


async def test_following_is_a_request_as_well() -> None:
    settings = Settings(requests_per_second=1.0)
    async with api(settings) as it:
        ann = await it.sign_in("Ann")
        answers = [await it.http.get("/api/events", headers=ann) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [422, 422, 429]


async def test_of_the_users_whose_pace_is_remembered_who_was_away_longest_is_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert 0 < PACES_MAX <= 100_000
    monkeypatch.setattr("hubbub.server.http.api.PACES_MAX", 3)
    async with api(Settings(requests_per_second=1.0)) as it:
        # A burst of two each; Bob's third is the first again.
        users = ["ann", "bob", "ann", "bob", "ann", "cy", "di", "ann", "bob"]
        answers = [await it.http.get("/api/chat/rooms", headers=signed(it, u)) for u in users]

    assert [answer.status_code for answer in answers] == [200] * 4 + [429, 200, 200, 429, 200]


async def test_when_too_many_commands_wait_no_more_are_taken() -> None:
    async with api(Settings(calls_queued_max=0)) as it:
        query = await it.http.get("/api/chat/rooms", headers=signed(it, "ann"))
        sign_in = await it.http.post("/api/users/sign_in", json={"nickname": "Ann"})

    assert (query.status_code, query.json()["code"]) == (503, "overloaded")
    assert sign_in.status_code == 503


async def test_a_client_that_goes_in_the_middle_is_no_fault(
    caplog: pytest.LogCaptureFixture,
) -> None:
    scope = {
        "type": "http", "method": "POST", "path": "/api/users/sign_in", "root_path": "",
        "scheme": "http", "query_string": b"", "headers": [],
    }  # fmt: skip
    body: list[dict[str, Any]] = [
        {"type": "http.request", "body": b"{", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> dict[str, Any]:
        return body.pop(0)

    async def send(message: Any) -> None:
        await anyio.lowlevel.checkpoint()

    async with hubbub.open("memory://") as hub:
        with caplog.at_level(logging.WARNING):
            await create_app(hub)(scope, receive, send)

    assert not body
    assert not caplog.records


async def test_a_client_that_goes_while_it_waits_is_waited_for_no_longer() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        with anyio.move_on_after(0.2):
            await it.http.post("/api/games/find_match", json={"timeout": 600}, headers=ann)
        with anyio.fail_after(5):
            queues = it.hub.runtime(MatchSupervisor).matchmaker._queues
            while any(queue.tickets for queue in queues.values()):
                await anyio.lowlevel.checkpoint()
        again = await it.http.post("/api/games/find_match", json={"timeout": 0.01}, headers=ann)

    assert (again.status_code, again.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"[1]", 422), (b"{", 422), (b'{"room_id":7}', 422), (b'{"room":"a"}', 422), (b"\xff", 422)],
    ids=["an array", "not JSON", "a wrong type", "an unknown name", "not text"],
)
async def test_a_bad_body_is_refused(body: bytes, status: int) -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        answer = await it.http.post("/api/chat/join", content=body, headers=ann)

    assert (answer.status_code, answer.json()["code"]) == (status, "invalid")


async def test_an_oversize_body_is_refused() -> None:
    async with (
        running(settings=Settings(frame_bytes_max=100)) as server,
        httpx2.AsyncClient(base_url=server.address) as http,
    ):
        answer = await http.post("/api/users/sign_in", json={"nickname": "x" * 200})

    assert (answer.status_code, answer.json()["code"]) == (413, "invalid")


async def test_a_bad_query_is_refused() -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        answer = await it.http.get("/api/chat/rooms", params={"limit": "many"}, headers=ann)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")


async def test_an_unknown_path_and_a_wrong_verb_are_problems_too() -> None:
    async with api() as (_, http):
        unknown, wrong = await http.get("/api/chat/none"), await http.get("/api/chat/send")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "invalid")


async def test_a_fault_of_the_server_is_logged_and_not_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with api() as it:
        ann = await it.sign_in("Ann")
        monkeypatch.delattr(it.hub.presence, "_sessions")
        with caplog.at_level(logging.ERROR):
            answer = await it.http.get("/api/users/online", headers=ann)

        monkeypatch.undo()
    assert answer.status_code == 500
    assert "_sessions" not in answer.text
    assert "_sessions" in caplog.text


async def test_health_tells_whether_commands_are_taken() -> None:
    async with api() as it:
        before = await it.http.get("/health")
        await it.hub.drain()
        after = await it.http.get("/health")

    assert (before.status_code, before.json()["status"]) == (200, "ok")
    assert (after.status_code, after.json()["status"]) == (503, "closing")
