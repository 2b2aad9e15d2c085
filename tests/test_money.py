from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

import iso4217
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubbub.errors import Invalid
from hubbub.money import AMOUNT_MAX, LOCALE_CHARS_MAX, Money, decimals_of, round_half_up, total

amounts = st.integers(-(10**12), 10**12)
currencies = st.sampled_from(["USD", "JPY", "KWD", "CLF"])
monies = st.builds(Money, amounts, st.just("USD"))
shared_out = st.lists(st.integers(0, 1000), min_size=1, max_size=8).filter(any)

# ISO 4217, list one: all others have two, and what nobody pays with has none at all.
DECIMALS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
UNCOUNTED = "XAG XAU XBA XBB XBC XBD XDR XPD XPT XSU XTS XUA XXX"
FEW_DIGITS = Context(prec=3)


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [
        ("19.99", "USD", 1999),
        ("1253.96", "USD", 125396),
        ("-0.5", "USD", -50),
        ("+7", "USD", 700),
        ("19.990", "USD", 1999),
        ("500", "JPY", 500),
        ("1.234", "KWD", 1234),
        ("0.0001", "CLF", 1),
        (Decimal("0.1") + Decimal("0.2"), "USD", 30),
        (Decimal("1E+3"), "USD", 100_000),
        (1999, "USD", 1999),
    ],
)
def test_an_amount_is_read_exactly(amount: Any, currency: str, units: int) -> None:
    assert Money(amount, currency).amount == units


@pytest.mark.parametrize(
    "amount",
    [
        0.1 + 0.2, 19.99, 20.0, True, None, "", ".", "1.", "1,5", "19.999", "1e5", "nan", "٣",
        " 1", Decimal("NaN"), Decimal("Infinity"), Decimal("0.001"), b"1", AMOUNT_MAX + 1,
        -AMOUNT_MAX - 1, str(AMOUNT_MAX), "90071992547409.92", "-90071992547409.92",
        Decimal("sNaN"), Decimal("1E+9999999999999"), Decimal("1E-9999999999999"), "½", "--1",
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused(amount: Any) -> None:
    with pytest.raises(Invalid):
        Money(amount, "USD")


def test_a_float_is_told_how_to_be_written() -> None:
    with pytest.raises(Invalid, match=r'Money\("19.99", "USD"\)'):
        Money(19.99, "USD")  # type: ignore[arg-type]


def test_the_largest_amount_is_read() -> None:
    assert Money("90071992547409.91", "USD").amount == AMOUNT_MAX
    assert Money("-90071992547409.91", "USD").amount == -AMOUNT_MAX


@pytest.mark.parametrize(
    "reckon",
    [lambda most: most + Money(1, "USD"), lambda most: -most - Money(1, "USD"), lambda m: m * 2],
)
def test_what_grows_too_large_is_refused(reckon: Any) -> None:
    with pytest.raises(Invalid):
        reckon(Money(AMOUNT_MAX, "USD"))


@pytest.mark.parametrize("amount", [AMOUNT_MAX, -AMOUNT_MAX])
def test_the_largest_amount_is_what_json_holds(amount: int) -> None:
    money = Money(amount, "JPY")

    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


@pytest.mark.parametrize("currency", ["usd", "US", "XXX", "XAU", "ZZZ", "", None, 840, ["USD"]])
def test_what_is_no_currency_is_refused(currency: Any) -> None:
    with pytest.raises(Invalid):
        Money(1, currency)


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("JPY", 0), ("KWD", 3), ("CLF", 4)])
def test_a_currency_has_its_decimals(currency: str, decimals: int) -> None:
    assert decimals_of(currency) == decimals


@pytest.mark.parametrize("currency", [one.code for one in iso4217.Currency])
def test_each_currency_has_the_decimals_of_the_standard(currency: str) -> None:
    if currency in UNCOUNTED.split():
        with pytest.raises(Invalid):
            decimals_of(currency)
    else:
        listed = [number for number, codes in DECIMALS.items() if currency in codes.split()]

        assert [decimals_of(currency)] == (listed or [2])


def test_it_prints_with_its_currency() -> None:
    assert str(Money(125396, "USD")) == "1253.96 USD"


def test_a_currency_without_decimals_prints_without_a_point() -> None:
    assert str(Money(500, "JPY")) == "500 JPY"


@given(amounts, currencies)
def test_what_it_prints_is_read_back(amount: int, currency: str) -> None:
    money = Money(amount, currency)
    text, _, code = str(money).partition(" ")

    assert Money(text, code) == money
    assert Money(money.decimal, code) == money


@given(amounts, currencies)
def test_json_gives_back_what_it_was_given(amount: int, currency: str) -> None:
    money = Money(amount, currency)

    assert msgspec.json.decode(msgspec.json.encode(money), type=Money) == money


def test_it_is_exact_where_decimals_have_few_digits() -> None:
    money = Money(125396, "USD")
    with localcontext(FEW_DIGITS):
        shown = str(money), money.format(), money.decimal.as_tuple().digits
        read = Money("1253.96", "USD"), Money(Decimal("1253.96"), "USD")

    assert shown == ("1253.96 USD", "$1,253.96", (1, 2, 5, 3, 9, 6))
    assert read == (money, money)


@given(monies, monies, st.integers(-1000, 1000))
def test_it_reckons_as_decimals_do(one: Money, other: Money, times: int) -> None:
    assert (one + other).decimal == one.decimal + other.decimal
    assert (one - other).decimal == one.decimal - other.decimal
    assert (-one).decimal == -one.decimal
    assert (one * times).decimal == (times * one).decimal == one.decimal * times


@given(monies, monies)
def test_it_has_the_order_of_its_amounts(one: Money, other: Money) -> None:
    assert (one < other, one <= other) == (one.amount < other.amount, one.amount <= other.amount)
    assert (one > other, one >= other) == (one.amount > other.amount, one.amount >= other.amount)


@pytest.mark.parametrize(
    "reckon",
    [
        lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a < b, lambda a, b: a <= b,
        lambda a, b: a > b, lambda a, b: a >= b,
    ],
)  # fmt: skip
@pytest.mark.parametrize("other", [Money(1, "EUR"), 1, "1", None])
def test_it_is_not_mixed_with_anything_else(reckon: Any, other: Any) -> None:
    with pytest.raises(Invalid):
        reckon(Money(1, "USD"), other)


@pytest.mark.parametrize("times", [1.5, True, "2", None, Decimal(2)])
def test_it_is_multiplied_by_whole_numbers_only(times: Any) -> None:
    with pytest.raises(Invalid):
        Money(1, "USD") * times


def test_the_same_amount_of_another_currency_is_another() -> None:
    assert Money(100, "USD") == Money("1", "USD")
    assert len({Money(100, "USD"), Money("1", "USD"), Money(100, "EUR")}) == 2


def test_nothing_is_false() -> None:
    assert not Money(0, "USD")
    assert Money(-1, "USD")


@pytest.mark.parametrize(
    ("amount", "rate", "part"),
    [
        (113_996, Decimal("0.1"), 11_400),
        (5, Fraction(1, 10), 1),
        (-5, Fraction(1, 10), -1),
        (4, Fraction(1, 10), 0),
        (100, Fraction(1, 3), 33),
        (7, 2, 14),
    ],
)
def test_a_part_is_rounded_half_up(amount: int, rate: Any, part: int) -> None:
    assert Money(amount, "USD").part(rate) == Money(part, "USD")


@given(monies, st.decimals(-10, 10, places=4))
def test_a_part_is_what_decimals_say(money: Money, rate: Decimal) -> None:
    exact = money.decimal * rate

    assert money.part(rate).decimal == exact.quantize(Decimal("0.01"), ROUND_HALF_UP)


@pytest.mark.parametrize(
    "rate",
    [
        0.1, True, "0.1", None, Decimal("NaN"), Decimal("Infinity"),
        Decimal("1E+9999999999999"), Decimal("1E-9999999999999"),
    ],
    ids=repr,
)  # fmt: skip
def test_a_rate_is_exact(rate: Any) -> None:
    with pytest.raises(Invalid):
        Money(1, "USD").part(rate)


@given(st.fractions())
def test_to_round_is_to_come_within_a_half(exact: Fraction) -> None:
    assert abs(round_half_up(exact) - exact) <= Fraction(1, 2)


@pytest.mark.parametrize(("halves", "whole"), [(1, 1), (-1, -1), (3, 2), (-3, -2), (4, 2), (0, 0)])
def test_a_half_is_rounded_away_from_nothing(halves: int, whole: int) -> None:
    assert round_half_up(Fraction(halves, 2)) == whole


@given(monies, shared_out)
def test_sharing_loses_no_unit(money: Money, weights: list[int]) -> None:
    shares = money.allocate(weights)

    assert total(shares, "USD") == money
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share.amount - Fraction(money.amount * weight, sum(weights))) < 1


@given(monies, shared_out)
def test_what_is_left_goes_where_most_was_cut_off(money: Money, weights: list[int]) -> None:
    exact = [Fraction(abs(money.amount) * weight, sum(weights)) for weight in weights]
    cut_off = sorted((-(share % 1), place) for place, share in enumerate(exact))
    lucky = {place for _, place in cut_off[: abs(money.amount) - sum(map(int, exact))]}

    sign = -1 if money.amount < 0 else 1
    expected = [sign * (int(share) + (place in lucky)) for place, share in enumerate(exact)]
    assert [share.amount for share in money.allocate(weights)] == expected


@pytest.mark.parametrize(
    ("amount", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (100, [1, 2, 3], [17, 33, 50]),
        (1, [0, 1, 1, 0], [0, 1, 0, 0]),
        (0, [1, 2], [0, 0]),
        (7, [5], [7]),
    ],
)
def test_what_is_left_goes_to_the_first_of_equals(
    amount: int, weights: list[int], shares: list[int]
) -> None:
    assert [share.amount for share in Money(amount, "USD").allocate(weights)] == shares


@pytest.mark.parametrize("weights", [[], [0, 0], [-1, 2], [1.5], [True, 1]])
def test_weights_are_whole_numbers_and_not_nothing(weights: Any) -> None:
    with pytest.raises(Invalid):
        Money(1, "USD").allocate(weights)


@given(st.lists(amounts))
def test_a_total_is_the_sum(several: list[int]) -> None:
    assert total((Money(one, "USD") for one in several), "USD") == Money(sum(several), "USD")


def test_a_total_is_of_one_currency() -> None:
    with pytest.raises(Invalid):
        total([Money(1, "USD")], "EUR")


def test_the_total_of_none_is_nothing() -> None:
    assert total([], "JPY") == Money(0, "JPY")


@pytest.mark.parametrize(
    ("money", "locale", "shown"),
    [
        (Money("1253.9", "USD"), "en_US", "$1,253.90"),
        (Money("-1253.96", "USD"), "de-DE", "-1.253,96\N{NO-BREAK SPACE}$"),
        (Money("1253.96", "USD"), "de_DE", "1.253,96\N{NO-BREAK SPACE}$"),
        (Money("1253.96", "EUR"), "ja_JP", "€1,253.96"),
        (Money(1253, "JPY"), "ja_JP", "\N{FULLWIDTH YEN SIGN}1,253"),
        (Money(1253, "JPY"), "en_US", "¥1,253"),
        (Money(AMOUNT_MAX, "USD"), "en_US", "$90,071,992,547,409.91"),
        (Money("1.5", "KWD"), "en_US", "KWD1.500"),
    ],
)
def test_it_is_written_as_people_do(money: Money, locale: str, shown: str) -> None:
    assert money.format(locale) == shown


@pytest.mark.parametrize(
    "locale", ["xx_YY", "", "not a locale", "../../etc/passwd", "en_US" * LOCALE_CHARS_MAX, None, 5]
)
def test_an_unknown_locale_is_refused(locale: Any) -> None:
    with pytest.raises(Invalid, match="locale"):
        Money(1, "USD").format(locale)


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount":9007199254740992,"currency":"USD"}', b'{"amount":1,"currency":"ZZZ"}',
        b'{"amount":1,"currency":"usd"}',
    ],
)  # fmt: skip
def test_json_has_the_same_limits(body: bytes) -> None:
    with pytest.raises(Invalid):
        msgspec.json.decode(body, type=Money)


@pytest.mark.parametrize(
    "body",
    [
        b'{"amount":19.99,"currency":"USD"}', b'{"amount":20.0,"currency":"USD"}',
        b'{"amount":"1","currency":"USD"}', b'{"amount":true,"currency":"USD"}', b'{"amount":1}',
    ],
)  # fmt: skip
def test_json_has_whole_amounts_only(body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=Money)
