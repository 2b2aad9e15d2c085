"""
Keeps tokens and passwords out of uvicorn's log.

At the level ``debug`` the library ``websockets``, which uvicorn reads WebSockets with, logs
every frame and every header of a handshake. A frame may be a sign-in.
"""

from __future__ import annotations

import logging

__all__ = ["mask_frames"]

# uvicorn gives this logger to the library.
LOGGER = "uvicorn.error"
SECRET_HEADERS = {"authorization", "cookie", "proxy-authorization", "set-cookie"}
HEADER_LINES = {"< %s: %s", "> %s: %s"}
MASK = "***"


class FrameMask(logging.Filter):
    """Leaves the kind and the size of each frame, and the names of headers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Mask a record; none is dropped."""
        args = record.args
        if not isinstance(args, tuple) or not args:
            return True
        if record.msg in HEADER_LINES and str(args[0]).lower() in SECRET_HEADERS:
            record.args = (args[0], MASK)
        elif _is_frame(args[0]):
            record.args = (_kind_and_size(args[0]), *args[1:])
        return True


_mask = FrameMask()


def mask_frames() -> None:
    """Mask what uvicorn logs of WebSockets from now on; to call it again changes nothing."""
    logging.getLogger(LOGGER).addFilter(_mask)


def _is_frame(value: object) -> bool:
    # The library has several classes of frames, and is not loaded for this.
    return type(value).__module__.startswith("websockets.") and hasattr(value, "opcode")


def _kind_and_size(frame: object) -> str:
    opcode, data = getattr(frame, "opcode", ""), getattr(frame, "data", b"")
    return f"{getattr(opcode, 'name', opcode)} {MASK} [{len(data)} bytes]"
