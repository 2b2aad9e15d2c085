from __future__ import annotations

from typing import Any

import msgspec
import pytest

from hubbub import Invalid, Payment
from hubbub.shop.payments.payment import ClosingProvider, check_payment
from tests.shop.bank import Bank, ClosingBank


def test_a_payment_is_read_as_it_was_written() -> None:
    payment = Payment("p", "declined", "no money")

    assert msgspec.json.decode(msgspec.json.encode(payment), type=Payment) == payment


def test_a_payment_has_one_of_the_statuses() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"id":"p","status":"lost"}', type=Payment)


@pytest.mark.parametrize("payment", ["", "x" * 11, "a\nb", None, 5])
def test_what_can_be_no_payment_is_refused(payment: Any) -> None:
    with pytest.raises(Invalid):
        check_payment(payment, 10)


def test_a_provider_need_not_be_able_to_close_a_payment() -> None:
    assert isinstance(ClosingBank(), ClosingProvider)
    assert not isinstance(Bank(), ClosingProvider)
