from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.money import Money
from hubbub.shop.carts.tax import Basis, FlatTax, Taxed, TaxTable

TABLE = TaxTable({("DE", None): "0.19", ("DE", "book"): "0.07", ("FR", "book"): "0.055"})


def basis(*lines: tuple[int, str | None], country: str | None = "DE") -> Basis:
    taxed = [Taxed(f"sku{n}", category, Money(a, "USD")) for n, (a, category) in enumerate(lines)]
    return Basis(taxed, Money(sum(amount for amount, _ in lines), "USD"), country)


def test_one_tenth_is_the_default() -> None:
    tax = FlatTax().tax(basis((113_996, None)))

    assert (tax.amount, tax.included) == (Money("114.00", "USD"), False)


def test_a_tax_in_the_prices_is_a_part_of_them() -> None:
    tax = FlatTax("0.19", included=True).tax(basis((119, None)))

    assert (tax.amount, tax.included) == (Money(19, "USD"), True)


@given(st.integers(0, 10**9), st.integers(0, 1000))
def test_a_flat_tax_is_rounded_once(amount: int, permille: int) -> None:
    rate = Decimal(permille) / 1000
    exact = Fraction(rate) * amount

    assert abs(FlatTax(rate).tax(basis((amount, None))).amount.amount - exact) <= Fraction(1, 2)


@given(st.integers(0, 10**9), st.integers(0, 1000))
def test_a_tax_in_the_prices_and_the_net_are_the_price(gross: int, permille: int) -> None:
    rate = Decimal(permille) / 1000
    tax = FlatTax(rate, included=True).tax(basis((gross, None))).amount
    net = Money(gross, "USD") - tax

    assert net + tax == Money(gross, "USD")
    assert abs(net.amount - gross / (1 + Fraction(rate))) <= Fraction(1, 2)
    assert abs(tax.amount - net.amount * Fraction(rate)) <= 1


@pytest.mark.parametrize(
    ("country", "category", "amount"),
    [
        ("DE", None, 19), ("DE", "book", 7), ("DE", "toy", 19), ("FR", "book", 6),
        ("FR", "toy", 0), ("US", "book", 0), (None, "book", 0),
    ],
)  # fmt: skip
def test_a_table_goes_by_country_and_category(
    country: str | None, category: str | None, amount: int
) -> None:
    assert TABLE.tax(basis((100, category), country=country)).amount == Money(amount, "USD")


def test_what_is_not_in_the_table_has_the_default() -> None:
    table = TaxTable({}, default="0.2", included=True)

    assert table.tax(basis((120, None), country=None)).amount == Money(20, "USD")


def test_a_table_rounds_the_sum_and_not_each_line() -> None:
    # 0.35 each: rounded line by line it would be nothing.
    tax = TABLE.tax(basis((5, "book"), (5, "book"), (5, "book")))

    assert tax.amount == Money(1, "USD")


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([None, "book", "toy"]))))
def test_a_table_comes_within_a_half_of_the_exact_tax(lines: list[tuple[int, str | None]]) -> None:
    rates = {None: Fraction(19, 100), "book": Fraction(7, 100), "toy": Fraction(19, 100)}
    exact = sum((rates[category] * amount for amount, category in lines), Fraction(0))

    assert abs(TABLE.tax(basis(*lines)).amount.amount - exact) <= Fraction(1, 2)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.sampled_from([None, "book", "toy"]))))
def test_a_table_takes_its_part_of_the_prices(lines: list[tuple[int, str | None]]) -> None:
    table = TaxTable({("DE", None): "0.19", ("DE", "book"): "0.07"}, included=True)
    parts = {None: Fraction(19, 119), "book": Fraction(7, 107), "toy": Fraction(19, 119)}
    exact = sum((parts[category] * amount for amount, category in lines), Fraction(0))

    assert abs(table.tax(basis(*lines)).amount.amount - exact) <= Fraction(1, 2)


def test_a_half_is_rounded_up() -> None:
    assert FlatTax("0.5").tax(basis((1, None))).amount == Money(1, "USD")
    assert TaxTable({}, default="0.5").tax(basis((1, None))).amount == Money(1, "USD")


def test_nothing_is_not_taxed() -> None:
    assert FlatTax().tax(basis()).amount == Money(0, "USD")
    assert TABLE.tax(basis()).amount == Money(0, "USD")


def test_a_tax_is_of_the_currency_of_what_is_taxed() -> None:
    yen = Basis([Taxed("pen", None, Money(105, "JPY"))], Money(105, "JPY"), None)

    assert FlatTax().tax(yen).amount == Money(11, "JPY")
    assert TaxTable({}, default="0.1").tax(yen).amount == Money(11, "JPY")


@pytest.mark.parametrize(
    "rate",
    [0.1, 0.0, 1.0, "1.000000001", "-0.000000001", "19", "x", "", None, "NaN", "Infinity", 2, True],
)
def test_a_rate_is_exact_and_from_nothing_to_all(rate: Any) -> None:
    for policy in (
        lambda: FlatTax(rate),
        lambda: TaxTable({("DE", None): rate}),
        lambda: TaxTable({}, default=rate),
    ):
        with pytest.raises(Invalid):
            policy()


def test_a_float_is_told_how_to_be_written() -> None:
    with pytest.raises(Invalid, match=r'"0\.19"'):
        FlatTax(0.19)  # type: ignore[arg-type]


@pytest.mark.parametrize("rate", ["0", "1", Decimal(1)])
def test_a_rate_may_be_nothing_or_all(rate: Any) -> None:
    assert FlatTax(rate).tax(basis((7, None))).amount == Money(7 * int(rate), "USD")


def test_countries_are_written_as_one_likes() -> None:
    assert TaxTable({("de", None): "0.19"}).tax(basis((100, None))).amount == Money(19, "USD")


@pytest.mark.parametrize("where", ["DE", ("DEU", None), ("DE", 5), ("DE",), (None, None), 5])
def test_a_rate_is_for_a_country_and_a_category(where: Any) -> None:
    with pytest.raises(Invalid):
        TaxTable({where: "0.19"})
