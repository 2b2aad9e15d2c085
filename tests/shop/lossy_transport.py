"""The way to a Stripe-like server, on which something may be lost."""

from __future__ import annotations

import httpx2

from tests.shop.stripe_kit import SECRET_KEY

__all__ = ["LossyTransport", "card_token"]


class LossyTransport(httpx2.AsyncBaseTransport):
    """
    Carries requests, and records them.

    A request that is lost never gets there; when an answer is lost, it was carried out.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.loses: str | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(f"{request.method} {request.url.path}")
        loses, self.loses = self.loses, None
        if loses == "request":
            raise httpx2.ConnectError("no route", request=request)
        async with httpx2.AsyncHTTPTransport() as transport:
            answer = await transport.handle_async_request(request)
            content = await answer.aread()
        if loses == "answer":
            raise httpx2.ReadError("gone", request=request)
        return httpx2.Response(answer.status_code, content=content, request=request)


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
