"""Events that are made up."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, get_args

import msgspec
import pytest
from msgspec import Meta

from hubbub.event_samples import sample
from hubbub.journal.event import Data
from hubbub.shop.events import ItemAdded, Placed, ProductSet, RefundBegan
from tests.features import STREAMS


class Color(Enum):
    RED = "red"


class Inner(msgspec.Struct):
    at: datetime
    size: int = 0


class Everything(Data, frozen=True, tag="everything"):
    """One field of each kind."""

    text: str
    number: Annotated[int, Meta(ge=0)]
    share: float | None
    price: Decimal
    color: Color
    mode: Literal["on", "off"]
    pair: tuple[int, str]
    parts: list[Inner]
    inner: Inner
    by_name: dict[str, int]
    anything: Any
    left_out: int = 7


class Odd:
    """Nothing that can be made up."""


class Unknown(Data, frozen=True, tag="unknown"):
    """With a field that has no form in JSON."""

    odd: Odd


# No made up currency is one of ISO 4217.
STRICT = [ItemAdded, Placed, ProductSet, RefundBegan]


def kinds() -> Iterator[type[Data]]:
    for state in STREAMS.values():
        yield from get_args(state.data_type) or (state.data_type,)


def test_every_field_has_a_value_of_its_type() -> None:
    made = sample(Everything)

    assert msgspec.convert(msgspec.to_builtins(made), Everything) == made
    assert made.left_out == 7


@pytest.mark.parametrize(
    "kind", sorted({*kinds()} - {*STRICT}, key=str), ids=lambda kind: kind.__name__
)
def test_every_event_of_our_own_can_be_made_up(kind: type[Data]) -> None:
    made = sample(kind)

    assert msgspec.json.decode(msgspec.json.encode(made), type=kind) == made


@pytest.mark.parametrize("kind", STRICT, ids=lambda kind: kind.__name__)
def test_a_type_whose_own_rules_are_stricter_cannot_be_made_up(kind: type[Data]) -> None:
    with pytest.raises(TypeError, match="Money"):
        sample(kind)


def test_what_cannot_be_made_up_says_so() -> None:
    with pytest.raises(TypeError):
        sample(Unknown)
