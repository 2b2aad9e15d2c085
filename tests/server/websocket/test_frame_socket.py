"""The sockets whose frames we read and write ourselves."""

from __future__ import annotations

import inspect
import re
from socket import socketpair

import anyio
import msgspec
import pytest
from websockets.frames import Opcode

from hubbub import Settings
from hubbub.server import Gateway
from hubbub.server.selector import Selector
from hubbub.server.websocket.asyncio_socket import AsyncioSocket
from hubbub.server.websocket.frame_socket import CLOSE_SECONDS_MAX, WRITE_BYTES_MAX, FrameSocket
from hubbub.server.websocket.tcp_socket import TcpSocket
from hubbub.simulator.stream_socket import StreamSocket
from hubbub.wake_up import WakeUp
from tests.server.memory_socket import clients
from tests.server.raw_client import connected, masked, websocket_key
from tests.server.running import running


async def test_the_handshake_chooses_the_sub_protocol() -> None:
    async with running() as server, connected(server.address) as client:
        assert client.response is not None
        assert client.response.headers["Sec-WebSocket-Protocol"] == "hubbub.v1"


async def test_a_handshake_of_another_version_is_refused() -> None:
    async with running() as server:
        port = int(server.address.rpartition(":")[2])
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            head = "GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            key = f"Sec-WebSocket-Key: {websocket_key()}\r\nSec-WebSocket-Version: 8\r\n\r\n"
            await stream.send((head + key).encode())
            answer = await stream.receive()

    assert answer.startswith(b"HTTP/1.1 426")


async def test_a_request_and_its_answer() -> None:
    async with running() as server, connected(server.address) as client:
        signed_in = await client.sign_in("Ann")

    assert signed_in["user"]["nickname"] == "Ann"
    assert signed_in["user"]["status"] == "online"
    assert signed_in["journal_id"] == server.hub.journal.store.journal_id


async def test_a_message_in_fragments_with_a_ping_between_is_one_message() -> None:
    async with running() as server, connected(server.address) as client:
        request = b'{"jsonrpc":"2.0","id":1,"method":"session.sign_in","params":{}}'
        await client.stream.send(masked(0x01, request[:10]))
        await client.stream.send(masked(0x89, b"there?"))
        await client.stream.send(masked(0x80, request[10:]))
        pong = await client.frame()
        answer = await client.answer(1)

    assert (pong.opcode, bytes(pong.data)) == (Opcode.PONG, b"there?")
    assert "result" in answer


async def test_an_oversize_frame_gets_its_error_and_the_connection_goes_on() -> None:
    settings = Settings(frame_bytes_max=1_000)
    async with running(settings=settings) as server, connected(server.address, "ann") as client:
        await client.send("x" * 100_000)
        refusal = await client.message()
        answer = await client.ask("users.online")

    assert refusal["id"] is None
    assert refusal["error"]["code"] == -32600
    assert "1000 bytes" in refusal["error"]["message"]
    assert [user["nickname"] for user in answer["result"]] == ["ann"]


async def test_a_binary_frame_gets_an_error_and_the_connection_goes_on() -> None:
    async with running() as server, connected(server.address, "ann") as client:
        client.protocol.send_binary(b"\x00\x01")
        await client.flush()
        refusal = await client.message()
        answer = await client.ask("users.online")

    assert refusal["error"]["code"] == -32700
    assert "result" in answer


async def test_a_frame_without_a_mask_ends_the_connection() -> None:
    async with running() as server, connected(server.address, "ann") as client:
        await client.stream.send(b"\x81\x02{}" + bytes(4))

        assert await client.close_code() == 1002


async def test_a_close_is_answered() -> None:
    async with running() as server, connected(server.address, "ann") as client:
        client.protocol.send_close(1000)
        await client.flush()

        assert await client.close_code() == 1000


@pytest.mark.parametrize(("code", "online"), [(1000, 0), (1001, 1)])
async def test_who_goes_for_good_is_offline_at_once(code: int, online: int) -> None:
    settings = Settings(presence_grace_seconds=1_000.0)
    async with running(settings=settings) as server, connected(server.address, "ann") as client:
        presence = server.hub.presence
        [ann] = presence.online()
        client.protocol.send_close(code)
        await client.flush()
        with anyio.fail_after(5):
            while presence.is_connected(ann):
                await anyio.lowlevel.checkpoint()

        assert len(presence.online()) == online


async def test_who_does_not_sign_in_is_told_not_to_come_back() -> None:
    settings = Settings(sign_in_seconds_max=0.05)
    async with running(settings=settings) as server, connected(server.address) as client:
        assert await client.close_code() == 3500


async def test_who_signed_in_stays() -> None:
    settings = Settings(sign_in_seconds_max=0.05)
    async with running(settings=settings) as server, connected(server.address, "ann") as client:
        async with connected(server.address) as other:
            assert await other.close_code() == 3500

        assert "result" in await client.ask("users.online")


async def test_one_connection_too_many_is_told_to_come_back() -> None:
    settings = Settings(connections_max=1)
    async with (
        running(settings=settings) as server,
        connected(server.address, "ann"),
        connected(server.address) as other,
    ):
        assert await other.close_code() == 3001


async def test_a_client_that_goes_without_a_word_is_offline_after_the_grace() -> None:
    settings = Settings(presence_grace_seconds=0.01)
    async with running(settings=settings) as server, connected(server.address, "bob") as bob:
        async with connected(server.address, "ann") as ann:
            assert len((await ann.ask("users.online"))["result"]) == 2

        with anyio.fail_after(5):
            while len((await bob.ask("users.online"))["result"]) > 1:
                await anyio.lowlevel.checkpoint()


async def test_a_client_that_answers_no_ping_is_let_go() -> None:
    async with running() as server, connected(server.address, "ann") as client:
        for socket in server.gateway.connections.values():
            socket.check_alive()
        for socket in list(server.gateway.connections.values()):
            socket.check_alive()
        with anyio.fail_after(5):
            try:
                while True:
                    await client.stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                gone = True

    assert gone


async def test_a_client_that_does_not_read_delays_nobody_and_misses_nothing() -> None:
    count, text = 1_500, "x" * 3_000
    async with running() as server, connected(server.address, "ann") as ann:
        room = (await ann.ask("chat.create_room", name="r"))["result"]
        async with connected(server.address, "slow") as slow:
            await slow.ask("chat.join", room_id=room["id"])
            head = (await slow.ask("session.follow", stream=room["stream"]))["result"]["head"]
            for _ in range(count // 50):
                # Before the next ones are sent these are answered: nobody reads meanwhile.
                for _ in range(50):
                    number = await ann.post("chat.send", room_id=room["id"], text=text)
                last = (await ann.answer(number))["result"]["seq"]
            assert count * len(text) > 10 * WRITE_BYTES_MAX
            sockets = list(server.gateway.connections.values())
            assert any(socket.paused for socket in sockets)

            seqs: list[int] = []
            while not seqs or seqs[-1] < last:
                message = await slow.message()
                seqs.append(message["params"]["seq"])

    assert seqs == list(range(head + 1, last + 1))


async def test_events_of_one_batch_come_as_one_array() -> None:
    async with running() as server, connected(server.address, "ann") as ann:
        room = (await ann.ask("chat.create_room", name="r"))["result"]
        await ann.ask("session.follow", stream=room["stream"], after=0)
        frame = await ann.frame()

    events = msgspec.json.decode(frame.data)
    assert [event["params"]["type"] for event in events] == ["created", "joined"]
    assert {event["method"] for event in events} == {"event"}


class Recorded(FrameSocket):
    """Keeps what it writes."""

    __slots__ = ("writes", "written")

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, "memory", [])
        self.writes: list[bytes] = []
        self.written = WakeUp()

    @property
    def unsent(self) -> int:
        return 0

    def write(self, data: bytes) -> None:
        self.writes.append(data)
        self.written.set()

    def signed_in(self) -> None:
        pass

    def read_on(self) -> None:
        pass

    async def ask(self, number: int, method: str, **params: object) -> None:
        """Send a request, and wait for its answer."""
        message = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        self.feed(masked(0x81, msgspec.json.encode(message)))
        answer = b'"id":%d' % number
        with anyio.fail_after(5):
            while not any(answer in data for data in self.writes):
                await self.written.wait()


async def test_events_and_the_answer_of_one_commit_are_one_write() -> None:
    async with clients("root") as (gateway, [root]):
        room = (await root.ask("chat.create_room", name="r"))["result"]
        sender, follower = Recorded(gateway), Recorded(gateway)
        for socket in (sender, follower):
            await socket.ask(1, "session.sign_in")
            await socket.ask(2, "chat.join", room_id=room["id"])
            await socket.ask(3, "session.follow", stream=room["stream"])
        sender.writes.clear()
        follower.writes.clear()
        await sender.ask(4, "chat.send", room_id=room["id"], text="Hello")

    [events] = follower.writes
    [written] = sender.writes
    assert written.startswith(events)
    assert b'"id":4' in written[len(events) :]


async def test_only_the_events_of_one_publication_wait_for_an_answer() -> None:
    async with clients() as (gateway, _):
        socket = Recorded(gateway)
        socket.connection.in_flight.count = 1
        socket.send_batch(b"first")
        socket.send_batch(b"second")
        socket.send_batch(b"third")
        before = list(socket.writes)
        gateway.flush()

    assert before == [b"firstsecond"]
    assert socket.writes == [b"firstsecond", b"third"]


async def test_a_sign_in_that_comes_late_does_not_keep_an_aborted_connection() -> None:
    ours, client = socketpair()
    ours.setblocking(False)
    lost = anyio.Event()
    async with clients() as (gateway, _), anyio.create_task_group() as tasks:
        with client:
            selector = Selector()
            aborted = TcpSocket(gateway, selector, ours, "127.0.0.1", [], lost.set)
            aborted.begin(b"", b"")
            aborted.abort()
            aborted.signed_in()
            tasks.start_soon(selector.deadlines.run)
            with anyio.fail_after(CLOSE_SECONDS_MAX + 2):
                await lost.wait()
            tasks.cancel_scope.cancel()


@pytest.mark.parametrize("kind", [AsyncioSocket, TcpSocket, StreamSocket])
def test_a_kind_of_socket_has_everything_that_the_base_leaves_to_it(
    kind: type[FrameSocket],
) -> None:
    source = inspect.getsource(FrameSocket)
    left = re.findall(r"def (\w+)\((?:(?!def ).)*?raise NotImplementedError", source, re.DOTALL)

    assert len(left) > 3
    assert [name for name in left if getattr(kind, name) is getattr(FrameSocket, name)] == []
