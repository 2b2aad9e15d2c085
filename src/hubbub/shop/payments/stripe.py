"""
Payments with Stripe, over its REST interface: payment intents that are captured manually.

Each request that changes something has a key of its own, so Stripe executes it once, however
often it is sent. The status of a payment comes from the list of intents, which is immediately
consistent; Stripe's search is not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from ...errors import Invalid, PaymentDeclined
from ...extras import needs
from ...ids import is_id, time_of
from ...money import AMOUNT_MAX, Money, decimals_of
from ...shown import shown
from .payment import Payment, PaymentStatus

with needs("stripe", "hubbub.shop.stripe"):
    import httpcore2  # noqa: F401  # else httpx2 does it in the event loop, and reads files
    import httpx2

__all__ = ["Stripe", "StripeError", "units_of"]

VERSION = "2024-06-20"
# How long one request to Stripe can take, in seconds.
SECONDS_MAX = 30.0
PAGE = 100
# How far Stripe's clock can be behind ours.
CLOCK_SKEW = timedelta(hours=1)

# Currencies whose smallest unit differs from that of ISO 4217: https://docs.stripe.com/currencies.
# Stripe has two decimals, which must be 0.
_AS_CENTS = {"ISK", "UGX"}
# Stripe has no decimals, although ISO 4217 has two.
_AS_WHOLE = {"MGA"}
# Codes of refused requests that blame the payment and not the request.
_PAYMENT_PARAMS = ("payment_method", "amount", "currency")
# A refund that is refused for this reason can succeed later.
_PASSING = {"balance_insufficient"}
_SECRET_KEY = re.compile(r"(?:sk|rk)_\w{1,250}", re.ASCII)
# For a wrong key, Stripe's own message repeats a part of it.
_KEY_SHOWN = re.compile(r"\b(?:sk|rk)_\S+")
_PAYMENT_METHOD = re.compile(r"(?:pm|card|src)_\w{1,250}", re.ASCII)
_INTENT_ID = re.compile(r"pi_\w{1,250}", re.ASCII)
_STATUSES: Mapping[str, PaymentStatus] = {
    "requires_capture": "authorized",
    "succeeded": "captured",
    "canceled": "cancelled",
    "processing": "pending",
    "requires_action": "pending",
    "requires_confirmation": "pending",
    "requires_payment_method": "none",
}
# The order of precedence of several intents for one order, which only an expired key can cause.
_RANKS: list[PaymentStatus] = ["captured", "authorized", "pending", "declined", "cancelled", "none"]

Form = Mapping[str, str]


class StripeError(Exception):
    """A request to Stripe failed, and its result is unknown."""


class _KeyTaken(StripeError):
    """Another request was first with the same key."""


class _Problem(msgspec.Struct):
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None
    payment_intent: Any = None


class _Failure(msgspec.Struct):
    error: _Problem


class _Error(msgspec.Struct):
    message: str | None = None


class _Intent(msgspec.Struct):
    id: str
    status: str
    metadata: dict[str, str] = {}
    last_payment_error: _Error | None = None


class _Refund(msgspec.Struct):
    id: str
    status: str = "succeeded"
    metadata: dict[str, str] = {}


class _Intents(msgspec.Struct):
    data: list[_Intent]
    has_more: bool = False


class _Refunds(msgspec.Struct):
    data: list[_Refund]
    has_more: bool = False


class _Refused(Exception):
    """Stripe has refused a request."""

    def __init__(self, status: int, problem: _Problem) -> None:
        super().__init__(_words(problem))
        self.status = status
        self.problem = problem


class Stripe:
    """
    The provider; see :class:`hubbub.PaymentProvider`. Needs the extra ``stripe``.

    Args:
        secret_key: your secret key of Stripe; it appears in no message and no log.
        url: the address of Stripe's interface.
        transport: a transport for the requests, instead of httpx2's own.

    Raises:
        Invalid: it is not a secret key.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        url: str = "https://api.stripe.com",
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        if _SECRET_KEY.fullmatch(secret_key) is None:
            # The message does not repeat it: most of a mistyped secret is still a secret.
            raise Invalid(
                "secret_key must be a secret key of Stripe, which begins with sk_ or rk_."
            )
        self._headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": VERSION}
        self._url = url
        self._transport = transport
        # Loading the certificates blocks, and plain HTTP does not need them.
        own = transport is None and url.startswith("https:")
        self._tls = httpx2.create_ssl_context() if own else False

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """Reserve money: an intent that is confirmed at once, and captured later."""
        if _PAYMENT_METHOD.fullmatch(payment) is None:
            raise Invalid("Stripe needs a payment method, like pm_…; create one with its form.")
        # Stripe forgets a key after a day, but not the intent.
        found = await self.look_up(key, amount)
        if found.status not in ("none", "declined", "cancelled"):
            return found
        form = {**_intent_form(key, amount), "payment_method": payment, "confirm": "true"}
        try:
            made = await self._post("payment_intents", form, f"{key}/authorize", _Intent)
        except _Refused as refused:
            return _declined(refused)
        return _payment(made)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Charge the reserved money."""
        return await self._act(payment_id, "capture")

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Release the reserved money."""
        return await self._act(payment_id, "cancel")

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Return the status of a payment, from the list of intents."""
        return _foremost([_payment(one) for one in await self._intents(key)])

    async def close(self, key: str, amount: Money) -> Payment:
        """
        Cancel the intents of an order; if there is none, make one to cancel.

        The new intent takes the key of the request in :meth:`authorize`, which Stripe then refuses.
        """
        intents = await self._intents(key)
        if not intents:
            try:
                form = _intent_form(key, amount)
                intents = [await self._post("payment_intents", form, f"{key}/authorize", _Intent)]
            except _KeyTaken:
                # The request was first. Stripe gives the key the same answer from now on, so
                # without an intent by now there will be none.
                intents = await self._intents(key)
            except (Invalid, _Refused):
                # The request in authorize is refused for the same reason.
                return Payment("", "none")
        return _foremost([await self._end(intent) for intent in intents])

    def payable(self, amount: Money) -> Money:
        """
        Round to what Stripe can charge, half up: to tens in currencies with three decimals.

        Stripe counts in the smallest unit of ISO 4217, with exceptions: of three decimals the last
        must be 0 (5.124 KWD is 5.120 KWD or 5.130 KWD), MGA has no decimals, and ISK and UGX have
        two that must be 0. HUF and TWD are special only in payouts.
        See https://docs.stripe.com/currencies#minor-units.
        """
        step = _step(amount.currency)
        steps = (2 * amount.amount + step) // (2 * step)
        return Money(min(max(steps, 1), AMOUNT_MAX // step) * step, amount.currency)

    async def _end(self, intent: _Intent) -> Payment:
        if intent.status in ("succeeded", "canceled"):
            return _payment(intent)
        return await self._act(intent.id, "cancel")

    async def _intents(self, key: str) -> list[_Intent]:
        query = {"limit": str(PAGE)}
        if is_id(key):
            query["created[gte]"] = str(int((time_of(key) - CLOCK_SKEW).timestamp()))
        found: list[_Intent] = []
        more = True
        while more:
            page = await self._get("payment_intents", query, _Intents)
            found += [one for one in page.data if one.metadata.get("order") == key]
            more = page.has_more and bool(page.data)
            if more:
                query["starting_after"] = page.data[-1].id
        return found

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """Refund a captured payment, or a part of it."""
        if _INTENT_ID.fullmatch(payment_id) is None:
            raise PaymentDeclined("This order was not paid with Stripe; refund it there.")
        try:
            refund = await self._given(key, payment_id) or await self._give(key, payment_id, amount)
        except Invalid as error:
            raise PaymentDeclined(error.message) from error
        except _Refused as refused:
            if refused.problem.code in _PASSING:
                raise StripeError(f"Stripe cannot refund now: {refused}") from refused
            raise PaymentDeclined(str(refused)) from refused
        if refund.status in ("failed", "canceled"):
            raise PaymentDeclined("The card's bank did not accept the refund.")
        return refund.id

    async def _given(self, key: str, payment_id: str) -> _Refund | None:
        query, more = {"payment_intent": payment_id, "limit": str(PAGE)}, True
        while more:
            page = await self._get("refunds", query, _Refunds)
            for one in page.data:
                if one.metadata.get("refund") == key:
                    refund: _Refund = one
                    return refund
            more = page.has_more and bool(page.data)
            if more:
                query["starting_after"] = page.data[-1].id
        return None

    async def _give(self, key: str, payment_id: str, amount: Money) -> _Refund:
        form = {
            "payment_intent": payment_id,
            "amount": str(units_of(amount)),
            "metadata[refund]": key,
        }
        refund: _Refund = await self._post("refunds", form, key, _Refund)
        return refund

    async def _act(self, payment_id: str, what: str) -> Payment:
        """
        Capture or cancel an intent.

        The request has no key. An intent is captured or cancelled once in any case; but with a
        key Stripe would repeat a failure for a day, even if a retry could succeed.
        """
        if _INTENT_ID.fullmatch(payment_id) is None:
            raise Invalid(f"{shown(payment_id)} is not a payment of Stripe's.")
        path = f"payment_intents/{payment_id}"
        try:
            return _payment(await self._post(f"{path}/{what}", {}, None, _Intent))
        except _Refused:
            # It was done before, or can no longer be done: the intent itself shows which.
            return _payment(await self._get(path, {}, _Intent))

    async def _get(self, path: str, query: Form, kind: type[Any]) -> Any:
        try:
            return await self._ask("GET", path, query, {}, kind)
        except _Refused as refused:
            raise StripeError(f"Stripe answered {refused.status}: {refused}") from refused

    async def _post(self, path: str, form: Form, key: str | None, kind: type[Any]) -> Any:
        headers = {} if key is None else {"Idempotency-Key": key}
        return await self._ask("POST", path, form, headers, kind)

    async def _ask(
        self, method: str, path: str, fields: Form, headers: Mapping[str, str], kind: type[Any]
    ) -> Any:
        where = {"params": fields} if method == "GET" else {"data": fields}
        try:
            async with httpx2.AsyncClient(
                transport=self._transport,
                verify=self._tls,
                timeout=SECONDS_MAX,
                headers=self._headers,
            ) as client:
                url = f"{self._url}/v1/{path}"
                answer = await client.request(method, url, headers=headers, **where)  # type: ignore[arg-type]
        except httpx2.HTTPError as error:
            raise StripeError(f"Stripe cannot be reached: {type(error).__name__}.") from error
        if answer.is_success:
            try:
                return msgspec.json.decode(answer.content, type=kind)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise StripeError(f"Stripe sent an invalid response to {method} {path}.") from error
        raise _failure(answer.status_code, answer.content)


def units_of(amount: Money) -> int:
    """
    Return an amount in Stripe's smallest unit of its currency.

    Raises:
        Invalid: Stripe cannot charge this fraction of the currency.
    """
    if amount.currency in _AS_CENTS:
        return amount.amount * 100
    if amount.currency in _AS_WHOLE:
        if amount.amount % 100:
            raise Invalid(f"Stripe charges {amount.currency} without decimals, not {amount}.")
        return amount.amount // 100
    if decimals_of(amount.currency) == 3 and amount.amount % 10:
        raise Invalid(f"Stripe charges {amount.currency} with two decimals, not {amount}.")
    if decimals_of(amount.currency) > 3:
        raise Invalid(f"Stripe does not support {amount.currency}; use another currency.")
    return amount.amount


def _step(currency: str) -> int:
    """Return the smallest amount that Stripe can charge, in the currency's smallest unit."""
    if currency in _AS_WHOLE:
        return 100
    return 10 if decimals_of(currency) == 3 else 1


def _intent_form(key: str, amount: Money) -> dict[str, str]:
    return {
        "amount": str(units_of(amount)),
        "currency": amount.currency.lower(),
        "payment_method_types[]": "card",
        "capture_method": "manual",
        "metadata[order]": key,
    }


def _foremost(found: list[Payment]) -> Payment:
    ranked = [Payment("", "none"), *found]
    return min(ranked, key=lambda payment: _RANKS.index(payment.status))


def _payment(intent: _Intent) -> Payment:
    status = _STATUSES.get(intent.status, "pending")
    error = intent.last_payment_error
    if status == "none" and error is not None:
        return Payment(intent.id, "declined", error.message)
    return Payment(intent.id, status)


def _declined(refused: _Refused) -> Payment:
    problem = refused.problem
    if refused.status == 402:
        intent = problem.payment_intent
        payment_id = str(intent["id"]) if isinstance(intent, dict) and "id" in intent else ""
        return Payment(payment_id, "declined", problem.message)
    if refused.status == 404 or (problem.param or "").startswith(_PAYMENT_PARAMS):
        raise Invalid(f"Stripe does not accept this payment: {refused}") from refused
    # This is not about the payment: an earlier request may have reserved the money.
    raise StripeError(f"Stripe answered {refused.status}: {refused}") from refused


def _words(problem: _Problem) -> str:
    words = problem.message or problem.code or problem.type or "it gives no reason"
    return _KEY_SHOWN.sub("its key", words)


def _failure(status: int, content: bytes) -> Exception:
    try:
        problem = msgspec.json.decode(content, type=_Failure).error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return StripeError(f"Stripe answered {status}.")
    # A wrong request is an error of the caller; anything else may succeed the next time.
    if status in (400, 402, 404) and problem.type != "idempotency_error":
        return _Refused(status, problem)
    taken = status == 400 and problem.type == "idempotency_error"
    kind = _KeyTaken if taken else StripeError
    return kind(f"Stripe answered {status}: {_words(problem)}")
