"""
What one HTTP connection may cost: bytes that are kept for it, and seconds that it takes. Pure.

The same limits hold on asyncio and on trio. They are not settings, because no application
needs others: the largest request is set by `frame_bytes_max`.
"""

from __future__ import annotations

__all__ = [
    "AHEAD_BYTES_MAX",
    "BODY_BYTES_MAX",
    "BODY_SECONDS_MAX",
    "CHUNK_LINE_BYTES_MAX",
    "CHUNK_OVERHEAD_BYTES_MAX",
    "HEAD_BYTES_MAX",
    "HEAD_FIELDS_MAX",
    "HEAD_SECONDS_MAX",
    "IDLE_SECONDS_MAX",
    "LINGER_BYTES_MAX",
    "LINGER_SECONDS_MAX",
    "PIECE_BYTES_MAX",
    "TRAILER_BYTES_MAX",
    "WRITE_SECONDS_MAX",
]

# The request line and the header fields of a request, in bytes. A larger head is answered with
# 431, a longer request line with 414.
HEAD_BYTES_MAX = 32 * 1024
# Header fields of one request: 431.
HEAD_FIELDS_MAX = 100
# Seconds from the connection, or from the first byte of a later request, until its head is
# complete.
HEAD_SECONDS_MAX = 10.0
# Seconds from an answer until the next request begins.
IDLE_SECONDS_MAX = 5.0

# A body that the application has not refused before, in bytes: 413.
BODY_BYTES_MAX = 1024 * 1024
# Seconds from the head of a request until its body is complete: 408.
BODY_SECONDS_MAX = 30.0
# The line before a chunk, with its extensions, in bytes.
CHUNK_LINE_BYTES_MAX = 256
# All such lines of one body together, in bytes.
CHUNK_OVERHEAD_BYTES_MAX = 256 * 1024
# The fields behind a chunked body, in bytes.
TRAILER_BYTES_MAX = 4 * 1024

# Bytes that are read before they are asked for: of a body, or of the requests that come
# behind the one that is being answered. The network waits with the rest.
AHEAD_BYTES_MAX = 64 * 1024

# Bytes of an answer that are written at a time; then the client has to take them.
PIECE_BYTES_MAX = 64 * 1024
# How long a client may take for one piece, in seconds; after that it is disconnected.
WRITE_SECONDS_MAX = 10.0

# How long a client has to close after the last answer, in seconds. What it still sends is thrown
# away, because closing with unread bytes would reset the connection and eat the answer.
LINGER_SECONDS_MAX = 5.0
# Bytes that are thrown away meanwhile; after that the connection is closed at once.
LINGER_BYTES_MAX = 256 * 1024
