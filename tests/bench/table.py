"""A row of the table that the benchmarks print."""

from __future__ import annotations

import os
import statistics
from typing import NamedTuple

__all__ = ["Row", "figure_of", "markdown", "ratio_of", "show"]


class Row(NamedTuple):
    """
    One figure.

    Args:
        what: was measured.
        backend: asyncio or trio.
        value: the median.
        unit: of the value.
        wanted: the lowest, or with ``most`` the highest, acceptable value; of a figure that has a
            floor, the lowest acceptable ratio.
        most: whether less is better.
        floor: what the floor reached, in the same unit; see ``floors.py``.
        ratios: of the figure to its floor, from the lowest to the highest.
    """

    what: str
    backend: str
    value: float
    unit: str
    wanted: float = 0
    most: bool = False
    floor: float = 0
    ratios: list[float] | None = None

    @property
    def compared(self) -> float:
        """The value that has to reach the limit."""
        return statistics.median(self.ratios) if self.ratios else self.value

    @property
    def reached(self) -> bool:
        """Return whether it meets its limit; some have none."""
        return self.compared <= self.wanted if self.most else self.compared >= self.wanted


def show(rows: list[Row]) -> None:
    """Print the table."""
    print(f"\n{os.cpu_count()} cores")
    print(
        f"{'':54} {'backend':8} {'measured':>12} {'':14} {'floor':>10} {'ratio':>18} {'wanted':>12}"
    )
    for row in rows:
        sign = "<=" if row.most else ">="
        wanted = f"{sign} {row.wanted:,g}" if row.wanted else ""
        mark = "" if not row.wanted else "ok" if row.reached else "MISSED"
        print(
            f"{row.what:54} {row.backend:8} {_number(row.value):>12} {row.unit:14} "
            f"{_number(row.floor) if row.floor else '':>10} {ratio_of(row):>18} "
            f"{wanted:>12} {mark}"
        )


def markdown(rows: list[Row]) -> str:
    """Return the figures as a table for a page of the documentation."""
    lines = ["| case | event loop | figure | floor | ratio | wanted |", "| --- " * 6 + "|"]
    for row in rows:
        floor = _number(row.floor) if row.floor else ""
        wanted = f"{row.wanted:,g}" if row.wanted else ""
        cells = [row.what, row.backend, figure_of(row), floor, ratio_of(row), wanted]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def figure_of(row: Row) -> str:
    """Return a row's value with its unit."""
    return f"{_number(row.value)} {row.unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3f}"


def ratio_of(row: Row) -> str:
    """Return a row's median ratio, and the lowest and the highest; empty without a floor."""
    if not row.ratios:
        return ""
    return f"{row.compared:.2f} ({row.ratios[0]:.2f}-{row.ratios[-1]:.2f})"
