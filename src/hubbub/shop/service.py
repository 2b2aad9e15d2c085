"""Shop: the catalogue, carts, checkout and orders."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from ..errors import PaymentDeclined
from ..journal.actor import Actor
from ..journal.command import Command
from ..money import Money
from ..service import Service, command, query, slow_command, slow_query
from .carts.cart import Cart
from .carts.user_cart import UserCart
from .catalog.coupon import Coupon
from .catalog.product import Given, Product
from .catalog.products import Products
from .events import CouponSet
from .orders.order import Order
from .orders.user_orders import UserOrders
from .payments.payment import check_payment
from .runtime import Storefront

__all__ = ["Shop"]


class Shop(Service):
    """
    The catalogue, carts, checkout and orders.

    Args:
        actor: the user whose commands these are.
        runtime: the hub's terms, payment processor and prices.
    """

    name = "shop"

    __slots__ = ("_actor", "_cart", "_orders", "_processor", "_products")

    def __init__(self, actor: Actor, runtime: Storefront) -> None:
        super().__init__(actor, runtime)
        self._actor = actor
        self._processor = runtime.processor
        self._cart = UserCart(actor, runtime.terms, runtime.prices)
        self._orders = UserOrders(actor, runtime.terms)
        self._products = Products(actor)

    @query
    def cart(self) -> Command[Cart]:
        """Show your cart, and what it comes to."""
        return self._cart.show()

    @command
    def add_item(self, sku: str, quantity: int = 1, *, key: str | None = None) -> Command[Cart]:
        """
        Put so many more of a product into your cart.

        Args:
            sku: a product's SKU.
            quantity: 1 to 1,000; there may be up to 1,000 of each, and 100 products.
            key: makes it exactly-once.

        Raises:
            NotFound: there is no such product.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, or has another currency.
        """
        return self._cart.add(sku, quantity, key)

    @command
    def remove_item(
        self, sku: str, quantity: int | None = None, *, key: str | None = None
    ) -> Command[Cart]:
        """
        Take a product out of your cart.

        Args:
            sku: a product's SKU.
            quantity: how many, by default all.
            key: makes it exactly-once.

        Raises:
            NotFound: it is not in the cart.
        """
        return self._cart.remove(sku, quantity, key)

    @command
    def set_quantity(self, sku: str, quantity: int) -> Command[Cart]:
        """
        Have so many of a product in your cart.

        Args:
            sku: a product's SKU.
            quantity: 0 to 1,000; 0 takes it out.

        Raises:
            NotFound: there is no such product.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, or has another currency.
        """
        return self._cart.set_quantity(sku, quantity)

    @command
    def accept_prices(self) -> Command[Cart]:
        """Take what is in your cart at what it costs now."""
        return self._cart.accept_prices()

    @command
    def apply_coupon(self, code: str) -> Command[Cart]:
        """
        Use a coupon for your cart; a cart has one coupon.

        Args:
            code: upper and lower case are the same.

        Raises:
            NotFound: there is no such coupon.
            Conflict: it has expired, was used before, or is for more than is in the cart.
        """
        return self._cart.apply_coupon(code)

    @command
    def remove_coupon(self) -> Command[Cart]:
        """Use no coupon for your cart."""
        return self._cart.remove_coupon()

    @command
    def set_country(self, country: str | None) -> Command[Cart]:
        """
        Have your cart taxed for a country.

        Args:
            country: two letters of ISO 3166, like DE; None if it is not known.
        """
        return self._cart.set_country(country)

    @command
    def clear(self) -> Command[Cart]:
        """Empty your cart."""
        return self._cart.clear()

    @query
    def products(self, *, after: str | None = None, limit: int = 50) -> Command[list[Product]]:
        """
        List products by their SKUs.

        Args:
            after: the last SKU that you have.
            limit: 1 to 500.
        """
        return self._products.page(after, limit)

    @query
    def product(self, sku: str) -> Command[Product]:
        """
        Look a product up.

        Raises:
            NotFound: there is none.
        """
        return self._products.show(sku)

    @command
    def set_product(
        self,
        sku: str,
        name: str,
        price: Money,
        *,
        stock: int | UnsetType | None = UNSET,
        category: str | UnsetType | None = UNSET,
    ) -> Command[Product]:
        """
        Make a product, or change it: what you leave out stays as it is. For admins.

        Args:
            sku: 1 to 64 ASCII characters, without a space or a slash.
            name: up to 100 characters in one line.
            price: of one, up to 10,000,000,000 of the currency's smallest unit.
            stock: how many can be sold from now on, besides those that are put aside for
                orders that are being paid; None if there are always enough. By default
                (:data:`hubbub.KEEP`) the stock stays as it is; that of a new product is None.
                To bring some in while others are sold, use `adjust_stock`.
            category: what taxes go by; None for none. By default it stays as it is.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        return self._products.set(sku, Given(name, price, stock, category))

    @command
    def adjust_stock(self, sku: str, by: int, *, key: str) -> Command[Product]:
        """
        Have more of a product to sell, or fewer, whatever is sold meanwhile. For admins.

        Args:
            sku: a product's SKU.
            by: how many more, or, below 0, how many fewer.
            key: makes it exactly-once.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such product.
            Invalid: it is no whole number, or 0.
            Conflict: fewer are left than that, or the product's stock is not counted.
        """
        return self._products.adjust_stock(sku, by, key)

    @command
    def set_coupon(
        self,
        code: str,
        *,
        percent: int | None = None,
        amount: Money | None = None,
        minimum: Money | None = None,
        once: bool = True,
        expires_at: datetime | None = None,
    ) -> Command[Coupon]:
        """
        Make a coupon, or change it. For admins.

        Args:
            code: 1 to 50 letters, digits, - or _.
            percent: how much it takes off, 1 to 100; or
            amount: how much it takes off.
            minimum: the least subtotal with which it may be used.
            once: True if each user may use it for one order only.
            expires_at: until when it may be used; a time with a time zone.

        Raises:
            NotAllowed: you are no admin.
            Invalid: an argument is outside its limits.
        """
        given = CouponSet(percent, amount, minimum, once, expires_at)
        return self._products.set_coupon(code, given)

    @slow_command
    async def checkout(self, *, payment: str, key: str) -> Order:
        """
        Buy what is in your cart.

        The order is placed, and its stock put aside, at once; then it is paid, whether the
        session waits for that or not. A key that was used before gives the same order again.

        Args:
            payment: what pays, as the payment provider names it: a token of its, or one of
                the sandbox's test cards.
            key: makes it exactly-once.

        Returns:
            The order, paid; or pending, if the provider does not answer for 30 seconds: then
            the hub goes on with it.

        Raises:
            Conflict: the cart is empty, a price has changed, the coupon is not good, or
                another checkout is under way.
            OutOfStock: there are fewer left.
            PaymentDeclined: nothing was charged, and the cart is as it was.
            RateLimited: you have begun `checkout_limit` checkouts in `checkout_period`.
            Overloaded: too many orders are being paid.
        """
        check_payment(payment, self._actor.settings.text_chars_max)
        await self._cart.look_up()
        order = await self._processor.place(self._orders.place(payment, key), payment)
        if order.status == "declined":
            raise PaymentDeclined(order.reason or "The payment was declined.")
        return order

    @query
    def order(self, order_id: str) -> Command[Order]:
        """
        Look an order of one's own up; an admin may look at all.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
        """
        return self._orders.show(order_id)

    @query
    def orders(self) -> Command[list[Order]]:
        """List one's own orders, the newest 500, the first of them first."""
        return self._orders.own()

    @query
    def open_orders(self) -> Command[list[Order]]:
        """
        List orders that wait for the payment provider, up to 50, the oldest first. For admins.

        Their payment or a refund is pending, or they were ended by hand and the provider has
        not said what became of their payment.

        Raises:
            NotAllowed: you are no admin.
        """
        return self._orders.open()

    @slow_command
    async def refund(self, order_id: str, *, key: str, amount: Money | None = None) -> Order:
        """
        Give back what was paid for an order. For admins.

        Args:
            order_id: an order's id.
            key: makes it exactly-once.
            amount: how much; by default all that is left.

        Returns:
            The order; the refund may still be pending, if the provider does not answer.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such order.
            Conflict: it was not paid, or less is left than that.
        """
        return await self._processor.place(self._orders.refund(order_id, amount, key), None)

    @slow_command
    async def cancel_order(self, order_id: str, *, key: str) -> Order:
        """
        Cancel a pending order, whose payment the payment provider does not decide.

        The order is declined and its stock put back at once, and the buyer can check out
        again. What the provider has taken for it, or still takes, is voided or refunded.

        Args:
            order_id: an order's id: any for an admin; for the buyer, once `reserved_until`
                has passed.
            key: makes it exactly-once.

        Returns:
            The order, ``declined``; its `reconciliation` is ``pending`` until the provider
            has answered.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
            Conflict: it is not pending, or you have to wait for `reserved_until`.
        """
        return await self._processor.begin(self._orders.cancel(order_id, key))

    @slow_command
    async def settle_order(
        self, order_id: str, *, key: str, payment_id: str | None = None
    ) -> Order:
        """
        Mark a pending order as paid, when the payment provider does not say so. For admins.

        What else the provider has taken for this order, or still takes, is voided or
        refunded, so that the buyer pays once.

        Args:
            order_id: an order's id.
            key: makes it exactly-once.
            payment_id: the payment, as you have seen it at the provider; None if it was paid
                in another way, like cash: then `refund` cannot give it back.

        Returns:
            The order, ``paid``; its `reconciliation` is ``pending`` until the provider has
            answered.

        Raises:
            NotAllowed: you are no admin.
            NotFound: there is no such order.
            Invalid: that can be no payment's id.
            Conflict: the order is not pending.
        """
        return await self._processor.begin(self._orders.settle(order_id, payment_id, key))

    @slow_query
    async def invoice(self, order_id: str, *, locale: str = "en_US") -> str:
        """
        Write an invoice, as a page of HTML without scripts or links.

        Args:
            order_id: an order that was paid, of one's own; an admin may see all.
            locale: how money and times are written, like ``de_DE``.

        Raises:
            NotFound: there is no such order.
            NotAllowed: it is somebody else's.
            Conflict: it was not paid.
            Invalid: there is no such locale.
        """
        return await self._processor.write_invoice(await self.order(order_id), locale)
