"""A film: frames with their lengths, and the animated SVG that is made of them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import NamedTuple
from xml.sax.saxutils import escape

from PIL import Image

from tests.recording.terminal import Run, Terminal

__all__ = ["Box", "Film", "Window"]

FONT = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
FONT_PIXELS = 12.5
CELL = 7.53
LINE = 17.0
BAR = 30.0
MARGIN = 10.0
# How the colours of a terminal look on a dark ground.
COLOURS = {
    "default": "#e6e6f0",
    "black": "#8b8ba3",
    "red": "#ff8087",
    "green": "#7ee2a8",
    "brown": "#fbd26a",
    "yellow": "#fbd26a",
    "blue": "#8fb2ff",
    "magenta": "#d3a6ff",
    "cyan": "#7fdcec",
    "white": "#e6e6f0",
}
# Of a window: the ground, the line around it, and the title.
DARK = ("#1b1b26", "#333342", "#9a9ab0")
LIGHT = ("#ffffff", "#c9c9d6", "#55556a")
LIGHTS = ("#ff6a5f", "#f9be3e", "#3dc551")
STILL = "(prefers-reduced-motion:reduce)"


class Box(NamedTuple):
    """Where something is, in pixels."""

    x: float
    y: float
    width: float
    height: float


class Window(NamedTuple):
    """A window of the film: where it is, what its title says, and whether it is dark."""

    box: Box
    title: str
    dark: bool = True


class Film:
    """
    The frames of a film, each with its length.

    Args:
        width, height: in pixels.
        windows: drawn around what is shown.
    """

    def __init__(self, width: float, height: float, windows: Iterable[Window]) -> None:
        self.seconds = 0.0
        self._size = width, height
        self._windows = list(windows)
        # A piece of SVG -> when it is to be seen: from, and until.
        self._shown: dict[str, list[list[float]]] = {}
        self._images: dict[bytes, str] = {}

    def show(
        self, seconds: float, terminals: Iterable[tuple[Window, Terminal]], page: tuple[Box, bytes]
    ) -> None:
        """
        Add a frame.

        Args:
            seconds: for how long.
            terminals: what is in which window.
            page: where the page is, and a picture of it as PNG.
        """
        pieces = [piece for window, terminal in terminals for piece in _pieces(window, terminal)]
        box, picture = page
        if picture:
            pieces.append(self._image(box, picture))
        begin, self.seconds = self.seconds, self.seconds + seconds
        for piece in pieces:
            spans = self._shown.setdefault(piece, [])
            if spans and spans[-1][1] == begin:
                spans[-1][1] = self.seconds
            else:
                spans.append([begin, self.seconds])

    def svg(self) -> str:
        """Return the whole film, which begins again when it is over."""
        width, height = self._size
        names: dict[str, str] = {}
        drawn = []
        for piece, spans in self._shown.items():
            frames = self._keyframes(spans)
            name = names.setdefault(frames, f"k{len(names)}")
            last = " f" if spans[-1][1] == self.seconds else ""
            drawn.append(f'<g class="{name}{last}">{piece}</g>')
        style = [
            f"text{{font:{FONT_PIXELS}px {FONT};white-space:pre}}",
            ".t{font:600 12px system-ui,sans-serif}.b{font-weight:700}",
            f"g[class]{{visibility:hidden;animation:{self.seconds:g}s step-end infinite}}",
            *(f"@keyframes {name}{{{frames}}}" for frames, name in names.items()),
            *(f"g.{name}{{animation-name:{name}}}" for name in names.values()),
            # Without motion it is the last frame.
            f"@media {STILL}{{g[class]{{animation:none}}g.f{{visibility:visible}}}}",
        ]
        size = f'viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size}>'
        rules = f"<style>{''.join(style)}</style>"
        return "\n".join([head, rules, *map(_frame, self._windows), *drawn, "</svg>\n"])

    def _keyframes(self, spans: list[list[float]]) -> str:
        steps = [] if spans[0][0] == 0 else ["0%{visibility:hidden}"]
        for begin, end in spans:
            steps.append(f"{self._percent(begin)}{{visibility:visible}}")
            if end < self.seconds:
                steps.append(f"{self._percent(end)}{{visibility:hidden}}")
        visible = "visible" if spans[-1][1] == self.seconds else "hidden"
        return "".join([*steps, f"to{{visibility:{visible}}}"])

    def _percent(self, seconds: float) -> str:
        return f"{100 * seconds / self.seconds:.3f}".rstrip("0").rstrip(".") + "%"

    def _image(self, box: Box, picture: bytes) -> str:
        if picture not in self._images:
            x, y, width, height = box
            self._images[picture] = (
                f'<image x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
                f'href="data:image/webp;base64,{b64encode(_smaller(picture)).decode()}"/>'
            )
        return self._images[picture]


def _pieces(window: Window, terminal: Terminal) -> Iterator[str]:
    left, top = window.box.x + MARGIN, window.box.y + BAR + MARGIN
    for number, runs in enumerate(terminal.rows()):
        baseline = top + number * LINE + FONT_PIXELS
        for run in runs:
            yield _text(run, left + run.column * CELL, baseline)
    column, row = terminal.cursor
    x, y = left + column * CELL, top + row * LINE
    yield f'<rect x="{x:.1f}" y="{y:g}" width="{CELL:g}" height="15" fill="#e6e6f0" opacity=".7"/>'


def _text(run: Run, x: float, baseline: float) -> str:
    bold = ' class="b"' if run.bold else ""
    colour = COLOURS.get(run.colour.removeprefix("bright"), f"#{run.colour}")
    # Fonts are not equally wide everywhere, and the columns stay where they are.
    length = f' textLength="{run.cells * CELL:.1f}"' if run.cells == len(run.text) else ""
    where = f'x="{x:.1f}" y="{baseline:g}"'
    return f'<text {where} fill="{colour}"{bold}{length}>{escape(run.text)}</text>'


def _frame(window: Window) -> str:
    x, y, width, height = window.box
    ground, line, ink = DARK if window.dark else LIGHT
    lights = "".join(
        f'<circle cx="{x + 18 + 16 * number:g}" cy="{y + BAR / 2:g}" r="4.5" fill="{colour}"/>'
        for number, colour in enumerate(LIGHTS)
    )
    box = f'x="{x + 0.5:g}" y="{y + 0.5:g}" width="{width - 1:g}" height="{height - 1:g}"'
    title = f'class="t" x="{x + 70:g}" y="{y + BAR / 2 + 4:g}" fill="{ink}"'
    return (
        f'<rect {box} rx="9" fill="{ground}" stroke="{line}"/>{lights}'
        f"<text {title}>{escape(window.title)}</text>"
    )


def _smaller(picture: bytes) -> bytes:
    """Return the same picture, a PNG, as WebP: without loss, and half as large."""
    out = BytesIO()
    Image.open(BytesIO(picture)).convert("RGB").save(out, "WEBP", lossless=True, method=6)
    return out.getvalue()
