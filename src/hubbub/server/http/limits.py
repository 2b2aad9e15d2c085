"""
The limits of one HTTP connection, in bytes of memory and in seconds. Pure.

They are the same on asyncio and on trio. They are not settings, because no application needs
other values: `frame_bytes_max` sets the largest request.
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

# The request line and the header fields of a request, in bytes. The server answers a larger head
# with 431, and a longer request line with 414.
HEAD_BYTES_MAX = 32 * 1024
# Header fields of one request; the server answers more of them with 431.
HEAD_FIELDS_MAX = 100
# Seconds from the connection, or from the first byte of a later request, until its head is
# complete.
HEAD_SECONDS_MAX = 10.0
# Seconds from a response until the next request begins.
IDLE_SECONDS_MAX = 5.0

# The largest body, in bytes, unless the application sets a lower limit; the server answers a
# larger one with 413.
BODY_BYTES_MAX = 1024 * 1024
# Seconds from the head of a request until its body is complete; then the server answers with 408.
BODY_SECONDS_MAX = 30.0
# The line before a chunk, with its extensions, in bytes.
CHUNK_LINE_BYTES_MAX = 256
# All these lines of one body together, in bytes.
CHUNK_OVERHEAD_BYTES_MAX = 256 * 1024
# The fields after a chunked body, in bytes.
TRAILER_BYTES_MAX = 4 * 1024

# Bytes of a body, or of requests behind the current one, that the server reads before it needs
# them. The rest waits in the network.
AHEAD_BYTES_MAX = 64 * 1024

# Bytes of a response that the server writes at a time, before the client has to read them.
PIECE_BYTES_MAX = 64 * 1024
# How long a client can take to read one piece, in seconds, before the server disconnects it.
WRITE_SECONDS_MAX = 10.0

# How long a client has to close after the last response, in seconds. The server discards the
# bytes that still arrive, because closing with unread bytes would reset the connection and lose
# the response.
LINGER_SECONDS_MAX = 5.0
# Bytes that the server discards in this time, before it closes the connection at once.
LINGER_BYTES_MAX = 256 * 1024
