"""The web page: files of the package, with headers that make the browser strict."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable

import msgspec
from anyio import to_thread
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = ["CONTENT_SECURITY_POLICY", "page_routes"]

# The page loads everything from this server, scripts and styles are files, and the browser
# itself refuses to make markup of text.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
# The attribute of a page that has the hub's features, and whether it takes guests.
FEATURES = b'data-features=""'
MEDIA_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class File(msgspec.Struct, frozen=True):
    """A file of the page, plain and compressed, and its tag for the header ``ETag``."""

    body: bytes
    compressed: bytes
    media_type: str
    tag: str


def page_routes(features: Sequence[str], *, guests: bool = True) -> list[Route]:
    """
    Make the routes of the page, of the operator's page, and of the files that they load.

    Args:
        features: the names of the features that the hub has: the page shows no others.
        guests: whether the page offers to sign in as a guest.
    """
    page = _Page(features, guests)
    return [
        Route("/", page.index, include_in_schema=False),
        Route("/admin", page.admin, include_in_schema=False),
        Route("/web/{name:path}", page.part, include_in_schema=False),
    ]


class _Page:
    def __init__(self, features: Sequence[str], guests: bool) -> None:
        self._features = features
        self._guests = guests
        self._files: Mapping[str, File] | None = None

    async def index(self, request: Request) -> Response:
        """Send the page."""
        return await self._send(request, "index.html")

    async def admin(self, request: Request) -> Response:
        """Send the operator's page."""
        return await self._send(request, "admin.html")

    async def part(self, request: Request) -> Response:
        """Send a file that a page loads."""
        return await self._send(request, request.path_params["name"])

    async def _send(self, request: Request, name: str) -> Response:
        if self._files is None:
            self._files = await to_thread.run_sync(_read_files, self._features, self._guests)
        file = self._files.get(name)
        if file is None:
            raise HTTPException(404)
        headers = {**HEADERS, "ETag": file.tag}
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        body = file.body
        if "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            body = file.compressed
        return Response(body, headers=headers, media_type=file.media_type)


def _read_files(features: Sequence[str], guests: bool) -> Mapping[str, File]:
    about = b'data-features="%b"' % " ".join(features).encode()
    if not guests:
        about += b' data-guests="no"'
    return dict(_files_in(files("hubbub") / "web", "", about))


def _files_in(folder: Traversable, path: str, about: bytes) -> Iterator[tuple[str, File]]:
    for file in folder.iterdir():
        media_type = MEDIA_TYPES.get(file.name.rpartition(".")[2])
        if file.is_dir():
            yield from _files_in(file, f"{path}{file.name}/", about)
        elif media_type is not None:
            body = file.read_bytes().replace(FEATURES, about)
            tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
            yield path + file.name, File(body, gzip.compress(body, mtime=0), media_type, tag)
