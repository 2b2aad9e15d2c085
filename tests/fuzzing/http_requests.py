"""HTTP requests, read by Hubbub and by h11, to compare them; and what is made of their fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import h11

from hubbub import Settings
from hubbub.addresses import networks_of, parse_address
from hubbub.server.address import client_address
from hubbub.server.http.limits import BODY_BYTES_MAX
from hubbub.server.http.request_head import Refused, RequestHead
from hubbub.server.http.request_reader import RequestReader
from hubbub.server.websocket.handshake import Handshakes

__all__ = ["check_requests"]

# With names of its own, so that the fields with names are looked at.
SETTINGS: Final = Settings(allowed_hosts=("x.org",), allowed_origins=("https://y.org",))
HANDSHAKES: Final = Handshakes(SETTINGS)
PROXIES: Final = networks_of(["127.0.0.0/8", "10.0.0.0/8"])


def check_requests(pieces: Sequence[bytes]) -> None:
    """Fail if the cuts change what is read, or h11 reads something else."""
    whole = b"".join(pieces)
    found = read_requests([whole])
    assert found == read_requests(pieces), "the cuts change the meaning"
    for start, end, head, body in found[0]:
        check_with_h11(whole[start:end], head, body)
        check_use(head)


Found = tuple[int, int, RequestHead, bytes]


def read_requests(pieces: Sequence[bytes]) -> tuple[list[Found], int | None]:
    """Read whole requests: where each begins and ends, its head and its body; the refusal."""
    reader, found = RequestReader(), list[Found]()
    fed = start = 0
    head: RequestHead | None = None
    body = b""
    try:
        for piece in pieces:
            reader.feed(piece)
            fed += len(piece)
            while True:
                if head is None and (head := reader.next_head()) is None:
                    break
                body += reader.next_piece()
                if not reader.complete:
                    break
                found.append((start, fed - reader.ahead, head, body))
                start, head, body = fed - reader.ahead, None, b""
    except Refused as refused:
        return found, refused.status
    assert len(body) <= BODY_BYTES_MAX
    return found, None


def check_with_h11(raw: bytes, head: RequestHead, body: bytes) -> None:
    """Fail if h11 reads another request, or none."""
    other = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    other.receive_data(raw.lstrip(b"\r\n"))
    request, theirs = other.next_event(), b""
    assert isinstance(request, h11.Request), request
    try:
        while isinstance(event := other.next_event(), h11.Data):
            theirs += bytes(event.data)
        assert isinstance(event, h11.EndOfMessage), event
    except h11.RemoteProtocolError:
        # It checks the fields behind a body as if they were of the head; we ignore them.
        assert head.length is None
    assert (request.method, theirs) == (head.method.encode(), body)
    # A whole address takes the place of Host: RFC 9112, 3.2.2.
    if request.target.startswith(b"/"):
        assert request.target.partition(b"?")[::2] == (head.raw_path, head.query)
        assert list(request.headers) == [lowered(*pair) for pair in head.headers]
    assert not other.trailing_data[0], "there is more behind it"


def check_use(head: RequestHead) -> None:
    """Fail if what reads the fields fails, or writes anything behind its own head."""
    answered = HANDSHAKES.answer(head.headers, method=head.method, version=head.version)
    assert answered.head.index(b"\r\n\r\n") == len(answered.head) - 4
    assert parse_address(client_address("127.0.0.1", head.headers, PROXIES)) is not None


def lowered(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """Write a field as h11 does: it knows the words of this one."""
    return name, value.lower() if name == b"transfer-encoding" else value
