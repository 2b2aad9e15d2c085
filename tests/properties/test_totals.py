"""The total of a cart, against decimals computed by hand."""

from __future__ import annotations

from contextlib import suppress
from decimal import ROUND_HALF_UP, Decimal

from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import HubbubError
from hubbub.shop.carts import commands as cart_commands
from hubbub.shop.carts.tax import FlatTax, TaxTable
from tests.shop.shelf_kit import PRICES, Shelf, full_shelf, usd

CENT = Decimal("0.01")
RATES = {
    ("DE", None): Decimal("0.19"),
    ("DE", "book"): Decimal("0.07"),
    ("FR", None): Decimal("0.2"),
}
CATEGORIES = {"laptop": None, "mouse": None, "keyboard": "book", "monitor": "book"}

skus = st.sampled_from(list(PRICES))
counts = st.integers(1, 12)
operations = st.one_of(
    st.tuples(st.just("add"), skus, counts),
    st.tuples(st.just("remove"), skus, counts | st.none()),
    st.tuples(st.just("set"), skus, st.integers(0, 12)),
    st.tuples(st.just("coupon"), st.sampled_from(["TENTH", "FIXED", "LARGE", "NONE"]), st.none()),
    st.tuples(st.just("price"), skus, st.sampled_from(["0.01", "0.99", "333.33"])),
    st.tuples(st.just("country"), st.sampled_from(["DE", "FR", "US"]), st.none()),
    st.tuples(st.just("clear"), st.none(), st.none()),
)


class Plain:
    """The same cart, written down plainly."""

    def __init__(self) -> None:
        self.prices = {sku: Decimal(price) for sku, price in PRICES.items()}
        self.lines: dict[str, tuple[int, Decimal]] = {}
        self.coupon: str | None = None
        self.country: str | None = None

    def subtotal(self) -> Decimal:
        return sum((count * price for count, price in self.lines.values()), Decimal(0))

    def discount(self) -> Decimal:
        subtotal = self.subtotal()
        match self.coupon:
            case "TENTH":
                return rounded(subtotal / 10)
            case "FIXED":
                return min(Decimal(50), subtotal)
            case "LARGE" if subtotal >= 500:
                return Decimal(100)
        return Decimal(0)

    def set(self, sku: str, count: int) -> None:
        _, price = self.lines.get(sku, (0, self.prices[sku]))
        if count:
            self.lines[sku] = count, price
        else:
            self.lines.pop(sku, None)

    def count(self, sku: str) -> int:
        return self.lines.get(sku, (0, Decimal(0)))[0]


def rounded(exact: Decimal) -> Decimal:
    return exact.quantize(CENT, ROUND_HALF_UP)


def do(shelf: Shelf, plain: Plain, what: str, name: object, number: object) -> None:
    """Do the same to both; what the shop refuses is not written down."""
    sku = str(name)
    match what:
        case "add":
            shelf.add(sku, number)
            plain.set(sku, plain.count(sku) + int(str(number)))
        case "remove":
            shelf.on_cart(cart_commands.remove, sku, number)
            left = 0 if number is None else plain.count(sku) - int(str(number))
            plain.set(sku, max(0, left))
        case "set":
            shelf.on_cart(cart_commands.set_quantity, sku, number)
            plain.set(sku, int(str(number)))
        case "coupon":
            shelf.on_cart(cart_commands.apply_coupon, sku)
            plain.coupon = sku
        case "price":
            shelf.product(sku, usd(str(number)), category=CATEGORIES[sku])
            plain.prices[sku] = Decimal(str(number))
        case "country":
            shelf.on_cart(cart_commands.set_country, sku)
            plain.country = sku
        case _:
            shelf.on_cart(cart_commands.clear)
            plain.lines, plain.coupon = {}, None


def cart_after(shelf: Shelf, done: list[tuple[str, str | None, int | str | None]]) -> Plain:
    plain = Plain()
    for sku, price in PRICES.items():
        shelf.product(sku, usd(price), category=CATEGORIES[sku])
    shelf.coupon("TENTH", percent=10)
    shelf.coupon("FIXED", amount=usd("50"))
    shelf.coupon("LARGE", amount=usd("100"), minimum=usd("500"))
    for operation in done:
        with suppress(HubbubError):
            do(shelf, plain, *operation)
    return plain


@given(st.lists(operations, max_size=25), st.sampled_from(["0", "0.1", "0.075", "0.19"]))
def test_totals_are_those_of_exact_decimals(
    done: list[tuple[str, str | None, int | str | None]], rate: str
) -> None:
    shelf = full_shelf()
    shelf.terms_with(tax=FlatTax(rate))
    plain = cart_after(shelf, done)
    cart = shelf.cart()

    net = plain.subtotal() - plain.discount()
    tax = rounded(net * Decimal(rate))
    assert cart.subtotal.decimal == plain.subtotal()
    assert cart.discount.decimal == plain.discount()
    assert cart.tax.decimal == tax
    assert cart.total.decimal == net + tax
    assert sum((line.total.decimal for line in cart.lines), Decimal(0)) == plain.subtotal()


@given(st.lists(operations, max_size=25))
def test_a_table_taxes_each_line_at_its_own_rate(
    done: list[tuple[str, str | None, int | str | None]],
) -> None:
    shelf = full_shelf()
    shelf.terms_with(tax=TaxTable(RATES))
    plain = cart_after(shelf, done)
    cart = shelf.cart()

    def rate(sku: str) -> Decimal:
        country, category = plain.country or "", CATEGORIES[sku]
        return RATES.get((country, category), RATES.get((country, None), Decimal(0)))

    net, subtotal = plain.subtotal() - plain.discount(), plain.subtotal()
    kept = net / subtotal if subtotal else Decimal(0)
    exact = sum(
        (count * price * kept * rate(sku) for sku, (count, price) in plain.lines.items()),
        Decimal(0),
    )
    # The discount is shared in whole cents: each line may be one off, and the sum is rounded.
    assert abs(cart.tax.decimal - exact) <= CENT * (len(plain.lines) + 1)
    assert cart.total == cart.subtotal - cart.discount + cart.tax
    assert plain.discount() or cart.tax.decimal == rounded(exact)
