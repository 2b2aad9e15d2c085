"""Logs by the standard library: lines for people, or JSON for programs."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Literal

import msgspec

__all__ = ["JsonFormatter", "LogFormat", "configure"]

LogFormat = Literal["text", "json"]

# What every record has; the rest was given as ``extra``.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """One object a line: time, level, logger, message, what was given besides, the traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, object] = {
            "at": at,
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line, enc_hook=str).decode()


def configure(form: LogFormat, level: str) -> None:
    """
    Send what is logged to the standard error; for a program, not for a library.

    Args:
        form: how each line looks.
        level: the least that is shown: ``debug``, ``info``, ``warning`` or ``error``.
    """
    handler = logging.StreamHandler()
    text = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
    handler.setFormatter(JsonFormatter() if form == "json" else logging.Formatter(text))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
