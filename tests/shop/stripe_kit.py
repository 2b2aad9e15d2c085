"""Pay a server that speaks as Stripe does, and others that do not."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import httpx2
import pytest

from hubbub.clock import SystemClock
from hubbub.ids import Ids
from hubbub.money import Money
from hubbub.shop.payments.payment import Payment
from hubbub.shop.payments.stripe import Stripe

SECRET_KEY = "sk_test_hubbub"
GOOD_CARD = "4242424242424242"
DECLINED_CARD = "4000000000000002"
# Its holder is asked who he is.
ASKING_CARD = "4000002500003155"

# Orders are looked for since they were placed, so an order's id has to be of now.
new_id = Ids(SystemClock(), Random()).new


@contextmanager
def localstripe() -> Iterator[str]:
    """Run localstripe in a process of its own; gives its URL."""
    if find_spec("localstripe") is None:
        pytest.skip("localstripe, which plays Stripe, is not installed")
    script = Path(__file__).with_name("localstripe_server.py")
    command = [sys.executable, "-W", "ignore", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def answering(*answers: bytes | None) -> Iterator[str]:
    """Answer each request with the next of these, the last again and again; gives the URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    taken: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            answer = answers[min(len(taken), len(answers) - 1)]
            taken.append(connection)
            if answer is not None:
                connection.recv(65536)
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        # Closing it alone does not wake who waits for a connection.
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        listener.close()
        for connection in taken:
            connection.close()


def http(status: int, body: str) -> bytes:
    """Make an answer."""
    head = f"HTTP/1.1 {status} X\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


class Customer:
    """Somebody who pays for one order."""

    def __init__(self, url: str, amount: Money | None = None) -> None:
        self.url = url
        self.stripe = Stripe(SECRET_KEY, url=url)
        self.order = new_id()
        self.amount = amount or Money("19.99", "USD")

    async def ask(
        self, method: str, path: str, form: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Ask the server behind the provider's back."""
        headers = {"Authorization": f"Bearer {SECRET_KEY}"}
        async with httpx2.AsyncClient(base_url=self.url, headers=headers) as client:
            response = await client.request(method, path, data=form)
            assert response.is_success
            return response

    async def method(self, card: str = GOOD_CARD) -> str:
        """Make a payment method, as Stripe's form does it."""
        form = {
            "type": "card",
            "card[number]": card,
            "card[exp_month]": "12",
            "card[exp_year]": "2035",
            "card[cvc]": "123",
        }
        made = await self.ask("POST", "/v1/payment_methods", form)
        return str(made.json()["id"])

    async def authorize(self, card: str = GOOD_CARD) -> Payment:
        return await self.stripe.authorize(self.order, self.amount, await self.method(card))

    async def pay(self) -> Payment:
        """Authorize and capture."""
        return await self.capture((await self.authorize()).id)

    async def capture(self, payment_id: str) -> Payment:
        return await self.stripe.capture(self.order, payment_id, self.amount)

    async def cancel(self, payment_id: str) -> Payment:
        return await self.stripe.cancel(self.order, payment_id)

    async def close(self) -> Payment:
        return await self.stripe.close(self.order, self.amount)

    async def look_up(self) -> Payment:
        # As after a restart: nothing is known but the order.
        return await Stripe(SECRET_KEY, url=self.url).look_up(self.order, self.amount)

    async def moved(self, payment_id: str) -> list[int]:
        """Return the money that was moved for a payment: charged or refunded."""
        charge = (await self.intent(payment_id))["latest_charge"]
        refunds = await self.ask("GET", f"/v1/refunds?payment_intent={payment_id}")
        ids = {charge["id"], *(refund["id"] for refund in refunds.json()["data"])}
        moves = await self.ask("GET", "/v1/balance_transactions?limit=1000")
        return sorted(move["amount"] for move in moves.json()["data"] if move["source"] in ids)

    async def intent(self, payment_id: str) -> dict[str, Any]:
        found = await self.ask("GET", f"/v1/payment_intents/{payment_id}")
        return dict(found.json())
