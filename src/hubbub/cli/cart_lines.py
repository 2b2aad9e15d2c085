"""Products, carts and orders as lines of text. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.text import Text

from ..money import Money
from ..shop.carts.cart import Cart, Line
from ..shop.catalog.product import Product
from ..shop.orders.order import Order
from ..shop.payments.sandbox import Card
from .names import clean

__all__ = ["card_lines", "cart_lines", "order_line", "order_lines", "product_lines"]

# A cell that begins with it is aligned right.
_RIGHT = "\N{ZERO WIDTH SPACE}"
_Row = tuple[str, ...]


def product_lines(products: Iterable[Product]) -> Iterator[Text]:
    """Show products with their prices and stock."""
    rows = [(one.sku, one.name, _RIGHT + str(one.price), _stock(one.stock)) for one in products]
    return _table(rows)


def cart_lines(cart: Cart) -> Iterator[Text]:
    """Show a cart and its total."""
    if not cart.lines:
        yield Text("The cart is empty.", style="dim")
        return
    yield from _table([*_items(cart.lines), *_sums(cart)])
    for line in cart.lines:
        if line.new_price is not None:
            yield _warning(
                f"{line.name} now costs {line.new_price}. Type accept to take it at that price."
            )
        if line.stock is not None and line.stock < line.quantity:
            verb = "is" if line.stock == 1 else "are"
            yield _warning(f"Only {line.stock} of {line.name} {verb} left.")
    if cart.coupon_problem is not None:
        yield _warning(cart.coupon_problem)
    if cart.checkout is not None:
        yield _warning(f"The payment of order {cart.checkout} is under way.")


def order_line(number: int, order: Order) -> Text:
    """Show an order in a list of orders."""
    line = Text(f"[{number}] ", style="dim")
    whole = Text()
    whole.append(line).append(f"{order.at.astimezone():%Y-%m-%d %H:%M}  {order.total}  ")
    style = {"paid": "green", "declined": "red"}.get(order.status, "yellow")
    whole.append(order.status, style=style)
    if order.reason is not None:
        whole.append(f": {clean(order.reason)}", style="dim")
    return whole.append(f"  {clean(order.id)}", style="dim")


def order_lines(order: Order) -> Iterator[Text]:
    """Show an order."""
    yield from _table([*_items(order.lines), *_sums(order, ("Refunded", -order.refunded))])
    for change in order.history:
        yield Text(f"{change.at.astimezone():%Y-%m-%d %H:%M:%S}  {change.status}", style="dim")


def card_lines(cards: Iterable[Card]) -> Iterator[Text]:
    """Show test cards and what each does."""
    return _table([(_spaced(card.number), card.name, card.does) for card in cards])


def _items(lines: Iterable[Line]) -> Iterator[_Row]:
    for line in lines:
        price, total = str(line.price), str(line.total)
        yield f"{_RIGHT}{line.quantity} ×", line.name, _RIGHT + price, _RIGHT + total


def _sums(whole: Cart | Order, *more: tuple[str, Money]) -> Iterator[_Row]:
    sums = [("Subtotal", whole.subtotal)]
    if whole.coupon is not None:
        sums.append((f"Coupon {whole.coupon}", -whole.discount))
    tax = "Tax, included" if whole.tax_included else "Tax"
    sums.append((tax, whole.tax))
    if whole.rounding is not None:
        sums.append(("Rounding", whole.rounding))
    sums += [("Total", whole.total), *(one for one in more if one[1])]
    for what, amount in sums:
        yield "", what, "", _RIGHT + str(amount)


def _table(rows: Iterable[_Row]) -> Iterator[Text]:
    cells = [[clean(cell) for cell in row] for row in rows]
    widths = [
        max(len(cell.lstrip(_RIGHT)) for cell in column) for column in zip(*cells, strict=True)
    ]
    for row in cells:
        shown = (
            cell.lstrip(_RIGHT).rjust(width) if cell.startswith(_RIGHT) else cell.ljust(width)
            for cell, width in zip(row, widths, strict=True)
        )
        style = "bold" if "Total" in row else ""
        yield Text("  ".join(shown).rstrip(), style=style)


def _stock(stock: int | None) -> str:
    return "in stock" if stock is None else f"{stock:,} in stock" if stock else "sold out"


def _warning(text: str) -> Text:
    return Text(f"! {clean(text)}", style="yellow")


def _spaced(number: str) -> str:
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4))
