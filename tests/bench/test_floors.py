"""Each program that runs in turn with a case has a row with ratios of its own."""

from __future__ import annotations

from tests.bench.floors import compared
from tests.bench.table import Row


def test_each_other_program_has_a_row_after_those_of_the_case() -> None:
    case, memory = Row("A", "trio", 10, "per s"), Row("its memory", "trio", 3, "KB")

    rows = compared(3, lambda: [case, memory], lambda: 20.0, 0.4, {"theirs": lambda: 5.0})

    assert [row.what for row in rows] == ["A", "its memory", "A, beside theirs"]
    assert [row.ratios for row in rows] == [[0.5] * 3, None, [2.0] * 3]
    assert [row.floor for row in rows] == [20, 0, 5]
    assert [row.wanted for row in rows] == [0.4, 0, 0]
