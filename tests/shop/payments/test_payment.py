from __future__ import annotations

import msgspec
import pytest

from hubbub import Payment


def test_a_payment_is_read_as_it_was_written() -> None:
    payment = Payment("p", "declined", "no money")

    assert msgspec.json.decode(msgspec.json.encode(payment), type=Payment) == payment


def test_a_payment_has_one_of_the_statuses() -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(b'{"id":"p","status":"lost"}', type=Payment)
