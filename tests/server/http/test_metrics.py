"""The metrics for Prometheus."""

from __future__ import annotations

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

import hubbub
from hubbub import Settings
from hubbub.server import create_app


async def scraped(settings: Settings, host: str = "127.0.0.1", **headers: str) -> httpx2.Response:
    """Let somebody chat, and scrape from an address."""
    async with hubbub.open("memory://", settings=settings) as hub, hub.session("ann") as ann:
        room = await ann.chat.create_room("Room")
        await ann.chat.send(room.id, "hi")
        transport = httpx2.ASGITransport(create_app(hub), client=(host, 1))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            return await http.get("/metrics", headers=headers)


async def test_they_are_as_prometheus_reads_them() -> None:
    answer = await scraped(Settings())
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }

    assert answer.headers["content-type"].startswith("text/plain")
    assert samples["hubbub_connections",] == 1
    assert samples["hubbub_events_total", "message"] == 1
    assert samples["hubbub_calls_total", "refused"] == 0
    assert samples["hubbub_commit_seconds_bucket", "+Inf"] == 3
    assert samples["hubbub_commit_seconds_count",] == 3
    assert samples["hubbub_commit_seconds_sum",] > 0


@pytest.mark.parametrize(
    ("host", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("::1", {}, 200),
        ("10.0.0.1", {}, 401),
        ("unix", {}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "10.0.0.1"}, 401),
    ],
)
async def test_without_a_token_they_are_for_this_machine(
    host: str, headers: dict[str, str], status: int
) -> None:
    assert (await scraped(Settings(), host, **headers)).status_code == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 401), ({"Authorization": "Bearer wrong"}, 401), ({"Authorization": "Bearer s3"}, 200)],
)
async def test_with_a_token_they_are_for_who_has_it(headers: dict[str, str], status: int) -> None:
    answer = await scraped(Settings(metrics_token="s3"), "10.0.0.1", **headers)

    assert answer.status_code == status
