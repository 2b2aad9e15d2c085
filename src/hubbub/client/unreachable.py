"""Why a server cannot be connected to, and what to do about it."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus

import httpx2

from ..wire.connection_lost import ConnectionLost

__all__ = ["because_of", "because_of_status", "no_hubbub"]

NO_CLOSE_FRAME = 1006
# Causes of causes that are looked at.
CAUSES_MAX = 20
PROBLEM = "application/problem+json"
# Answers of a proxy, or of a server that starts: the next attempt may succeed.
NOT_READY = {
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
}


def because_of(error: httpx2.HTTPError) -> ConnectionLost:
    """Explain why a request failed, by the first of its causes that says it."""
    if isinstance(error, httpx2.TimeoutException):
        return _lost(
            f"cannot be reached: there is no answer ({type(error).__name__})",
            "Check the address, and that no firewall is in between.",
        )
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                return _lost(
                    f"has a certificate that is not trusted: {cause.verify_message}",
                    "Check the address; if an authority of your own has signed the certificate, "
                    "set SSL_CERT_FILE to that authority's certificate.",
                    final=True,
                )
            case ssl.SSLError():
                return _lost(
                    f"does not speak TLS: {cause.reason or cause}",
                    "Check the port, or begin the address with http:// if the server has no TLS.",
                    final=True,
                )
            case socket.gaierror():
                return _lost(
                    f"cannot be reached: {cause.strerror or 'the name is not known'}",
                    "Check the name of the host.",
                )
            case ConnectionRefusedError():
                return _lost(
                    "cannot be reached: nothing listens there",
                    "Start the server with `hubbub serve`, or check the address.",
                )
    return _because_of_protocol(error)


def because_of_status(response: httpx2.Response) -> ConnectionLost:
    """Explain an answer to a handshake that does not accept it."""
    status = response.status_code
    answer = f"the answer was HTTP {status}"
    if status in NOT_READY:
        return _lost(f"is not ready: {answer}", "Try again in a moment.")
    if response.has_redirect_location:
        target = response.headers.get("location", "")
        return _lost(f"is elsewhere now: {answer}", f"Connect to {target}.", final=True)
    if status == HTTPStatus.FORBIDDEN:
        return _lost(
            f"refuses this address: {answer}",
            "The server's operator can allow it with the setting allowed_hosts.",
            final=True,
        )
    if response.headers.get("content-type", "").startswith(PROBLEM):
        return _lost(
            f"is not the address of a hub, though a Hubbub server answers: {answer}",
            "Check the path behind the host; if it is right, let the proxy before the server "
            "pass WebSockets.",
            final=True,
        )
    return no_hubbub(answer)


def no_hubbub(reason: str) -> ConnectionLost:
    """Explain that something else answers."""
    return _lost(
        f"is not the address of a Hubbub server: {reason}",
        "Check the host and the port; if Hubbub is mounted in another application, add its "
        "path, like http://localhost:8000/live.",
        final=True,
    )


def _because_of_protocol(error: httpx2.HTTPError) -> ConnectionLost:
    text = str(error).removesuffix(".") or "it closed the connection"
    if isinstance(error, httpx2.RemoteProtocolError | httpx2.ReadError):
        return _lost(
            f"gives no answer that is HTTP: {text}",
            "Check the port; if the server has TLS, begin the address with https://.",
        )
    return _lost(f"cannot be reached: {text}", "Check the address.")


def _causes(error: BaseException) -> Iterator[BaseException]:
    waiting, seen = [error], 0
    while waiting and seen < CAUSES_MAX:
        one = waiting.pop(0)
        seen += 1
        yield one
        if isinstance(one, BaseExceptionGroup):
            waiting.extend(one.exceptions)
        below = one.__cause__ or one.__context__
        if below is not None:
            waiting.append(below)


def _lost(reason: str, advice: str, *, final: bool = False) -> ConnectionLost:
    return ConnectionLost(NO_CLOSE_FRAME, reason, advice, final=final)
