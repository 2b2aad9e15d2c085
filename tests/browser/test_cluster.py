"""Two browsers at different nodes of a real cluster, one of which is killed."""

from __future__ import annotations

import re
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Browser, Page, expect

from tests.browser.chatting import create_room, join_room, message, say
from tests.browser.chromium import DESKTOP
from tests.browser.test_games_page import QUESTION, begin, points, score
from tests.browser.windows import Shot, come_in
from tests.cluster.balancer import balanced
from tests.cluster.machines import Cluster, Layout, Node, real_cluster

# A killed node is noticed after 3 s.
GOES_ON_MS = 15_000
# The process of the node that runs the only match.
RUNNER = """
SELECT split_part(name, '/', 2)::int FROM node WHERE id = (
    SELECT convert_from(body, 'UTF8')::json ->> 'node' FROM event WHERE type = 'started'
)
"""


@contextmanager
def spread(cluster: Cluster) -> Iterator[str]:
    """Put a load balancer before a cluster; gives its address."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(
            balanced([node.port for node in cluster.nodes])
        ) as balancer,
    ):
        yield balancer.url


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    """Start two nodes."""
    with tempfile.TemporaryDirectory(prefix="hubbub-cluster-") as folder:
        # PostgreSQL's user, who is another for root, has to reach it.
        Path(folder).chmod(0o755)
        starting = real_cluster(Path(folder), Layout(nodes=2))
        # The browser's event loop runs in this thread, and nothing may block that.
        with ThreadPoolExecutor(1) as thread:
            cluster = thread.submit(starting.__enter__).result()
            try:
                yield cluster
            finally:
                thread.submit(starting.__exit__, None, None, None).result()


@pytest.fixture
def enter(browser: Browser, cluster: Cluster) -> Iterator[Callable[[str], Page]]:
    """Give a function that opens the page as a new guest; by turns they are at other nodes."""
    with spread(cluster) as address:
        contexts = []

        def enter(nickname: str) -> Page:
            context = browser.new_context(viewport=DESKTOP, reduced_motion="reduce")
            contexts.append(context)
            page = context.new_page()
            page.set_default_timeout(GOES_ON_MS)
            page.goto(address)
            come_in(page, nickname)
            return page

        yield enter
        for context in contexts:
            context.close()


def connections(cluster: Cluster) -> list[int]:
    """Return the number of users at each node."""
    numbers = []
    for node in cluster.nodes:
        with urllib.request.urlopen(f"{node.url}/metrics") as answer:  # noqa: S310
            found = re.search(r"^hubbub_connections (\d+)", answer.read().decode(), re.MULTILINE)
        numbers.append(int(found.group(1)) if found else 0)
    return numbers


def runner(cluster: Cluster) -> Node:
    """Return the node that runs the only match."""
    with psycopg.connect(cluster.url) as connection:
        [(pid,)] = connection.execute(RUNNER).fetchall()
    return next(node for node in cluster.nodes if node.process.pid == pid)


def question(page: Page) -> str:
    """Return the question that is open."""
    return page.get_by_role("region", name="Question").get_by_text(QUESTION).inner_text()


@pytest.mark.timeout(60)
def test_two_go_on_to_talk_and_play_when_the_node_that_runs_their_match_is_killed(
    cluster: Cluster, enter: Callable[[str], Page], shot: Shot
) -> None:
    ann, bob = enter("Ann"), enter("Bob")
    assert connections(cluster) == [1, 1]
    create_room(ann, "Lounge")
    join_room(bob, "Lounge")
    say(ann, "Shall we play?")
    message(bob, "Shall we play?").wait_for()
    for page in (ann, bob):
        page.goto(f"{page.url.partition('#')[0]}#/games")
    begin(ann, bob)
    score(ann, "Ann")
    score(bob, "Bob")
    expect(ann.get_by_label("Points of Bob")).to_have_attribute("value", "10")

    asked = question(ann)
    runner(cluster).kill()

    for page in (ann, bob):
        expect(page.get_by_role("region", name="Question", exact=True)).not_to_contain_text(
            asked, timeout=GOES_ON_MS
        )
        page.get_by_label("Your answer").wait_for()
    shot(ann, "cluster-match-goes-on")
    assert [points(bob, name) for name in ("Ann", "Bob")] == [10, 10]
    for _ in range(9):
        score(bob, "Bob")
    bob.get_by_role("heading", name="You won!").wait_for()
    ann.get_by_role("heading", name="You lost: Bob won").wait_for()
    shot(ann, "cluster-match-result")
    for page in (ann, bob):
        page.get_by_role("link", name="Chat", exact=True).click()
        page.get_by_role("link", name="Lounge").first.click()
    say(bob, "Well played!")
    message(ann, "Well played!").wait_for()
    message(ann, "Shall we play?").wait_for()
    shot(ann, "cluster-chat-goes-on")
