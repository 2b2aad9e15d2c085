"""
Arrays as parameters of statements.

psycopg chooses the type of a list by its values, and prepares a statement again for each
combination of types; these have one type each, also when they are empty.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct

from psycopg import Connection
from psycopg.adapt import Dumper
from psycopg.pq import Format

__all__ = ["Blobs", "Numbers", "Texts", "register_arrays"]

_INT8, _TEXT, _BYTEA = 20, 25, 17
_head = Struct(">iiiii").pack
_empty = Struct(">iii").pack
_length = Struct(">i").pack
_number = Struct(">iq").pack
_NULL = _length(-1)


class Numbers(list[int | None]):
    """A parameter of the type bigint[]."""


class Texts(list[str | None]):
    """A parameter of the type text[]."""


class Blobs(list[bytes | None]):
    """A parameter of the type bytea[]."""


class _NumbersDumper(Dumper):
    oid, format = 1016, Format.BINARY

    def dump(self, obj: Numbers) -> bytes:
        return _array(_INT8, obj, [_NULL if one is None else _number(8, one) for one in obj])


class _TextsDumper(Dumper):
    oid, format = 1009, Format.BINARY

    def dump(self, obj: Texts) -> bytes:
        return _array(_TEXT, obj, _sized([None if one is None else one.encode() for one in obj]))


class _BlobsDumper(Dumper):
    oid, format = 1001, Format.BINARY

    def dump(self, obj: Blobs) -> bytes:
        return _array(_BYTEA, obj, _sized(obj))


def register_arrays(connection: Connection) -> None:
    """Make a connection take these arrays as parameters (``%b``)."""
    for kind, dumper in (
        (Numbers, _NumbersDumper),
        (Texts, _TextsDumper),
        (Blobs, _BlobsDumper),
    ):
        connection.adapters.register_dumper(kind, dumper)


def _sized(values: Iterable[bytes | None]) -> list[bytes]:
    return [_NULL if one is None else _length(len(one)) + one for one in values]


def _array(element: int, values: Sequence[object], encoded: Sequence[bytes]) -> bytes:
    if not values:
        return _empty(0, 0, element)
    return _head(1, None in values, element, len(values), 1) + b"".join(encoded)
