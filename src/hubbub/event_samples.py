"""Sample events to test a state with: every field has a value of its type. Pure."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import inspect as i

__all__ = ["sample"]

D = TypeVar("D", bound=msgspec.Struct)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

PLAIN: dict[type[i.Type], Any] = {
    i.AnyType: "x",
    i.NoneType: None,
    i.BoolType: True,
    i.IntType: 1,
    i.FloatType: 1.0,
    i.StrType: "x",
    i.BytesType: b"x",
    i.DateTimeType: NOON,
    i.DateType: date(2026, 1, 1),
    i.TimeType: time(12),
    i.TimeDeltaType: timedelta(seconds=1),
    i.UUIDType: UUID(int=1),
    i.DecimalType: Decimal(1),
    i.ListType: [],
    i.SetType: set(),
    i.FrozenSetType: frozenset(),
    i.VarTupleType: (),
    i.DictType: {},
}


def sample(kind: type[D]) -> D:
    """
    Make a struct of a class, with a value for each field that has no default.

    Raises:
        TypeError: a field has a type for which there is no sample value.
    """
    found = _value(i.type_info(kind))
    assert isinstance(found, kind)
    return found


def _value(info: i.Type) -> Any:
    if type(info) in PLAIN:
        return PLAIN[type(info)]
    match info:
        case i.Metadata(type=inner):
            return _value(inner)
        case i.UnionType(types=types):
            return _value(types[0])
        case i.LiteralType(values=values):
            return values[0]
        case i.EnumType(cls=cls):
            return next(iter(cls))
        case i.TupleType(item_types=items):
            return tuple(_value(item) for item in items)
        case i.StructType(cls=cls, fields=fields):
            given = {one.name: _value(one.type) for one in fields if one.required}
            try:
                return cls(**given)
            except Exception as error:
                raise TypeError(f"there is no sample value for {cls.__name__}") from error
        case _:
            raise TypeError(f"there is no sample value for {info}")
