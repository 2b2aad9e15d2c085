"""How logs look."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import msgspec
import pytest

from hubbub.server.access_log import ACCESS_LOGGER
from hubbub.server.logs import JsonFormatter, LogFormat, configure


def record(message: str = "%s went", *args: object, **more: object) -> logging.LogRecord:
    shown = args or ("Ann",)
    made = logging.LogRecord("hubbub.server", logging.WARNING, "f.py", 1, message, shown, None)
    vars(made).update(more)
    return made


def decoded(made: logging.LogRecord) -> dict[str, object]:
    line = JsonFormatter().format(made)
    assert "\n" not in line
    found: dict[str, object] = msgspec.json.decode(line)
    return found


def test_json_has_time_level_logger_message_and_the_extra_fields() -> None:
    line = decoded(record(user="ann", why=ValueError("x")))

    assert (line["level"], line["logger"], line["message"]) == (
        "warning", "hubbub.server", "Ann went",
    )  # fmt: skip
    assert (line["user"], line["why"]) == ("ann", "x")
    assert str(line["time"]).endswith("Z")


def test_json_has_the_exception_on_the_same_line() -> None:
    try:
        raise ValueError("broken\nin two")
    except ValueError:
        made = record(exc_info=sys.exc_info())

    assert "ValueError: broken\nin two" in str(decoded(made)["exception"])


def test_json_has_the_stack_if_that_is_asked_for() -> None:
    assert decoded(record(stack_info="Stack:\n  f.py"))["stack"] == "Stack:\n  f.py"


def test_an_extra_field_does_not_replace_one_of_json() -> None:
    line = decoded(record(time="noon", level="loud", logger="mine"))

    assert (line["level"], line["logger"]) == ("warning", "hubbub.server")
    assert line["time"] != "noon"


def test_a_message_of_several_lines_stays_one_line() -> None:
    assert decoded(record("%s\nwent"))["message"] == "Ann\nwent"


def test_arguments_that_do_not_fit_are_shown_beside_the_message() -> None:
    assert decoded(record("%d went", "Ann"))["message"] == "'%d went' with ('Ann',)"


class Silent:
    def __str__(self) -> str:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("half \ud83d", "half \\ud83d"),
        (Silent(), "<Silent, whose str() raises ZeroDivisionError>"),
    ],
)
def test_a_value_that_json_cannot_have_becomes_text(value: object, shown: str) -> None:
    line = decoded(record(value=value))

    assert line["value"] == shown
    assert line["message"] == "Ann went"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """Put the logging of the whole process back afterwards."""
    root, access = logging.getLogger(), logging.getLogger(ACCESS_LOGGER)
    handlers, level, access_level = root.handlers[:], root.level, access.level
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield root
    root.handlers[:], root.level = handlers, level
    access.setLevel(access_level)
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(capture=False)


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


@pytest.mark.parametrize("access", [True, False])
def test_requests_are_logged_if_that_is_wanted_whatever_the_level_is(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], *, access: bool
) -> None:
    configure("text", "error", access=access)
    logging.getLogger(ACCESS_LOGGER).info("a request")

    assert ("a request" in capsys.readouterr().err) == access


def test_a_text_has_time_level_logger_and_message(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("text", "info")
    logging.getLogger("hubbub.test").info("hello")
    date, time, rest = capsys.readouterr().err.split(" ", 2)

    assert (len(date), len(time)) == (10, 8)
    assert rest == "INFO    hubbub.test: hello\n"


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "somebody.else"])
def test_what_others_log_has_the_same_form(
    root: logging.Logger, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    configure("json", "info")
    logging.getLogger(name).error("hello")

    assert msgspec.json.decode(capsys.readouterr().err)["logger"] == name


def test_warnings_are_logged(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure("json", "info")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    line = msgspec.json.decode(capsys.readouterr().err)

    assert line["logger"] == "py.warnings"
    assert "DeprecationWarning: old" in line["message"]


def test_in_json_an_exception_that_ends_the_program_is_one_line(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "info")
    error = ValueError("broken")
    sys.excepthook(ValueError, error, None)
    line = msgspec.json.decode(capsys.readouterr().err)

    assert line["level"] == "critical"
    assert "ValueError: broken" in line["exception"]


def test_in_json_an_exception_that_ends_a_thread_is_one_line(
    root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure("json", "info")

    def fail() -> None:
        raise ValueError("broken")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    [line] = capsys.readouterr().err.splitlines()

    assert "ValueError: broken" in msgspec.json.decode(line)["exception"]
