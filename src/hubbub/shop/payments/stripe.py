"""
Payments by Stripe, over its REST interface: payment intents that are captured by hand.

Each request that changes something has a key of its own, so Stripe does it once, however
often it is sent. What became of a payment is read from the list of intents, which is
consistent at once; Stripe's search is not.
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
from ...money import Money, decimals_of
from ...shown import shown
from .payment import Payment, PaymentStatus

with needs("stripe", "hubbub.shop.stripe"):
    import httpcore2  # noqa: F401  # else httpx2 does it in the event loop, and reads files
    import httpx2

__all__ = ["Stripe", "StripeError", "units_of"]

VERSION = "2024-06-20"
# How long one request to Stripe may take, in seconds.
SECONDS_MAX = 30.0
PAGE = 100
# How far Stripe's clock may be behind ours.
CLOCK_SKEW = timedelta(hours=1)

# Where Stripe's smallest unit is not that of ISO 4217: two decimals, of which it uses none.
_AS_CENTS = {"ISK", "UGX"}
# And two of ISO 4217's that Stripe does not have: https://docs.stripe.com/currencies.
_AS_WHOLE = {"MGA"}
# Of a refused request, what is wrong with the payment itself and not with the asking.
_PAYMENT_PARAMS = ("payment_method", "amount", "currency")
# A refund that is refused for this can be given later.
_PASSING = {"balance_insufficient"}
_SECRET_KEY = re.compile(r"(?:sk|rk)_\w{1,250}", re.ASCII)
# About a wrong key Stripe's own words repeat a part of it.
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
# Of several intents for one order, which only an expired key can bring about, which counts.
_RANKS: list[PaymentStatus] = ["captured", "authorized", "pending", "declined", "cancelled", "none"]

Form = Mapping[str, str]


class StripeError(Exception):
    """Stripe did not do what it was asked for, and it is not known what became of it."""


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
    """Stripe says no."""

    def __init__(self, status: int, problem: _Problem) -> None:
        super().__init__(_words(problem))
        self.status = status
        self.problem = problem


class Stripe:
    """
    The provider; see :class:`hubbub.PaymentProvider`. Needs the extra ``stripe``.

    Args:
        secret_key: Stripe's, for the server; it is in no message and no log.
        url: where Stripe is.
        transport: what carries the requests, if not httpx2's own.

    Raises:
        Invalid: it is no secret key.
    """

    def __init__(
        self,
        secret_key: str,
        *,
        url: str = "https://api.stripe.com",
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        if _SECRET_KEY.fullmatch(secret_key) is None:
            # It is not repeated: most of a mistyped secret is still a secret.
            raise Invalid("Stripe's secret key begins with sk_ or rk_; this is something else.")
        self._headers = {"Authorization": f"Bearer {secret_key}", "Stripe-Version": VERSION}
        self._url = url
        self._transport = transport
        # Reading the authorities blocks, and plain HTTP has no use for them.
        own = transport is None and url.startswith("https:")
        self._tls = httpx2.create_ssl_context() if own else False

    async def authorize(self, key: str, amount: Money, payment: str) -> Payment:
        """Put the money aside: an intent that is confirmed at once, and captured later."""
        if _PAYMENT_METHOD.fullmatch(payment) is None:
            raise Invalid("Stripe is paid with a payment method, pm_…; make one with its form.")
        # Stripe forgets a key after a day; the intent it does not forget.
        found = await self.look_up(key, amount)
        if found.status not in ("none", "declined", "cancelled"):
            return found
        form = {
            "amount": str(units_of(amount)),
            "currency": amount.currency.lower(),
            "payment_method": payment,
            "payment_method_types[]": "card",
            "capture_method": "manual",
            "confirm": "true",
            "metadata[order]": key,
        }
        try:
            made = await self._post("payment_intents", form, f"{key}/authorize", _Intent)
        except _Refused as refused:
            return _declined(refused)
        return _payment(made)

    async def capture(self, key: str, payment_id: str, amount: Money) -> Payment:
        """Take the money that was put aside."""
        return await self._act(payment_id, "capture")

    async def cancel(self, key: str, payment_id: str) -> Payment:
        """Let the money go."""
        return await self._act(payment_id, "cancel")

    async def look_up(self, key: str, amount: Money) -> Payment:
        """Tell what became of a payment, from the list of intents."""
        query = {"limit": str(PAGE)}
        if is_id(key):
            query["created[gte]"] = str(int((time_of(key) - CLOCK_SKEW).timestamp()))
        found, more = [Payment("", "none")], True
        while more:
            page = await self._get("payment_intents", query, _Intents)
            found += [_payment(one) for one in page.data if one.metadata.get("order") == key]
            more = page.has_more and bool(page.data)
            if more:
                query["starting_after"] = page.data[-1].id
        return min(found, key=lambda payment: _RANKS.index(payment.status))

    async def refund(self, key: str, payment_id: str, amount: Money) -> str:
        """Give back what was captured, or a part of it."""
        if _INTENT_ID.fullmatch(payment_id) is None:
            raise PaymentDeclined("It was not paid with Stripe.")
        try:
            refund = await self._given(key, payment_id) or await self._give(key, payment_id, amount)
        except Invalid as error:
            raise PaymentDeclined(error.message) from error
        except _Refused as refused:
            if refused.problem.code in _PASSING:
                raise StripeError(f"Stripe cannot refund now: {refused}") from refused
            raise PaymentDeclined(str(refused)) from refused
        if refund.status in ("failed", "canceled"):
            raise PaymentDeclined("The card's bank did not take the money back.")
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

        It goes without a key. An intent is captured or cancelled once in any case; but with
        a key Stripe would repeat a failure for a day, though it would do better by then.
        """
        if _INTENT_ID.fullmatch(payment_id) is None:
            raise Invalid(f"{shown(payment_id)} is no payment of Stripe's.")
        path = f"payment_intents/{payment_id}"
        try:
            return _payment(await self._post(f"{path}/{what}", {}, None, _Intent))
        except _Refused:
            # It was done before, or cannot be done any more: the intent itself says which.
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
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise StripeError(f"Stripe's answer to {method} {path} is not one.") from error
        raise _failure(answer.status_code, answer.content)


def units_of(amount: Money) -> int:
    """
    Return an amount in what Stripe calls the smallest unit of its currency.

    Raises:
        Invalid: Stripe cannot take so small a part of the currency.
    """
    if amount.currency in _AS_CENTS:
        return amount.amount * 100
    if amount.currency in _AS_WHOLE:
        if amount.amount % 100:
            raise Invalid(f"Stripe takes {amount.currency} without decimals, not {amount}.")
        return amount.amount // 100
    if decimals_of(amount.currency) == 3 and amount.amount % 10:
        raise Invalid(f"Stripe takes {amount.currency} with two decimals, not {amount}.")
    if decimals_of(amount.currency) > 3:
        raise Invalid(f"Stripe takes no {amount.currency}.")
    return amount.amount


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
        raise Invalid(f"Stripe does not take this payment: {refused}") from refused
    # It says nothing about the payment: an earlier request may have put the money aside.
    raise StripeError(f"Stripe answered {refused.status}: {refused}") from refused


def _words(problem: _Problem) -> str:
    words = problem.message or problem.code or problem.type or "it does not say why"
    return _KEY_SHOWN.sub("its key", words)


def _failure(status: int, content: bytes) -> Exception:
    try:
        problem = msgspec.json.decode(content, type=_Failure).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return StripeError(f"Stripe answered {status}.")
    # The caller is told of a wrong request; all else may be otherwise the next time.
    if status in (400, 402, 404) and problem.type != "idempotency_error":
        return _Refused(status, problem)
    return StripeError(f"Stripe answered {status}: {_words(problem)}")
