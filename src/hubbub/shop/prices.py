"""
Prices that come from somewhere else, like a service of the application's over a network.

A look-up has a deadline and is repeated after a failure; few run at one time, and one for
each product, whoever asks. What was told is remembered for a moment.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Protocol

import anyio

from ..clock import Clock
from ..errors import HubbubError, PriceUnavailable
from ..journal.states import States
from ..money import Money
from ..settings import Settings
from .pricing import offered
from .product import Offer, product_stream

__all__ = ["PriceSource", "Prices"]

ATTEMPTS = 3
RETRY_SECONDS_MIN = 0.05
RETRY_SECONDS_MAX = 1.0
# How many products are remembered.
OFFERS_MAX = 100_000


class PriceSource(Protocol):
    """What the application sells, and for how much."""

    async def look_up(self, sku: str) -> Offer:
        """
        Tell what a product is sold for now.

        What the catalogue has of the same SKU is counted there: of two stocks the smaller
        one counts.

        Raises:
            NotFound: it is not sold. Any other error is a failure, and it is asked again.
        """


class _LookUp:
    """A look-up that is under way, and all who wait for it."""

    def __init__(self) -> None:
        self.done = anyio.Event()
        self.error: Exception | None = None


class Prices:
    """
    What the shop knows of a price source.

    Args:
        source: the application's.
        settings: limits.
        start: runs something in the hub's task group.
    """

    def __init__(self, source: PriceSource, settings: Settings, start: Callable[..., None]) -> None:
        self._source = source
        self._clock: Clock = settings.clock
        self._fresh_seconds = settings.price_fresh_seconds
        self._seconds_max = settings.price_seconds_max
        self._limiter = anyio.CapacityLimiter(settings.price_lookups_max)
        self._start = start
        self._offers: OrderedDict[str, tuple[Offer, float]] = OrderedDict()
        self._under_way: dict[str, _LookUp] = {}

    def offer(self, states: States, sku: str) -> Offer | None:
        """Return what was last told of a product; its stock may be the catalogue's."""
        here = offered(states, sku)
        told = self._offers.get(sku)
        if told is None:
            return None
        offer = told[0]
        if here is None or here.stock is None:
            return offer
        stock = here.stock if offer.stock is None else min(offer.stock, here.stock)
        return Offer(offer.name, offer.price, offer.category, stock)

    async def look_up(self, skus: Iterable[str]) -> None:
        """
        Have fresh prices of products.

        Raises:
            NotFound: one of them is not sold.
            PriceUnavailable: the source does not answer.
        """
        look_ups = [self._look_up(sku) for sku in dict.fromkeys(skus)]
        for look_up in look_ups:
            if look_up is not None:
                await look_up.done.wait()
                if look_up.error is not None:
                    raise look_up.error

    def _look_up(self, sku: str) -> _LookUp | None:
        product_stream(sku)
        told = self._offers.get(sku)
        if told is not None and self._clock.monotonic() - told[1] < self._fresh_seconds:
            return None
        if sku not in self._under_way:
            self._under_way[sku] = _LookUp()
            # Who asked first may be cancelled; the others still want to know.
            self._start(self._ask, sku)
        return self._under_way[sku]

    async def _ask(self, sku: str) -> None:
        look_up = self._under_way[sku]
        try:
            async with self._limiter:
                self._remember(sku, await self._ask_again_and_again(sku))
        except HubbubError as error:
            look_up.error = error
        except Exception as error:  # what the application's own code raises
            look_up.error = PriceUnavailable(
                f"The price of {sku!r} cannot be told just now; try again in a moment."
            )
            look_up.error.__cause__ = error
        finally:
            del self._under_way[sku]
            look_up.done.set()

    async def _ask_again_and_again(self, sku: str) -> Offer:
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
                if not isinstance(offer, Offer) or not isinstance(offer.price, Money):
                    raise TypeError(f"the price source told {offer!r} of {sku!r}, not an Offer")
                return offer
        raise AssertionError("the last attempt returns or raises")

    def _remember(self, sku: str, offer: Offer) -> None:
        self._offers[sku] = (offer, self._clock.monotonic())
        self._offers.move_to_end(sku)
        if len(self._offers) > OFFERS_MAX:
            self._offers.popitem(last=False)


def _is_failure(error: Exception) -> bool:
    return not isinstance(error, HubbubError)
