"""
A bank in a process of its own, with books that outlive every node, and how nodes pay with it.

A request is a line of JSON, and so is its answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

import anyio
import msgspec
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from hubbub import Money, Payment
from hubbub.shop.payments.payment import PaymentStatus

__all__ = ["Bank", "RemoteBank", "open_bank"]

ANSWER_SECONDS_MAX = 0.5
# The share of answers that are lost.
LOST = 0.05
# What a payment can be when a method releases its money.
RELEASED = {"cancel": ("authorized",), "close": ("none", "authorized")}
LINE_BYTES_MAX = 10_000


class Request(msgspec.Struct):
    """The request of a node."""

    method: str
    key: str
    amount: int


class Bank:
    """
    The bank's books.

    Args:
        random: draws how long an answer takes, and whether it is lost.
    """

    def __init__(self, random: Random) -> None:
        self.statuses = dict[str, PaymentStatus]()
        # An order -> how much was taken for it in all; and how often.
        self.taken = Counter[str]()
        self.captures = Counter[str]()
        self._random = random

    async def serve(self, client: SocketStream) -> None:
        """Answer a node."""
        async with client:
            lines = BufferedByteReceiveStream(client)
            try:
                line = await lines.receive_until(b"\n", LINE_BYTES_MAX)
                request = msgspec.json.decode(line, type=Request)
                await anyio.sleep(self._random.uniform(0, ANSWER_SECONDS_MAX))
                status = self._do(request)
                await anyio.sleep(self._random.uniform(0, ANSWER_SECONDS_MAX))
                if self._random.random() >= LOST:
                    await client.send(msgspec.json.encode(status) + b"\n")
            except (anyio.BrokenResourceError, anyio.IncompleteRead, anyio.EndOfStream):
                return

    def _do(self, request: Request) -> PaymentStatus:
        key, status = request.key, self.statuses.get(request.key, "none")
        if request.method == "authorize" and status == "none":
            status = "authorized"
        elif request.method == "capture" and status == "authorized":
            status = "captured"
            self.taken[key] += request.amount
            self.captures[key] += 1
        elif status in RELEASED.get(request.method, ()):
            status = "cancelled"
        if status != "none":
            self.statuses[key] = status
        return status


class RemoteBank:
    """
    The payment provider of nodes.

    Args:
        port: the bank's.
    """

    def __init__(self, port: int) -> None:
        self._port = port

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        return await self._ask("authorize", key, amount)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        return await self._ask("capture", key, amount)

    async def cancel(self, key: str, payment_id: str) -> Payment:
        return await self._ask("cancel", key, None)

    async def close(self, key: str, amount: Money) -> Payment:
        return await self._ask("close", key, amount)

    async def look_up(self, key: str, amount: Money) -> Payment:
        return await self._ask("look_up", key, amount)

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        raise NotImplementedError

    async def _ask(self, method: str, key: str, amount: Money | None) -> Payment:
        request = Request(method, key, 0 if amount is None else amount.amount)
        async with await anyio.connect_tcp("127.0.0.1", self._port) as server:
            await server.send(msgspec.json.encode(request) + b"\n")
            line = await BufferedByteReceiveStream(server).receive_until(b"\n", LINE_BYTES_MAX)
        return Payment(f"bank_{key}", msgspec.json.decode(line, type=PaymentStatus))


@asynccontextmanager
async def open_bank(port: int, random: Random) -> AsyncIterator[Bank]:
    """Run a bank on a port of this machine."""
    bank = Bank(random)
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, bank.serve)
        yield bank
        tasks.cancel_scope.cancel()
