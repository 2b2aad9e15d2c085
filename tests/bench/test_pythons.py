"""The table of several Pythons has each figure in the column of its Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.pythons import joined, main, save
from tests.bench.table import Row

SENDERS = Row("senders", "trio", 1_234.5, "/s", 0.5, floor=10_000, ratios=[0.1, 0.12, 0.2])
IDLE = Row("an idle connection", "trio", 5.5, "KB", 6, most=True)


def test_each_python_has_a_column() -> None:
    table = joined({"3.11.7": [SENDERS, IDLE], "3.13.0": [IDLE]})

    assert table.splitlines() == [
        "| case | event loop | Python 3.11.7 | Python 3.13.0 |",
        "| --- | --- | --- | --- |",
        "| senders | trio | 1,234 /s, 0.12 (0.10-0.20) |  |",
        "| an idle connection | trio | 5.500 KB | 5.500 KB |",
    ]


def test_a_newer_python_comes_after_an_older(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for version in ("3.9.20", "3.13.0", "3.11.7"):
        monkeypatch.setattr("platform.python_version", lambda version=version: version)
        save([SENDERS], tmp_path)

    main(str(tmp_path))

    head = capsys.readouterr().out.splitlines()[0]
    assert head == "| case | event loop | Python 3.9.20 | Python 3.11.7 | Python 3.13.0 |"
