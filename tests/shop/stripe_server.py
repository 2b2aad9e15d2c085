"""A Stripe-like server in a process of its own, and what it lacks of Stripe."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2

__all__ = ["SECRET_KEY", "StripeTransport", "card_token", "stripe_server"]

SECRET_KEY = "sk_test_12345"
SECONDS_MAX = 15.0


@contextmanager
def stripe_server() -> Iterator[str]:
    """Run localstripe; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [sys.executable, "-m", "localstripe", "--from-scratch", "--port", str(port)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(SECONDS_MAX)


def _wait_for(process: subprocess.Popen[bytes], address: str) -> None:
    until = time.perf_counter() + SECONDS_MAX
    while True:
        assert process.poll() is None, "localstripe has ended"
        with suppress(httpx2.HTTPError):
            httpx2.get(f"{address}/js.stripe.com/v3/")
            return
        assert time.perf_counter() < until, "localstripe does not answer"
        time.sleep(0.05)


class StripeTransport(httpx2.AsyncBaseTransport):
    """
    The way to the server, which knows neither idempotency keys nor how to list since a time.

    A repeated key gets the first answer again, as Stripe gives it.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        # What is lost on its way: nothing, the next request, or its answer.
        self.loses: str | None = None
        self._answers: dict[str, tuple[int, bytes]] = {}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        loses, self.loses = self.loses, None
        if loses == "request":
            raise httpx2.ConnectError("no route", request=request)
        key = request.headers.get("idempotency-key")
        if key is None or key not in self._answers:
            status, content = await self._forward(request)
            if key is not None:
                self._answers[key] = status, content
        if loses == "answer":
            raise httpx2.ReadError("gone", request=request)
        if key is not None:
            status, content = self._answers[key]
        return httpx2.Response(status, content=content, request=request)

    async def _forward(self, request: httpx2.Request) -> tuple[int, bytes]:
        # It answers 400 to what it does not know.
        url = re.sub(r"&?created%5Bgte%5D=\d+", "", str(request.url))
        async with httpx2.AsyncClient() as client:
            headers = {
                name: value
                for name, value in request.headers.items()
                if name in ("authorization", "content-type")
            }
            answer = await client.request(
                request.method, url, content=await request.aread(), headers=headers
            )
        return answer.status_code, answer.content


def card_token(address: str, number: str) -> str:
    """Make a payment method of a test card."""
    form = {
        "type": "card",
        "card[number]": number,
        "card[exp_month]": "12",
        "card[exp_year]": "2040",
        "card[cvc]": "123",
    }
    url, auth = f"{address}/v1/payment_methods", (SECRET_KEY, "")
    answer = httpx2.post(url, data=form, auth=auth)
    token: str = answer.json()["id"]
    return token
