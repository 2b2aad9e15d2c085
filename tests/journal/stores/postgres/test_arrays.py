"""Arrays as parameters."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from hubbub.journal.stores.postgres.arrays import Blobs, Numbers, Texts, register_arrays


@pytest.mark.parametrize(
    "values",
    [
        Numbers([]),
        Numbers([1, -(1 << 63), None, (1 << 63) - 1]),
        Texts([]),
        Texts(["", "é 👋", None, '{"\\,}']),
        Blobs([]),
        Blobs([b"", b"\x00\xff", None]),
    ],
)
def test_an_array_arrives_as_it_was_sent(database: psycopg.Connection, values: list[Any]) -> None:
    register_arrays(database)
    [(kind,)] = database.execute("SELECT pg_typeof(%b)::text", [values])
    [(found,)] = database.execute("SELECT %b", [values], binary=True)

    assert found == values
    expected = {Numbers: "bigint[]", Texts: "text[]", Blobs: "bytea[]"}
    assert kind == expected[type(values)]
