"""The web page, as a browser asks for it."""

from __future__ import annotations

import gzip
import re
from importlib.resources import files
from pathlib import Path

import pytest

import hubbub
from hubbub.server.http.static_files import CONTENT_SECURITY_POLICY
from tests.server.api import api

WEB = Path(str(files("hubbub"))) / "web"
FIRST_LOAD_BYTES_MAX = 150_000


async def test_it_has_a_strict_policy() -> None:
    async with api() as (_, http):
        answers = [await http.get(path) for path in ("/", "/admin", "/web/core/app.js")]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert "'unsafe" not in CONTENT_SECURITY_POLICY


async def test_what_a_browser_has_is_not_sent_again() -> None:
    async with api() as (_, http):
        first = await http.get("/web/core/app.css")
        again = await http.get(
            "/web/core/app.css", headers={"If-None-Match": first.headers["etag"]}
        )

    assert first.headers["content-type"].startswith("text/css")
    assert (again.status_code, again.content) == (304, b"")


async def test_it_is_compressed_for_those_who_understand_that() -> None:
    async with api() as (_, http):
        plain = await http.get("/web/core/app.css", headers={"Accept-Encoding": "identity"})
        packed = await http.get("/web/core/app.css", headers={"Accept-Encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    # The client has unpacked it already.
    assert packed.content == plain.content
    assert len(gzip.compress(plain.content)) < len(plain.content)


@pytest.mark.parametrize(
    "name", ["nothing.js", "core", "core/", "../page.py", "core/../../hub.py", "..%2Fhub.py", "app"]
)
async def test_nothing_else_is_sent(name: str) -> None:
    async with api() as (_, http):
        answer = await http.get(f"/web/{name}")

    assert answer.status_code == 404


def test_the_whole_page_is_small() -> None:
    assert sum(len(file.read_bytes()) for file in WEB.rglob("*.*")) < 2 * FIRST_LOAD_BYTES_MAX


def test_no_text_is_made_into_markup_and_nothing_comes_from_elsewhere() -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|srcdoc"
    found = [
        (file.name, match.group())
        for file in WEB.rglob("*.*")
        if file.name.endswith((".js", ".html", ".css"))
        for match in re.finditer(rf"{markup}|https?://(?!www\.w3\.org/)\S+", file.read_text())
    ]

    assert found == []


def test_every_file_that_is_named_is_there() -> None:
    missing = [
        f"{file.relative_to(WEB)}: {name}"
        for file in WEB.rglob("*.*")
        if file.name.endswith((".js", ".html"))
        for name in re.findall(r"""["']((?:\.\.?/|web/)[\w./-]+)["']""", file.read_text())
        if not _named(file, name).is_file()
    ]

    assert missing == []


def _named(file: Path, name: str) -> Path:
    # A page names what it loads from the root, and so do scripts that name a picture.
    return WEB / name.removeprefix("web/") if name.startswith("web/") else file.parent / name


async def test_the_page_says_if_no_guests_are_taken() -> None:
    async with api() as (_, http):
        usual = await http.get("/")
    async with api(hubbub.Settings(guests=False)) as (_, http):
        without = await http.get("/")
        again = await http.get("/", headers={"If-None-Match": without.headers["etag"]})

    assert "data-guests" not in usual.text
    assert re.search('<html [^>]*data-guests="no"', without.text)
    assert without.headers["etag"] != usual.headers["etag"]
    assert again.status_code == 304
