"""
Join the figures of several Pythons into one table, a column for each.

    nox -s bench-3.11 bench-3.12 bench-3.13 -- --only senders,A --json build/bench
    python -m tests.bench.pythons build/bench

Each run of the benchmark writes its rows into a file of the folder, named for its Python.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from tests.bench.table import Row, figure_of, ratio_of

__all__ = ["joined", "save"]

Cells = dict[tuple[str, str], dict[str, str]]


def save(rows: Sequence[Row], folder: Path) -> None:
    """Write the rows of this Python into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{platform.python_version()}.json"
    file.write_bytes(msgspec.json.encode(rows))


def joined(rows: Mapping[str, Iterable[Row]]) -> str:
    """
    Return one table in markdown.

    Args:
        rows: a Python -> its rows.
    """
    lines: Cells = {}
    for python, measured in rows.items():
        for row in measured:
            ratio = ratio_of(row)
            cell = f"{figure_of(row)}, {ratio}" if ratio else figure_of(row)
            lines.setdefault((row.what, row.backend), {})[python] = cell
    head = ["case", "event loop", *(f"Python {python}" for python in rows)]
    table = [_line(head), "| --- " * len(head) + "|"]
    table += [
        _line([*case, *(found.get(one, "") for one in rows)]) for case, found in lines.items()
    ]
    return "\n".join(table)


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _by_version(file: Path) -> list[str]:
    return [part.rjust(3) for part in file.stem.split(".")]


def main(folder: str) -> None:
    """Print the table of a folder."""
    files = sorted(Path(folder).glob("*.json"), key=_by_version)
    rows = {file.stem: msgspec.json.decode(file.read_bytes(), type=list[Row]) for file in files}
    print(joined(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
