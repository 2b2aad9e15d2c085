"""
Every method takes whatever it is given: an answer or a clear error, never a failure inside.

The server is the real one. An admin and guests ask over WebSocket and HTTP; a longer run is
``nox -s fuzz -- SECONDS``, which draws more examples.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import count
from random import Random
from typing import Any, Final
from urllib.parse import quote, urlencode

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.blackbox.raw import CLOSE, TEXT, Raw, frame_of, request_of
from tests.blackbox.served import Backend, Served, served
from tests.faults.rpc_fuzz import (
    NASTY,
    SESSION_METHODS,
    Learnt,
    Method,
    arguments_of,
    encoded,
    methods_of,
)

PASSWORD: Final = "correct horse battery"
# The setting's default.
FRAME_BYTES_MAX: Final = 64 * 1024
# A client that is refused for its pace is not fuzzed.
SETTINGS: Final = ("message_limit=1000000", "requests_per_second=1000000", "password_attempts=1000")
CALLS: Final = 25
# They end the session that asks, or keep others out: seldom is enough.
SELDOM: Final = {
    "users.sign_out",
    "users.change_password",
    "users.create_account",
    "users.set_role",
    "session.sign_in",
}
# Of the admin they would keep out every later example.
LOCKS_OUT: Final = {"users.set_password", "users.disable", "users.set_role"}
INTERNAL: Final = b"-32603"

# Each example is a whole conversation: to shrink it would be another one.
conversations = settings(phases=[Phase.generate], deadline=None)
seeds = st.integers(0, 2**32 - 1)

pytestmark = pytest.mark.timeout(300)


class World:
    """The server, what it offers, and what was learnt of it."""

    def __init__(self, server: Served) -> None:
        self.server = server
        self.learnt = Learnt()
        self._names = count()
        self._tracebacks = 0
        with Raw(server.port) as client:
            client.upgrade()
            signed_in = client.result("session.sign_in", name="root", password=PASSWORD)
        self.admin: str = signed_in["user"]["id"]
        self.methods = methods_of(json.loads(self.get("/openapi.json")[1]))

    def fresh_name(self) -> str:
        """Return a nickname that no example can have made an account of."""
        return f"Fuzz {next(self._names)}"

    def get(self, target: str, token: str = "") -> tuple[int, bytes]:
        """Ask for something over HTTP."""
        return self.request(f"GET {target}", token)

    def post(self, target: str, body: bytes, token: str = "") -> tuple[int, bytes]:
        """Send something over HTTP."""
        return self.request(f"POST {target}", token, body)

    def request(self, line: str, token: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request; return the status and the body of the answer."""
        lines = [f"{line} HTTP/1.1", "Host: x", f"Content-Length: {len(body)}"]
        lines += [f"Authorization: Bearer {token}"] if token else []
        with Raw(self.server.port) as client:
            client.send("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
            return client.read_head().status, client.read_body()

    def check(self) -> None:
        """Fail if the server has changed."""
        assert self.server.alive, self.server.log[-2_000:]
        # Each is held against the example that has caused it, and not against those after it.
        known, self._tracebacks = self._tracebacks, len(self.server.tracebacks)
        assert not self.server.tracebacks[known:]


@pytest.fixture(scope="module")
def world(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Serve for all examples; on asyncio by uvloop."""
    args = [word for setting in SETTINGS for word in ("--set", setting)]
    environment = {"HUBBUB_ADMIN_PASSWORD": PASSWORD}
    home = tmp_path_factory.mktemp("fuzzed")
    with served(
        backend, home, "--demo", "--admin", "root", *args, environment=environment
    ) as server:
        yield World(server)


def sign_in(world: World, random: Random) -> tuple[Raw, str]:
    """Sign in as a guest or as the admin; return the client and a token."""
    client = Raw(world.server.port)
    if random.random() < 0.3:
        client.upgrade()
        result = client.result("session.sign_in", name="root", password=PASSWORD)
    else:
        result = client.sign_in(world.fresh_name())
        world.learnt.keep("user_id", result["user"]["id"])
    return client, result["token"]


@conversations
@given(seed=seeds)
def test_no_request_fails_inside_over_a_websocket(world: World, seed: int) -> None:
    random = Random(seed)
    methods = [*world.methods, *SESSION_METHODS]
    client, _ = sign_in(world, random)
    with client:
        for number in range(CALLS):
            method = drawn(random, methods)
            arguments = arguments_for(world, random, method)
            if not asked(client, world, random, method, arguments, number):
                # The session has ended by a good request: to sign out, say.
                break

    world.check()


def asked(
    client: Raw, world: World, random: Random, method: Method, arguments: Any, number: int
) -> bool:
    """Send a request; return True if the connection stays open."""
    request = {"jsonrpc": "2.0", "id": f"n{number}", "method": method.name, "params": arguments}
    payload = encoded(random, request)
    if len(payload) > FRAME_BYTES_MAX:
        # Its answer has no id: the server does not read so much.
        return True
    client.send(frame_of(payload))
    try:
        response = client.response(f"n{number}")
    except ConnectionError:
        return False
    code = response.get("error", {}).get("code")
    assert code != -32603, f"{method.name} {str(arguments)[:500]}: {response}"
    world.learnt.learn(response.get("result"))
    return True


@conversations
@given(seed=seeds)
def test_no_request_fails_inside_over_http(world: World, seed: int) -> None:
    random = Random(seed)
    client, token = sign_in(world, random)
    with client:
        for _ in range(CALLS):
            method = drawn(random, world.methods)
            arguments = arguments_for(world, random, method)
            path = "/api/" + method.name.replace(".", "/")
            if method.changes:
                status, body = world.post(path, encoded(random, arguments), token)
            else:
                status, body = world.get(f"{path}?{query_of(arguments)}", token)
            if status == 200:
                world.learnt.learn(json.loads(body) if body else None)
            else:
                assert 400 <= status < 500, f"{method.name} {str(arguments)[:500]}: {body!r}"

    world.check()


def arguments_for(world: World, random: Random, method: Method) -> dict[str, Any]:
    """Draw the arguments of a call that does not lock the admin out."""
    arguments = arguments_of(random, method, world.learnt)
    while method.name in LOCKS_OUT and arguments.get("user_id") == world.admin:
        arguments = arguments_of(random, method, world.learnt)
    return arguments


def query_of(arguments: dict[str, Any]) -> str:
    """Make a query of arguments; what a request line cannot hold is left out."""
    words = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in arguments.items()
    }
    short = {name: value[:2_000] for name, value in words.items()}
    return urlencode(short, quote_via=quote, errors="surrogatepass")


@conversations
@given(seed=seeds)
def test_no_frame_fails_inside(world: World, seed: int) -> None:
    random = Random(seed)
    for _ in range(CALLS):
        with Raw(world.server.port) as client:
            if random.random() < 0.5:
                client.upgrade()
            else:
                client.sign_in(world.fresh_name())
            client.send(frame_of(odd_text(random), TEXT), frame_of(b"\x03\xe8", CLOSE))
            came = client.read_to_the_end()

        assert INTERNAL not in came, seed
    world.check()


def odd_text(random: Random) -> bytes:
    """Draw a frame that is hardly a request."""
    names = ["chat.rooms", "session.sign_in", "x", "", None, 5, "\ud7ff", "a" * 1_000]
    request = {
        "jsonrpc": random.choice(["2.0", 2, None]),
        "id": random.choice(NASTY),
        "method": random.choice(names),
        "params": random.choice(NASTY),
    }
    match random.randrange(5):
        case 0:
            return random.randbytes(random.randrange(200))
        case 1:
            depth = random.choice([10, 100, 500, 1_000, 10_000])
            return random.choice([b"[", b'{"a":', b'{"id":']) * depth
        case 2:
            return encoded(random, [random.choice(NASTY) for _ in range(random.randrange(5))])
        case 3:
            return encoded(random, [request] * random.randrange(3))
        case _:
            text = encoded(random, request) if random.random() < 0.7 else request_of("users.online")
            at = random.randrange(len(text))
            return text[:at] + random.randbytes(1) + text[at + random.randrange(2) :]


def drawn(random: Random, methods: list[Method]) -> Method:
    """Draw a method; some of them seldom."""
    method = random.choice(methods)
    while method.name in SELDOM and random.random() < 0.9:
        method = random.choice(methods)
    return method
