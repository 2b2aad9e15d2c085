"""Shop: the catalogue, carts, checkout and orders."""

from __future__ import annotations

from ..errors import PaymentDeclined
from ..journal.actor import Actor
from ..journal.command import Command
from ..money import Money
from ..service import command, query, slow_command, slow_query
from .carts.cart import Cart
from .carts.user_cart import UserCart
from .catalog.service import CatalogService
from .orders.order import Order
from .orders.user_orders import UserOrders
from .payments.payment import check_payment
from .runtime import Storefront

__all__ = ["Shop"]


class Shop(CatalogService):
    """
    The catalogue, carts, checkout and orders.

    Args:
        actor: the user of the session.
        runtime: the hub's terms, payment processor and prices.
    """

    __slots__ = ("_cart", "_orders", "_processor")

    def __init__(self, actor: Actor, runtime: Storefront) -> None:
        super().__init__(actor, runtime)
        self._processor = runtime.processor
        self._cart = UserCart(actor, runtime.terms, runtime.prices)
        self._orders = UserOrders(actor, runtime.terms)

    @query
    def cart(self) -> Command[Cart]:
        """
        Return your cart, with its totals.

        Raises:
            PriceUnavailable: the application's price source does not answer.
        """
        return self._cart.show()

    @command
    def add_item(self, sku: str, quantity: int = 1, *, key: str | None = None) -> Command[Cart]:
        """
        Add pieces of a product to your cart.

        Args:
            sku: a product's SKU.
            quantity: 1 to 1,000; a cart can have 1,000 of each, and 100 products.
            key: an idempotency key.

        Raises:
            NotFound: the product does not exist.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, too expensive, or has another currency.
            PriceUnavailable: the application's price source does not answer.
            KeyReused: you used the key for another command.
        """
        return self._cart.add(sku, quantity, key)

    @command
    def remove_item(
        self, sku: str, quantity: int | None = None, *, key: str | None = None
    ) -> Command[Cart]:
        """
        Remove pieces of a product from your cart.

        Args:
            sku: a product's SKU.
            quantity: how many, by default all.
            key: an idempotency key.

        Raises:
            NotFound: the product is not in the cart.
            Invalid: the SKU or the quantity is outside its limits.
            KeyReused: you used the key for another command.
        """
        return self._cart.remove(sku, quantity, key)

    @command
    def set_quantity(self, sku: str, quantity: int) -> Command[Cart]:
        """
        Set the quantity of a product in your cart.

        Args:
            sku: a product's SKU.
            quantity: 0 to 1,000; 0 removes the product.

        Raises:
            NotFound: the product does not exist.
            Invalid: the quantity is outside its limits.
            Conflict: the cart is full, too expensive, or has another currency.
            PriceUnavailable: the application's price source does not answer.
        """
        return self._cart.set_quantity(sku, quantity)

    @command
    def accept_prices(self) -> Command[Cart]:
        """
        Accept the current prices of the products in your cart.

        Raises:
            NotFound: one of the products is no longer for sale.
            Conflict: the cart is too expensive.
            PriceUnavailable: the application's price source does not answer.
        """
        return self._cart.accept_prices()

    @command
    def apply_coupon(self, code: str) -> Command[Cart]:
        """
        Apply a coupon to your cart; a cart has at most one coupon.

        Args:
            code: the coupon's code; case makes no difference.

        Raises:
            NotFound: the coupon does not exist.
            Conflict: the coupon has expired, was used before, or has a condition that the cart does
                not meet.
            Invalid: the text cannot be the code of a coupon.
        """
        return self._cart.apply_coupon(code)

    @command
    def remove_coupon(self) -> Command[Cart]:
        """Remove the coupon from your cart."""
        return self._cart.remove_coupon()

    @command
    def set_country(self, country: str | None) -> Command[Cart]:
        """
        Set the country whose tax applies to your cart.

        Args:
            country: two letters of ISO 3166, like DE; None if it is unknown.

        Raises:
            Invalid: it is not two letters.
        """
        return self._cart.set_country(country)

    @command
    def clear(self) -> Command[Cart]:
        """Empty your cart."""
        return self._cart.clear()

    @slow_command
    async def checkout(self, *, payment: str, key: str) -> Order:
        """
        Buy the contents of your cart.

        The order is placed, and its stock reserved, at once; then it is paid, whether you wait
        for that or not. A key that you used before returns the same order again.

        Args:
            payment: the payment method, as the payment provider names it: a token, or one of the
                sandbox's test cards.
            key: an idempotency key.

        Returns:
            The order, paid; or pending, if the provider does not answer within 30 seconds: then
            the hub continues in the background.

        Raises:
            Conflict: the cart is empty, a price has changed, the coupon is not valid, or
                another checkout is under way.
            OutOfStock: fewer pieces are left.
            NotFound: one of the products is no longer for sale.
            PaymentDeclined: nothing was charged, and the cart is unchanged.
            PriceUnavailable: the application's price source does not answer.
            RateLimited: you have begun ``checkout_limit`` checkouts in ``checkout_period``.
            Overloaded: too many orders are being paid; retry in a few seconds.
            Invalid: the payment method or the key is outside its limits.
            KeyReused: you used the key for another command.
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
        Return one of your orders; an admin can see all.

        Raises:
            NotFound: the order does not exist.
            NotAllowed: it is another user's order.
            Invalid: the value cannot be the id of an order.
        """
        return self._orders.show(order_id)

    @query
    def orders(self) -> Command[list[Order]]:
        """List your orders: the newest 500, in the order in which you placed them."""
        return self._orders.own()

    @query
    def open_orders(self) -> Command[list[Order]]:
        """
        List the orders that wait for the payment provider: the oldest 50. For admins.

        Their payment or a refund is pending, or they were ended by hand and the provider has not
        given the status of their payment.

        Raises:
            NotAllowed: you are not an admin.
        """
        return self._orders.open()

    @slow_command
    async def refund(self, order_id: str, *, key: str, amount: Money | None = None) -> Order:
        """
        Refund an order. For admins.

        Args:
            order_id: an order's id.
            key: an idempotency key.
            amount: the amount; by default everything that is left.

        Returns:
            The order; the refund is still pending if the provider does not answer.

        Raises:
            NotAllowed: you are not an admin.
            NotFound: the order does not exist.
            Invalid: the amount has another currency, or is not above 0.
            Conflict: the order was not paid, or less is left than the amount.
            KeyReused: you used the key for another command.
        """
        return await self._processor.place(self._orders.refund(order_id, amount, key), None)

    @slow_command
    async def cancel_order(self, order_id: str, *, key: str) -> Order:
        """
        Cancel a pending order whose payment provider does not answer.

        The order is declined and its stock released at once, and the buyer can check out again.
        Hubbub voids or refunds any charge of the provider for it.

        Args:
            order_id: an order's id: any for an admin; for the buyer, once `reserved_until`
                has passed.
            key: an idempotency key.

        Returns:
            The order, ``declined``; its `reconciliation` is ``pending`` until the provider
            has answered.

        Raises:
            NotFound: the order does not exist.
            NotAllowed: it is another user's order.
            Conflict: the order is not pending, or ``reserved_until`` has not passed.
            Invalid: the value cannot be the id of an order.
            KeyReused: you used the key for another command.
        """
        return await self._processor.begin(self._orders.cancel(order_id, key))

    @slow_command
    async def settle_order(
        self, order_id: str, *, key: str, payment_id: str | None = None
    ) -> Order:
        """
        Mark a pending order as paid, if the payment provider does not answer. For admins.

        Hubbub voids or refunds any other charge of the provider for this order, so that the
        buyer pays once.

        Args:
            order_id: an order's id.
            key: an idempotency key.
            payment_id: the payment, as you have seen it at the provider; None if the order was paid
                in another way, like cash: then you cannot `refund` it.

        Returns:
            The order, ``paid``; its `reconciliation` is ``pending`` until the provider has
            answered.

        Raises:
            NotAllowed: you are not an admin.
            NotFound: the order does not exist.
            Invalid: the value cannot be the id of a payment.
            Conflict: the order is not pending.
            KeyReused: you used the key for another command.
        """
        return await self._processor.begin(self._orders.settle(order_id, payment_id, key))

    @slow_query
    async def invoice(self, order_id: str, *, locale: str = "en_US") -> str:
        """
        Write an invoice, as a page of HTML without scripts or links.

        Args:
            order_id: the id of a paid order of yours; an admin can see all.
            locale: the format of money and dates, like ``de_DE``.

        Raises:
            NotFound: the order does not exist.
            NotAllowed: it is another user's order.
            Conflict: the order was not paid.
            Invalid: the locale does not exist.
        """
        return await self._processor.write_invoice(await self.order(order_id), locale)
