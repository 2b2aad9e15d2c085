"""
Run localstripe on a free port of this machine, and print the port.

It adds a few things that Stripe does and localstripe 1.15 does not: to list payment
intents by the time they were made, the newest first; to answer an idempotency key twice with
the same; to refund no more than was captured; to refuse to capture what was cancelled; and
to decline the card that is declined. It listens to this machine alone, and writes no file.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web
from localstripe import resources, server  # type: ignore[import-untyped]

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DECLINED_CARD = "4000000000000002"
UserError = server.UserError
answers: dict[str, tuple[bytes, int, bytes]] = {}


@web.middleware
async def repeat_answers(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a key for the second time as for the first."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return await handler(request)
    sent = request.path.encode() + await request.read()
    if key not in answers:
        response = await handler(request)
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        answers[key] = (sent, response.status, response.body)
    before, status, body = answers[key]
    if before != sent:
        error = {"type": "idempotency_error", "message": "The key was sent with other parameters."}
        return web.json_response({"error": error}, status=400)
    return web.Response(status=status, body=body, content_type="application/json")


@web.middleware
async def name_card_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Call a card's error one."""
    try:
        return await handler(request)
    except UserError as error:
        response = error.to_response()
        if error.code == 402:
            error.body["error"]["type"] = "card_error"
            response = web.json_response(error.body, status=402)
        assert isinstance(response, web.Response)
        return response


def list_intents(
    url: str, limit: str = "10", starting_after: str | None = None, created: Any = None
) -> Any:
    """List the intents made since a time, the newest first."""
    found = resources.List(url, limit=limit, starting_after=starting_after)
    since = int((created or {}).get("gte", 0))
    every = [value for key, value in resources.store.items() if key.startswith("payment_intent:")]
    found._list = [one for one in reversed(every) if one.created >= since]
    return found


def check_refund(payment_intent: str, amount: str) -> None:
    """Refuse to refund more than was captured."""
    intent = resources.PaymentIntent._api_retrieve(payment_intent)
    charge = intent.latest_charge
    if intent.status != "succeeded":
        raise UserError(400, f"{intent.id} does not have a successful charge to refund.")
    if charge.refunded:
        code = {"code": "charge_already_refunded"}
        raise UserError(400, f"Charge {charge.id} has already been refunded.", code)
    if charge.amount_refunded + int(amount) > charge.amount:
        raise UserError(400, "Refund amount is greater than the rest.", {"param": "amount"})


def teach() -> None:
    """Change localstripe; see above."""
    create_refund = resources.Refund._api_create
    capture = resources.PaymentIntent._api_capture
    is_declined = resources.PaymentMethod._charging_is_declined

    def refund_once(**data: Any) -> Any:
        check_refund(data["payment_intent"], data["amount"])
        return create_refund(**data)

    def capture_open(id: str, **data: Any) -> Any:  # noqa: A002  # localstripe's name
        if resources.PaymentIntent._api_retrieve(id).status != "requires_capture":
            code = {"code": "payment_intent_unexpected_state"}
            raise UserError(400, "It cannot be captured.", code)
        return capture(id, **data)

    def declined(method: Any) -> bool:
        number = getattr(method, "_card_number", None)
        return number == DECLINED_CARD or bool(is_declined(method))

    resources.Store.dump_to_disk = lambda store: None
    resources.PaymentIntent._api_list_all = list_intents
    resources.PaymentMethod._charging_is_declined = declined
    resources.Refund._api_create = refund_once
    replace_route("/v1/payment_intents/{id}/capture", server.api_extra(capture_open, ""))


def replace_route(path: str, handler: Handler) -> None:
    """Answer a path with something else; the router itself has no way to."""
    for route in server.app.router.routes():
        if route.method == "POST" and route.resource.canonical == path:
            route._handler = handler


def main() -> None:
    """Serve until terminated."""
    teach()
    server.app.middlewares.insert(0, repeat_answers)
    server.app.middlewares.append(name_card_errors)
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    web.run_app(server.app, sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
