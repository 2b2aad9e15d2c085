"""Logs by the standard library: lines to read, or one JSON object a line."""

from __future__ import annotations

import logging
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal

import msgspec

from .access_log import ACCESS_LOGGER

__all__ = ["JsonFormatter", "LogFormat", "configure"]

LogFormat = Literal["text", "json"]

TEXT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
TIME = "%Y-%m-%d %H:%M:%S"

# The attributes of every record; the caller gave any others as ``extra``.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

logger = logging.getLogger("hubbub.server")


class JsonFormatter(logging.Formatter):
    """
    Makes one JSON object of each record, on one line.

    It has ``time`` (UTC), ``level``, ``logger``, ``message``, the record's extra fields, and
    for an error its traceback as ``exception``.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a record that cannot be encoded as it is becomes text."""
        line: dict[str, object] = {
            name: value for name, value in vars(record).items() if name not in _OWN
        }
        line |= {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message_of(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = self.formatStack(record.stack_info)
        try:
            return msgspec.json.encode(line, enc_hook=str).decode()
        except Exception:
            # Half a character, a key that is no text, an object whose str() fails: a log
            # must not lose a line for them.
            return msgspec.json.encode(
                {name: _safe(value) for name, value in line.items()}
            ).decode()


def configure(form: LogFormat, level: str, *, access: bool = False) -> None:
    """
    Send what is logged to the standard error; for a program, not for a library.

    The logs of other libraries and Python's warnings go there too. In JSON, so does an
    exception that ends the program or a thread.

    Args:
        form: how each line looks.
        level: the least that is shown: ``debug``, ``info``, ``warning`` or ``error``.
        access: whether to log each request, whatever the level is.
    """
    handler = logging.StreamHandler()
    text = logging.Formatter(TEXT, datefmt=TIME)
    handler.setFormatter(JsonFormatter() if form == "json" else text)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger(ACCESS_LOGGER).setLevel(logging.INFO if access else logging.CRITICAL)
    if form == "json":
        sys.excepthook = _log_exception
        threading.excepthook = _log_exception_of_thread
        sys.unraisablehook = _log_unraisable


def _message_of(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:
        # The arguments do not fit the text. Then logging would write several lines.
        return f"{record.msg!r} with {record.args!r}"


def _safe(value: object) -> str:
    try:
        text = value.isoformat() if isinstance(value, datetime) else str(value)
    except Exception as error:
        text = f"<{type(value).__name__}, whose str() raises {type(error).__name__}>"
    return text.encode(errors="backslashreplace").decode()


def _log_exception(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logger.critical("The program ended: %r", error, exc_info=(kind, error, traceback))


def _log_exception_of_thread(args: Any) -> None:
    if args.exc_value is not None:
        found = (args.exc_type, args.exc_value, args.exc_traceback)
        logger.critical("A thread ended: %r", args.exc_value, exc_info=found)


def _log_unraisable(args: Any) -> None:
    if args.exc_value is not None:
        found = (args.exc_type, args.exc_value, args.exc_traceback)
        logger.error("%s %r", args.err_msg or "Exception ignored in", args.object, exc_info=found)
