"""
The badges of the README, drawn from what they claim: ``python -m tests.docs.badges``.

They are files of the repository, so that a page that shows them asks nobody else.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from tests.docs.blocks import ROOT

__all__ = ["DIRECTORY", "badges", "main"]

DIRECTORY = ROOT / "docs" / "images" / "badges"
# Pixels that a character of 11 pixels takes, about.
CHAR = 6.6
PAD = 10
HEIGHT = 20


def badges() -> dict[str, str]:
    """Return each badge's file name and its SVG."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    classifiers = "\n".join(project["project"]["classifiers"])
    pythons = re.findall(r"^Programming Language :: Python :: (3\.\d+)$", classifiers, re.MULTILINE)
    loops = re.findall(r"^Framework :: (AsyncIO|Trio)$", classifiers, re.MULTILINE)
    strict = project["tool"]["mypy"]["strict"]
    return {
        "python.svg": drawn("python", " | ".join(pythons), "#3776ab"),
        "loops.svg": drawn("runs on", " | ".join(loop.lower() for loop in loops), "#5b4b8a"),
        "types.svg": drawn("types", "mypy strict" if strict else "mypy", "#2a6db2"),
        "licence.svg": drawn("licence", project["project"]["license"], "#555"),
    }


def drawn(label: str, value: str, colour: str) -> str:
    """Draw a badge."""
    left, right = (round(len(text) * CHAR) + 2 * PAD for text in (label, value))
    texts = "".join(
        f'<text x="{x}" y="14">{text}</text>'
        for x, text in ((left / 2, label), (left + right / 2, value))
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="{HEIGHT}" '
        f'role="img" aria-label="{label}: {value}">\n'
        f"<title>{label}: {value}</title>\n"
        f'<rect width="{left + right}" height="{HEIGHT}" rx="3" fill="{colour}"/>\n'
        f'<path d="M3 0h{left - 3}v{HEIGHT}h-{left - 3}a3 3 0 0 1-3-3v-14a3 3 0 0 1 3-3z" '
        'fill="#333"/>\n'
        '<g fill="#fff" text-anchor="middle" font-size="11" '
        f'font-family="Verdana, DejaVu Sans, sans-serif">{texts}</g>\n'
        "</svg>\n"
    )


def main(directory: Path = DIRECTORY) -> None:
    """Write all badges."""
    directory.mkdir(exist_ok=True)
    for name, text in badges().items():
        (directory / name).write_text(text)


if __name__ == "__main__":
    main()
