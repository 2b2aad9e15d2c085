from __future__ import annotations

from xml.etree.ElementTree import fromstring

from tests.bench.plot import HEIGHT, WIDTH, plotted

SVG = "{http://www.w3.org/2000/svg}"


def test_a_plot_has_every_point_at_its_place() -> None:
    curves = {"a < b": [(1, 10.0), (10, 100.0), (100, 1_000.0)], "c": [(1, 10.0)]}
    svg = fromstring(plotted("Title & more", "across", "up", curves))  # noqa: S314  (made here)
    points = [
        (float(dot.get("cx", "")), float(dot.get("cy", ""))) for dot in svg.iter(f"{SVG}circle")
    ]
    texts = [text.text for text in svg.iter(f"{SVG}text")]

    assert len(points) == 4
    assert points[0] == points[3]
    # Both axes are logarithmic: the point in the middle is in the middle.
    assert points[1] == ((points[0][0] + points[2][0]) / 2, (points[0][1] + points[2][1]) / 2)
    assert all(0 < x < WIDTH and 0 < y < HEIGHT for x, y in points)
    assert {"Title & more", "across", "up", "a < b", "c", "1,000"} <= set(texts)
