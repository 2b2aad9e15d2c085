"""Why a server cannot be connected to: each reason is a message of its own, with advice."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import anyio
import httpx2
import pytest
from anyio.abc import SocketAttribute, SocketStream
from anyio.streams.tls import TLSListener
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

import hubbub
from hubbub import Closed
from hubbub.client.unreachable import CAUSES_MAX, because_of
from hubbub.clock import SystemClock
from hubbub.server.websocket.handshake import Handshakes
from hubbub.settings import Settings
from tests.client.raw_server import raw_server, read_headers

HTML = "Content-Type: text/html\r\n"
PROBLEM = "Content-Type: application/problem+json\r\n"


async def refusal(url: str) -> str:
    """Connect; return why that is not possible, as a person reads it."""
    with anyio.fail_after(15), pytest.raises(Closed) as caught:
        async with hubbub.connect(url, nickname="Ann"):
            pytest.fail("it cannot be connected to")
    return caught.value.message


async def answered(head: str) -> tuple[str, str, int]:
    """Connect to a server that answers every request alike; return why not, the URL, the tries."""
    tries = 0

    async def script(stream: SocketStream) -> None:
        nonlocal tries
        tries += 1
        await read_headers(stream)
        await stream.send(f"{head}Content-Length: 0\r\n\r\n".encode())

    async with raw_server(script) as socket:
        url = socket.removesuffix("/ws")
        return (await refusal(url)).removeprefix(url).strip(), url, tries


async def test_nothing_that_listens() -> None:
    assert await refusal("http://127.0.0.1:9") == (
        "http://127.0.0.1:9 cannot be reached: nothing listens there. Start the server with "
        "`hubbub serve`, or check the address."
    )


async def test_a_name_of_no_host() -> None:
    message = await refusal("http://no.such.host.invalid")

    assert message.startswith("http://no.such.host.invalid cannot be reached: ")
    assert message.endswith(". Check the name of the host.")


async def test_a_wrong_path_of_a_hub() -> None:
    message, _, tries = await answered(f"HTTP/1.1 404 Not Found\r\n{PROBLEM}")

    assert message.startswith("is not the address of a hub, though a Hubbub server answers")
    assert "Check the path" in message
    assert tries == 1


async def test_another_server() -> None:
    message, _, tries = await answered(f"HTTP/1.1 404 Not Found\r\n{HTML}")

    assert message == (
        "is not the address of a Hubbub server: the answer was HTTP 404. Check the host and the "
        "port; if Hubbub is mounted in another application, add its path, like "
        "http://localhost:8000/live."
    )
    assert tries == 1


async def test_a_redirect_says_where_to() -> None:
    there = "Location: https://example.org/live\r\n"
    message, _, tries = await answered(f"HTTP/1.1 301 Moved Permanently\r\n{there}")

    assert message.startswith("is elsewhere now: ")
    assert message.endswith("Connect to https://example.org/live.")
    assert tries == 1


async def test_a_host_that_the_server_does_not_allow() -> None:
    message, _, tries = await answered("HTTP/1.1 403 Forbidden\r\n")

    assert "allowed_hosts" in message
    assert tries == 1


@pytest.mark.parametrize("status", [429, 502, 503, 504])
async def test_a_server_that_is_not_ready_is_tried_again(status: int) -> None:
    message, _, tries = await answered(f"HTTP/1.1 {status} Later\r\n")

    assert message == f"is not ready: the answer was HTTP {status}. Try again in a moment."
    assert tries > 1


async def test_a_server_of_another_protocol() -> None:
    async def script(stream: SocketStream) -> None:
        await read_headers(stream)
        await stream.send(b"SSH-2.0-OpenSSH_9.9\r\n")

    async with raw_server(script) as socket:
        message = await refusal(socket.removesuffix("/ws"))

    assert "gives no answer that is HTTP" in message
    assert "https://" in message


async def test_a_websocket_server_that_is_no_hub() -> None:
    async def script(stream: SocketStream) -> None:
        headers = await read_headers(stream)
        others = [pair for pair in headers if pair[0] != b"sec-websocket-protocol"]
        await stream.send(Handshakes(Settings()).answer(others).head)

    async with raw_server(script) as socket:
        message = await refusal(socket.removesuffix("/ws"))

    assert "is not the address of a Hubbub server: it does not speak hubbub.v1" in message


async def test_a_server_without_tls() -> None:
    async def script(stream: SocketStream) -> None:
        await stream.receive()
        await stream.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with raw_server(script) as socket:
        url = socket.removesuffix("/ws").replace("http:", "https:")
        message = await refusal(url)

    assert message.startswith(f"{url} does not speak TLS: ")
    assert message.endswith("or begin the address with http:// if the server has no TLS.")


async def test_a_certificate_that_is_not_trusted(tmp_path: Path) -> None:
    async with encrypted(tmp_path) as url:
        message = await refusal(url)

    assert message.startswith(f"{url} has a certificate that is not trusted: self-signed")
    assert "SSL_CERT_FILE" in message


async def test_plain_http_to_a_server_with_tls(tmp_path: Path) -> None:
    async with encrypted(tmp_path) as url:
        message = await refusal(url.replace("https:", "http:"))

    assert "if the server has TLS, begin the address with https://" in message


def test_no_answer_in_time() -> None:
    lost = because_of(httpx2.ConnectTimeout("slow"))

    assert lost.reason == "cannot be reached: there is no answer (ConnectTimeout)"
    assert "firewall" in lost.advice
    assert not lost.final


def test_an_error_of_any_other_kind() -> None:
    lost = because_of(httpx2.UnsupportedProtocol("strange"))

    assert (lost.reason, lost.final) == ("cannot be reached: strange", False)


def test_of_a_long_chain_of_causes_only_the_first_ones_are_looked_at() -> None:
    def chained(length: int) -> httpx2.HTTPError:
        error: Exception = ConnectionRefusedError()
        for _ in range(length):
            above = httpx2.ConnectError("no")
            above.__cause__ = error
            error = above
        assert isinstance(error, httpx2.HTTPError)
        return error

    assert "nothing listens there" in because_of(chained(CAUSES_MAX - 1)).reason
    assert because_of(chained(CAUSES_MAX)).reason == "cannot be reached: no"


@asynccontextmanager
async def encrypted(directory: Path) -> AsyncIterator[str]:
    """Listen with a certificate that no authority has signed; give the URL."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(directory))

    async def hang_up(stream: anyio.abc.AnyByteStream) -> None:
        await stream.aclose()

    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as plain:
        port = plain.extra(SocketAttribute.local_port)  # noqa: S610  # no database here
        listener = TLSListener(plain, context, standard_compatible=False)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(listener.serve, hang_up)
            yield f"https://127.0.0.1:{port}"
            tasks.cancel_scope.cancel()


def certificate(directory: Path) -> Path:
    """Make a key and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = SystemClock().now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path = directory / "certificate.pem"
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path
