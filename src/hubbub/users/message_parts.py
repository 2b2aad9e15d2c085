"""Divides a long list into messages from node to node. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

__all__ = ["message_parts"]

T = TypeVar("T")


def message_parts(
    items: Iterable[T], bytes_of: Callable[[T], int], bytes_max: int
) -> Iterator[list[T]]:
    """
    Divide items, in order, into parts that are not empty.

    Args:
        items: the items.
        bytes_of: returns the bytes that an item takes.
        bytes_max: the bytes that a part takes at most, unless a single item takes more.
    """
    part, size = list[T](), 0
    for item in items:
        length = bytes_of(item)
        if part and size + length > bytes_max:
            yield part
            part, size = [], 0
        part.append(item)
        size += length
    if part:
        yield part
