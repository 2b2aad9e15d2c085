"""Draws curves as an SVG, with both axes logarithmic."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from xml.sax.saxutils import escape

__all__ = ["plotted"]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 90, 20, 72, 60
MIDDLE = (TOP + HEIGHT - BOTTOM) / 2
# What each curve's name takes of the line below the title.
NAME_WIDTH = 200
COLOURS = ("#2a6db2", "#c2571a", "#3b8a3e", "#5b4b8a")
Points = Sequence[tuple[float, float]]


def plotted(title: str, across: str, up: str, curves: Mapping[str, Points]) -> str:
    """
    Draw curves.

    Args:
        title: of the plot.
        across: what the horizontal axis is.
        up: what the vertical axis is.
        curves: the name of each, and its points; all values are above 0.
    """
    points = [point for curve in curves.values() for point in curve]
    xs, ys = _Axis([x for x, _ in points]), _Axis([y for _, y in points])
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'role="img" aria-label="{escape(title)}" font-size="13" '
        'font-family="Verdana, DejaVu Sans, sans-serif">'
    )
    lines = [
        head,
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(WIDTH / 2, 26, title, 'font-size="16"'),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, across),
        _text(20, MIDDLE, up, f'transform="rotate(-90 20 {MIDDLE})"'),
        *_grid(xs, ys),
    ]
    for number, (name, curve) in enumerate(curves.items()):
        lines += _curve(name, [(_x(xs, x), _y(ys, y), y) for x, y in curve], number)
    return "\n".join([*lines, "</svg>\n"])


class _Axis:
    """Powers of ten from below the smallest value to above the largest."""

    def __init__(self, values: Sequence[float]) -> None:
        self.first = math.floor(math.log10(min(values)))
        self.last = max(math.ceil(math.log10(max(values))), self.first + 1)

    def part(self, value: float) -> float:
        return (math.log10(value) - self.first) / (self.last - self.first)


def _x(axis: _Axis, value: float) -> float:
    return LEFT + axis.part(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: _Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.part(value) * (HEIGHT - TOP - BOTTOM)


def _grid(xs: _Axis, ys: _Axis) -> Iterator[str]:
    for power in range(xs.first, xs.last + 1):
        at = _x(xs, 10.0**power)
        yield f'<path d="M{at:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
        yield _text(at, HEIGHT - BOTTOM + 18, f"{10.0**power:,g}")
    for power in range(ys.first, ys.last + 1):
        at = _y(ys, 10.0**power)
        yield f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        yield _text(LEFT - 8, at + 4, f"{10.0**power:,g}", 'text-anchor="end"')


def _curve(name: str, points: Sequence[tuple[float, float, float]], number: int) -> Iterator[str]:
    colour = COLOURS[number % len(COLOURS)]
    path = "L".join(f"{x:.1f} {y:.1f}" for x, y, _ in points)
    yield f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
    for x, y, value in points:
        yield f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        anchor = "end" if x > WIDTH - RIGHT - 40 else "start" if x < LEFT + 40 else "middle"
        # The values of every other curve are below their points.
        beside = 20 if number % 2 else -9
        yield _text(x, y + beside, f"{value:,.0f}", f'fill="{colour}" text-anchor="{anchor}"')
    yield _text(LEFT + NAME_WIDTH * number, 52, name, f'fill="{colour}" text-anchor="start"')


def _text(x: float, y: float, text: str, more: str = "") -> str:
    anchor = "" if "text-anchor" in more else ' text-anchor="middle"'
    return f'<text x="{x:.1f}" y="{y:.1f}"{anchor} {more}>{escape(text)}</text>'
