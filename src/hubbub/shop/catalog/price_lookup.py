"""
Prices from a source of the application, such as a service over a network.

A look-up has a deadline and is retried after a failure. Few run at the same time, fewer for one
user, and one for each product, whichever user needs it. Results are cached for a short time.
"""

from __future__ import annotations

import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterable
from typing import Protocol

import anyio

from ...clock import Clock
from ...errors import HubbubError, Invalid, Overloaded, PriceUnavailable
from ...extras import needs
from ...journal.decide.states import States
from ...money import Money
from ...settings import Settings
from ...text import check_name
from ..carts.totals import offered
from .product import PRICE_MAX, Offer, product_stream

__all__ = ["LOOKUPS_WAITING_MAX", "PriceSource", "Prices"]

logger = logging.getLogger("hubbub.shop")

ATTEMPTS = 3
# The first pause before a failed price source is retried, in seconds.
RETRY_SECONDS_MIN = 0.05
# The longest such pause, in seconds.
RETRY_SECONDS_MAX = 1.0
# Products whose price is cached.
OFFERS_MAX = 100_000
# Look-ups that one user can wait for: a full cart's, and a few more.
LOOKUPS_WAITING_MAX = 1_000


class PriceSource(Protocol):
    """The products that the application sells, and their prices."""

    async def look_up(self, sku: str) -> Offer:
        """
        Return what a product sells for now.

        If the catalogue has the same SKU, it counts the stock; the smaller of the two stocks
        applies.

        Raises:
            NotFound: the product is not for sale. Any other error is a failure, and is retried.
        """


class _LookUp:
    """A look-up that waits or runs, and its waiting calls."""

    def __init__(self, sku: str) -> None:
        self.sku = sku
        self.begun = False
        self.done = anyio.Event()
        self.error: Exception | None = None


class Prices:
    """
    The cached prices of a price source.

    Args:
        source: the application's price source.
        settings: the limits.
        start: runs a task in the hub.
    """

    def __init__(self, source: PriceSource, settings: Settings, start: Callable[..., None]) -> None:
        self._source = source
        self._clock: Clock = settings.clock
        self._fresh_seconds = settings.price_fresh_seconds
        self._seconds_max = settings.price_seconds_max
        self._name_chars_max = settings.name_chars_max
        self._at_once_max = settings.price_lookups_max
        self._at_once_per_user_max = settings.price_lookups_per_user_max
        self._start = start
        self._offers: OrderedDict[str, tuple[Offer, float]] = OrderedDict()
        self._under_way: dict[str, _LookUp] = {}
        # A user -> the look-ups they wait for; users take turns.
        self._waiting: OrderedDict[str, deque[_LookUp]] = OrderedDict()
        # A user -> the number of look-ups that run in their turn.
        self._running: Counter[str] = Counter()

    def offer(self, states: States, sku: str) -> Offer | None:
        """Return the latest offer of a product; its stock may be the catalogue's."""
        here = offered(states, sku)
        told = self._offers.get(sku)
        if told is None:
            return None
        offer = told[0]
        if here is None or here.stock is None:
            return offer
        stock = here.stock if offer.stock is None else min(offer.stock, here.stock)
        return Offer(offer.name, offer.price, offer.category, stock)

    async def look_up(self, skus: Iterable[str], user: str = "") -> None:
        """
        Look up the current prices of products.

        Args:
            skus: the SKUs of the products.
            user: the user who needs them; users take turns, so nobody waits behind all of
                another's.

        Raises:
            NotFound: one of the products is not for sale.
            PriceUnavailable: the price source does not answer.
            Overloaded: too many look-ups of this user are waiting.
        """
        look_ups = [self._look_up(sku, user) for sku in dict.fromkeys(skus)]
        for look_up in look_ups:
            if look_up is not None:
                await look_up.done.wait()
                if look_up.error is not None:
                    raise look_up.error

    def _look_up(self, sku: str, user: str) -> _LookUp | None:
        product_stream(sku)
        told = self._offers.get(sku)
        if told is not None and self._clock.monotonic() - told[1] < self._fresh_seconds:
            return None
        look_up = self._under_way.get(sku)
        if look_up is None or not look_up.begun:
            waiting = self._waiting.get(user, deque())
            if len(waiting) >= LOOKUPS_WAITING_MAX:
                raise Overloaded("You are waiting for too many prices; try again in a few seconds.")
            look_up = self._under_way.setdefault(sku, _LookUp(sku))
            waiting.append(look_up)
            self._waiting[user] = waiting
            self._begin()
        return look_up

    def _begin(self) -> None:
        """Start waiting look-ups, in turns, as far as the limits permit."""
        while self._running.total() < self._at_once_max:
            most = self._at_once_per_user_max
            user = next((one for one in self._waiting if self._running[one] < most), None)
            if user is None:
                return
            look_up = self._waiting[user].popleft()
            self._waiting.move_to_end(user)
            if not self._waiting[user]:
                del self._waiting[user]
            # It may have started in the turn of another user who waits for it.
            if not look_up.begun:
                look_up.begun = True
                self._running[user] += 1
                # All waiting calls may be cancelled by then, but others may need the price.
                self._start(self._ask, look_up, user)

    async def _ask(self, look_up: _LookUp, user: str) -> None:
        sku = look_up.sku
        try:
            self._remember(sku, await self._ask_again_and_again(sku))
        except HubbubError as error:
            look_up.error = error
        except Exception as error:  # the application's own code can raise anything
            logger.warning("the price of %s cannot be looked up", sku, exc_info=True)
            look_up.error = PriceUnavailable(
                f"The price of {sku!r} is not available; try again in a few seconds."
            )
            look_up.error.__cause__ = error
        finally:
            del self._under_way[sku]
            look_up.done.set()
            self._running -= Counter([user])
            self._begin()

    async def _ask_again_and_again(self, sku: str) -> Offer:
        with needs("shop", "A price source"):
            import stamina  # noqa: PLC0415  # an extra

        async for attempt in stamina.retry_context(
            on=_is_failure,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=RETRY_SECONDS_MIN,
            wait_max=RETRY_SECONDS_MAX,
        ):
            with attempt:
                with anyio.fail_after(self._seconds_max):
                    offer = await self._source.look_up(sku)
                return self._checked(offer, sku)
        raise AssertionError("the last attempt returns or raises")

    def _checked(self, offer: object, sku: str) -> Offer:
        """Return the offer if it is valid; the application's code may have a bug."""
        if not isinstance(offer, Offer) or not isinstance(offer.price, Money):
            raise TypeError(f"the price source returned {offer!r} for {sku!r}, not an Offer")
        stock, category = offer.stock, offer.category
        good = stock is None or (type(stock) is int and stock >= 0)
        if not good or not 0 <= offer.price.amount <= PRICE_MAX:
            raise ValueError(f"the price source returned {offer!r} for {sku!r}: it cannot be sold")
        try:
            name = check_name(offer.name, self._name_chars_max)
            if category is not None:
                category = check_name(category, self._name_chars_max, "category")
        except Invalid as error:
            raise ValueError(
                f"the price source returned an invalid {sku!r}: {error.message}"
            ) from error
        return Offer(name, offer.price, category, stock)

    def _remember(self, sku: str, offer: Offer) -> None:
        self._offers[sku] = (offer, self._clock.monotonic())
        self._offers.move_to_end(sku)
        if len(self._offers) > OFFERS_MAX:
            self._offers.popitem(last=False)


def _is_failure(error: Exception) -> bool:
    return not isinstance(error, HubbubError)
