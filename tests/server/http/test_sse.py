"""Server-sent events, from a real server: the answer never ends by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import anyio
import httpx2
import msgspec
from anyio.abc import ByteStream

from hubbub.server.run import CLOSE_SECONDS_MAX
from tests.server.running import Running, running


class Reader:
    """Reads the answer to a request, one event after the other."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._text = ""
        self.set_cookie = ""

    @property
    def cookie(self) -> str:
        """The cookie that a browser returns after the response has set it."""
        return self.set_cookie.partition(";")[0]

    async def status(self) -> int:
        """Return the status of the answer."""
        return int((await self._stream.receive()).split()[1])

    async def event(self) -> dict[str, str]:
        """Return the next event's fields, none at the end; comments are passed over."""
        fields: dict[str, str] = {}
        while not fields:
            while "\n\n" not in self._text:
                if "\r\n0\r\n" in self._text:
                    return {}
                self._text += (await self._stream.receive()).decode()
                if "set-cookie: " in self._text:
                    self.set_cookie = self._text.partition("set-cookie: ")[2].partition("\r")[0]
            event, _, self._text = self._text.partition("\n\n")
            # What is no field is a comment, a header, or the size of a chunk.
            lines = [line.partition(": ") for line in event.splitlines()]
            fields = {name: value for name, _, value in lines if name in ("id", "data", "event")}
        return fields


@asynccontextmanager
async def following(
    server: Running, last_id: str = "", cookie: str = "", more: str = "", **params: str
) -> AsyncIterator[Reader]:
    """Ask for events."""
    port = int(server.address.rpartition(":")[2])
    async with await anyio.connect_tcp("127.0.0.1", port) as stream:
        query = urlencode(params)
        last = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        more += f"Cookie: {cookie}\r\n" if cookie else ""
        head = f"GET /api/events?{query} HTTP/1.1\r\nHost: a\r\n{last}{more}\r\n"
        await stream.send(head.encode())
        yield Reader(stream)


@asynccontextmanager
async def room_of(server: Running) -> AsyncIterator[tuple[httpx2.AsyncClient, dict[str, str]]]:
    async with httpx2.AsyncClient(base_url=server.address) as http:
        signed_in = (await http.post("/api/users/sign_in", json={"nickname": "Ann"})).json()
        headers = {"Authorization": f"Bearer {signed_in['token']}"}
        room = (
            await http.post("/api/chat/create_room", json={"name": "r"}, headers=headers)
        ).json()
        ticket = await ticket_of(http, headers)
        yield http, {"id": room["id"], "stream": room["stream"], **signed_in, **headers, **ticket}


async def ticket_of(http: httpx2.AsyncClient, headers: dict[str, str]) -> dict[str, str]:
    """Get a ticket, as the query of a request to follow."""
    answer = await http.post("/api/events/ticket", headers=headers)
    return {"ticket": answer.json()["ticket"]}


async def test_history_and_then_what_is_live() -> None:
    async with running() as server, room_of(server) as (http, room):
        headers = {"Authorization": room["Authorization"]}
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            old = [await reader.event(), await reader.event()]
            said = {"room_id": room["id"], "text": "hi"}
            await http.post("/api/chat/send", json=said, headers=headers)
            new = await reader.event()

    assert [event["id"] for event in [*old, new]] == ["1", "2", "3"]
    assert msgspec.json.decode(new["data"])["text"] == "hi"


async def test_a_browser_reconnects_with_the_same_url_and_its_cookie() -> None:
    async with running() as server, room_of(server) as (_, room):
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            first = await reader.event()
            cookie = reader.cookie
        async with following(server, last_id="1", cookie=cookie, **params) as reader:
            again = await reader.event()
        async with following(server, last_id="1", **params) as reader:
            stranger = await reader.status()

    assert (first["id"], again["id"]) == ("1", "2")
    assert stranger == 401


async def test_the_cookie_is_for_events_only_and_no_script_reads_it() -> None:
    async with running() as server, room_of(server) as (http, room):
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            await reader.event()
            attributes = reader.set_cookie.lower().split("; ")[1:]
        other = {"Cookie": reader.cookie}
        asked = await http.get("/api/users/online", headers=other)
        alone = await http.get("/api/events", params={"stream": room["stream"]}, headers=other)

    [age] = [attribute for attribute in attributes if attribute.startswith("max-age=")]
    # The rest of the fifteen minutes for which the ticket is valid, in whole seconds.
    assert 890 <= int(age.removeprefix("max-age=")) <= 900
    assert {*attributes} - {age} == {"httponly", "path=/api/events", "samesite=strict"}
    assert (asked.status_code, alone.status_code) == (401, 401)


async def test_behind_a_proxy_that_ends_tls_the_cookie_is_secure() -> None:
    async with running() as server, room_of(server) as (_, room):
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        async with following(server, more="X-Forwarded-Proto: https\r\n", **params) as reader:
            await reader.event()

    assert "; secure" in reader.set_cookie.lower()


async def test_a_token_in_the_url_is_refused_and_the_answer_names_the_ticket() -> None:
    async with running() as server, room_of(server) as (http, room):
        params = {"stream": room["stream"], "token": room["token"]}
        alone = await http.get("/api/events", params=params)
        headers = {"Authorization": room["Authorization"]}
        beside = await http.get("/api/events", params=params, headers=headers)

    assert (alone.status_code, beside.status_code) == (422, 422)
    assert "POST /api/events/ticket" in alone.json()["detail"]


async def test_a_sign_in_that_has_ended_follows_nothing_with_its_ticket_or_cookie() -> None:
    async with running() as server, room_of(server) as (http, room):
        headers = {"Authorization": room["Authorization"]}
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        unused = await ticket_of(http, headers)
        async with following(server, **params) as reader:
            await reader.event()
            cookie = reader.cookie
        await http.post("/api/users/sign_out", json={}, headers=headers)
        async with following(server, cookie=cookie, **params) as reader:
            again = await reader.status()
        async with following(server, **{**params, **unused}) as reader:
            late = await reader.status()

    assert (again, late) == (401, 401)


async def test_a_ticket_is_no_token_and_a_refresh_token_gets_none() -> None:
    async with running() as server, room_of(server) as (http, room):
        for sent in (room["ticket"], room["refresh_token"]):
            headers = {"Authorization": f"Bearer {sent}"}
            answer = await http.post("/api/events/ticket", headers=headers)

            assert answer.status_code == 401


async def test_the_end_of_the_right_to_read_is_told() -> None:
    async with running() as server, room_of(server) as (http, room):
        headers = {"Authorization": room["Authorization"]}
        params = {"stream": room["stream"], "after": "1", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            joined = await reader.event()
            await http.post("/api/chat/leave", json={"room_id": room["id"]}, headers=headers)
            left, ended, nothing = [await reader.event() for _ in range(3)]

    assert msgspec.json.decode(joined["data"])["type"] == "joined"
    assert msgspec.json.decode(left["data"])["type"] == "left"
    assert ended["event"] == "unfollowed"
    assert msgspec.json.decode(ended["data"])["data"]["reason"] == "not_member"
    assert nothing == {}


async def test_a_server_that_stops_ends_it() -> None:
    async with running() as server, room_of(server) as (_, room):
        params = {"stream": room["stream"], "after": "1", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            await reader.event()
            server.stop.set()
            with anyio.fail_after(CLOSE_SECONDS_MAX / 2):
                nothing = await reader.event()

    assert nothing == {}


async def test_who_names_another_journal_is_told_that_it_was_reset() -> None:
    async with running() as server, room_of(server) as (http, room):
        headers = {"Authorization": room["Authorization"]}
        params = {"stream": room["stream"], "after": "1", "journal_id": "the one before"}
        refused = await http.get("/api/events", params=params, headers=headers)
        known = {**params, "journal_id": room["journal_id"], "ticket": room["ticket"]}
        async with following(server, **known) as reader:
            event = await reader.event()

    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert "the history was reset" in refused.json()["detail"].lower()
    assert event["id"] == "2"


async def test_what_may_not_be_followed_is_a_problem() -> None:
    async with running() as server, room_of(server) as (http, room):
        headers = {"Authorization": room["Authorization"]}
        answers = [
            await http.get("/api/events", params=params, headers=headers)
            for params in (
                {"stream": "room/none"},
                {"stream": "user/other"},
                {"stream": room["stream"], "after": "99"},
                {"stream": room["stream"], "after": "-1"},
                {"stream": room["stream"], "after": "9" * 5_000},
                {"stream": room["stream"], "after": "soon"},
                {"after": "0"},
            )
        ]

    assert [answer.status_code for answer in answers] == [404, 403, 409, 422, 422, 422, 422]


async def test_a_client_that_goes_is_forgotten() -> None:
    async with running() as server, room_of(server) as (http, room):
        params = {"stream": room["stream"], "after": "0", "ticket": room["ticket"]}
        async with following(server, **params) as reader:
            await reader.event()
            topic = server.hub.journal.topic(room["stream"])
            assert topic is not None
            assert len(topic.followers) == 1
        headers = {"Authorization": room["Authorization"]}
        while topic.followers:
            await http.get("/api/users/online", headers=headers)

    assert not topic.followers
