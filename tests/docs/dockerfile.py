"""A Dockerfile, as far as its instructions can be carried out without Docker."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from pathlib import Path
from typing import NamedTuple

__all__ = ["Instruction", "copied", "exec_form", "instructions", "stages"]


class Instruction(NamedTuple):
    """One instruction: its name, and what is behind it, on one line."""

    name: str
    text: str


def instructions(text: str) -> list[Instruction]:
    """Read a Dockerfile."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    return [Instruction(*line.split(" ", 1)) for line in joined.splitlines() if line.strip()]


def stages(text: str) -> list[list[Instruction]]:
    """Return the instructions of each stage."""
    found: list[list[Instruction]] = []
    for one in instructions(text):
        if one.name == "FROM":
            found.append([])
        found[-1].append(one)
    return found


def exec_form(text: str) -> list[str]:
    """Return the words of ``CMD ["a", "b"]``."""
    return [str(word) for word in json.loads(text[text.index("[") :])]


def copied(stage: list[Instruction], context: Path, folder: Path) -> None:
    """Copy into a folder what a stage copies from its context into its working directory."""
    for one in stage:
        if one.name != "COPY" or "--from=" in one.text:
            continue
        *sources, target = shlex.split(one.text)
        for source in sources:
            if (context / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
                shutil.copytree(context / source, folder / target, ignore=ignored)
            else:
                (folder / target).mkdir(parents=True, exist_ok=True)
                shutil.copy(context / source, folder / target)
