"""A row of the table that the benchmarks print."""

from __future__ import annotations

import os
from typing import NamedTuple

__all__ = ["Row", "show"]


class Row(NamedTuple):
    """One figure. ``wanted`` is the lowest, or with ``most`` the highest, acceptable value."""

    what: str
    backend: str
    value: float
    unit: str
    wanted: float = 0
    most: bool = False

    @property
    def reached(self) -> bool:
        """Return whether it meets its limit; some have none."""
        return self.value <= self.wanted if self.most else self.value >= self.wanted


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"\n{os.cpu_count()} cores")
    print(f"{'':54} {'backend':8} {'measured':>12} {'wanted':>14}")
    for row in rows:
        sign = "<=" if row.most else ">="
        wanted = f"{sign} {row.wanted:,g}" if row.wanted else ""
        mark = "" if not row.wanted else "ok" if row.reached else "MISSED"
        value = f"{row.value:,.0f}" if row.value >= 100 else f"{row.value:.3f}"
        print(f"{row.what:54} {row.backend:8} {value:>12} {wanted:>14} {row.unit:14} {mark}")
