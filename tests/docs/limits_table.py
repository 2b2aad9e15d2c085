"""The table of limits, made from the code: run it to update the page."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.docs.examples import ROOT

__all__ = ["PAGE", "limits", "page"]

SOURCE = ROOT / "src" / "hubbub"
PAGE = ROOT / "docs" / "reference" / "limits.md"

HEAD = """# Limits

Everything that a client can make grow has a limit.
Many limits are [settings](settings.md). This page lists the others, which no setting changes.
[Security](../explanation/security.md) says which limit protects you against whom.

The name of a limit has its unit, `BYTES`, `CHARS` or `SECONDS`; without one it counts things.
The table is made from the code: the value of each constant, and the comment above it.

| limit | value | what it limits |
| --- | --- | --- |
"""


class Limit(NamedTuple):
    """A constant that limits something: its name, its value, and its description."""

    name: str
    value: str
    what: str


def limits() -> Iterator[Limit]:
    """Yield every public constant of the package that ends in ``_MAX`` or ``_MIN``."""
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text()
        module = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        for node in ast.parse(text).body:
            target = node.targets[0] if isinstance(node, ast.Assign) else None
            target = node.target if isinstance(node, ast.AnnAssign) else target
            if isinstance(target, ast.Name) and re.fullmatch(r"[A-Z]\w*_(MAX|MIN)", target.id):
                assert isinstance(node, ast.Assign | ast.AnnAssign)
                assert node.value is not None
                what = comment_above(text.splitlines(), node.lineno)
                yield Limit(f"{module}.{target.id}", shown(target.id, node.value), what)


def comment_above(lines: list[str], number: int) -> str:
    """Return the comment right above a line, on one line."""
    found: list[str] = []
    for line in reversed(lines[: number - 1]):
        if not line.startswith("#"):
            break
        found.insert(0, line.lstrip("# "))
    return " ".join(found)


def shown(name: str, value: ast.expr) -> str:
    """Show a number as people write it."""
    number = _number(value)
    if number is None:
        return f"`{ast.unparse(value)}`"
    for size, unit in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if "BYTES" in name and number >= size and number % size == 0:
            return f"{int(number) // size:,} {unit}"
    return f"{number:,}"


def page() -> str:
    """Return the page."""
    rows = [f"| `{limit.name}` | {limit.value} | {limit.what} |\n" for limit in limits()]
    return HEAD + "".join(rows)


def _number(value: ast.expr) -> int | float | None:
    match value:
        case ast.Constant(value=int() | float() as number):
            return number
        case ast.BinOp(left, ast.Mult(), right):
            first, second = _number(left), _number(right)
            return None if first is None or second is None else first * second
        case ast.BinOp(left, ast.Sub(), right):
            first, second = _number(left), _number(right)
            return None if first is None or second is None else first - second
        case ast.BinOp(left, ast.LShift(), right):
            one, bits = _number(left), _number(right)
            if isinstance(one, int) and isinstance(bits, int) and bits < 64:
                return one << bits
    return None


def main(to: Path = PAGE) -> None:
    """Write the page."""
    to.write_text(page())


if __name__ == "__main__":
    main()
