"""How logs look."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator

import msgspec
import pytest

from hubbub.server.logs import JsonFormatter, LogFormat, configure


def record(**more: object) -> logging.LogRecord:
    made = logging.LogRecord("hubbub.server", logging.WARNING, "f.py", 1, "%s went", ("Ann",), None)
    vars(made).update(more)
    return made


def test_json_has_what_was_given_besides() -> None:
    line = msgspec.json.decode(JsonFormatter().format(record(user="ann", why=ValueError("x"))))

    assert (line["level"], line["logger"], line["message"]) == (
        "warning", "hubbub.server", "Ann went",
    )  # fmt: skip
    assert (line["user"], line["why"]) == ("ann", "x")
    assert line["at"].endswith("Z")


def test_json_has_the_traceback() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        made = record(exc_info=sys.exc_info())
    line = msgspec.json.decode(JsonFormatter().format(made))

    assert "ValueError: broken" in line["traceback"]


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Put the logging of the whole process back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


@pytest.mark.parametrize("form", ["text", "json"])
def test_what_is_less_is_not_shown(
    root: logging.Logger, form: LogFormat, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(form, "warning")
    logging.getLogger("hubbub.test").info("less")
    logging.getLogger("hubbub.test").warning("more")
    shown = capsys.readouterr().err

    assert "less" not in shown
    assert "more" in shown
    assert shown.startswith("{") == (form == "json")
