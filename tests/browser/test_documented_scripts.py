"""The scripts of the pages run in a browser, against the programs of the same pages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import PLAIN, serving
from tests.docs.examples import ROOT, files_of

EMBED = ROOT / "docs" / "how-to" / "embed.md"
WIRE = ROOT / "docs" / "reference" / "wire.md"
START_SECONDS_MAX = 60.0

SIGN_IN = """
async () => {
    const json = (body) => ({
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
    });
    await fetch("/register", json({name: "Ann"}));
    await fetch("/login", json({name: "Ann"}));
}
"""
GUEST = """
async () => {
    const post = async (path, body, token) => (await fetch("/api/" + path, {
        method: "POST", body: JSON.stringify(body),
        headers: token ? {Authorization: "Bearer " + token} : {},
    })).json();
    const {token} = await post("users/sign_in", {nickname: "Ann"});
    const {stream} = await post("chat/create_room", {name: "r"}, token);
    return {token, stream, seq: 0};
}
"""


def script_of(page: Path) -> str:
    """Return the only script of a page."""
    [script] = re.findall(r"```js\n(.*?)```\n", page.read_text(), re.DOTALL)
    return str(script)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[str]:
    """Serve the application of the page about embedding, as the page says."""
    (tmp_path / "shop.py").write_text(files_of(EMBED)["shop.py"])
    log = tmp_path / "log"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "shop:app", "--port", "0"],
            cwd=tmp_path,
            env=environment,
            stdout=output,
            stderr=output,
        )
    try:
        ends = time.perf_counter() + START_SECONDS_MAX
        while not (found := re.search(r"running on (http://\S+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            assert time.perf_counter() < ends, log.read_text()
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Open a window in which a test may evaluate scripts."""
    context = browser.new_context(bypass_csp=True)
    yield context.new_page()
    context.close()


@pytest.mark.timeout(90)
def test_a_page_of_an_application_signs_its_user_in(page: Page, shop: str) -> None:
    page.goto(f"{shop}/live/health")
    page.evaluate(SIGN_IN)
    with page.expect_console_message() as printed:
        page.evaluate(f"async () => {{ {script_of(EMBED)} }}")
    answer = printed.value.args[0].json_value()

    assert (answer["result"]["user"]["id"], answer["result"]["user"]["nickname"]) == ("1", "Ann")


@pytest.mark.timeout(90)
def test_a_page_follows_a_stream_with_a_ticket(page: Page) -> None:
    with serving(*PLAIN) as address:
        page.goto(address)
        signed_in = page.evaluate(GUEST)
        first = """return new Promise((done) => {
            source.onmessage = (event) => { source.close(); done(event.lastEventId); };
        });"""
        script = f"async ({{token, stream, seq}}) => {{ {script_of(WIRE)} {first} }}"
        seq = page.evaluate(script, signed_in)

    assert seq == "1"
