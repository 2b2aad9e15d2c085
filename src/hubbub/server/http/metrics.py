"""The hub's measures, in the text format of Prometheus."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from ...journal.measures import COMMIT_SECONDS_BUCKETS, Measures
from ...journal.stats import Meter
from ...settings import Settings
from ..gateway import Gateway
from .origin import host_allowed, is_loopback_host
from .problem import Unknown, problem_of

__all__ = ["metrics_route"]

PROXY_HEADERS = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def metrics_route(gateway: Gateway) -> Route:
    """
    Make the route ``/metrics``.

    It answers requests that have the token of the setting ``metrics_token``. Without the setting,
    it answers requests from this machine that call the server by one of the machine's own names.
    """
    # A registry of its own, without the other measures of the process.
    registry = CollectorRegistry()
    registry.register(_Hub(gateway.hub.meter))

    async def metrics(request: Request) -> Response:
        if not _may_read(request, gateway.settings):
            return problem_of(Unknown("Send the metrics_token: Authorization: Bearer …"))
        return Response(generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    return Route("/metrics", metrics, include_in_schema=False)


def _may_read(request: Request, settings: Settings) -> bool:
    token = settings.metrics_token
    if token is not None:
        given = request.headers.get("authorization", "")
        return hmac.compare_digest(given.encode(), f"Bearer {token}".encode())
    # Behind a proxy on this machine, everybody would come from this machine.
    if request.client is None or any(name in request.headers for name in PROXY_HEADERS):
        return False
    # So would the browser of a user of this machine, for a page that gives the server its name.
    host = request.headers.get("host")
    if not (is_loopback_host(host) or (settings.allowed_hosts and host_allowed(host, settings))):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


class _Hub(Collector):
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of this moment."""
        stats, measures = self._meter.stats(), self._meter.journal.measures
        yield _gauge("connections", "Sessions that are connected.", stats.connections)
        yield _gauge("users_online", "Users who are not offline.", stats.users)
        yield _gauge("followers", "Followers of streams.", stats.followers)
        yield _gauge("topics", "Streams that are followed.", stats.topics)
        yield _gauge("calls_queued", "Commands that wait to be decided.", stats.calls_queued)
        behind = max((lag.behind for lag in stats.slowest), default=0)
        yield _gauge("follower_lag_events_max", "Events the slowest follower lacks.", behind)
        calls = CounterMetricFamily("hubbub_calls", "Commands decided.", labels=["outcome"])
        calls.add_metric(["done"], stats.calls)
        calls.add_metric(["refused"], stats.refusals)
        yield calls
        events = CounterMetricFamily("hubbub_events", "Events written.", labels=["type"])
        for kind, count in sorted(stats.events.items()):
            events.add_metric([kind], count)
        yield events
        yield _commits(measures)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"hubbub_{name}", text, value=value)


def _commits(measures: Measures) -> HistogramMetricFamily:
    bounds = [*map(str, COMMIT_SECONDS_BUCKETS), "+Inf"]
    counts = accumulate(measures.commit_buckets)
    return HistogramMetricFamily(
        "hubbub_commit_seconds",
        "How long a transaction took.",
        buckets=list(zip(bounds, counts, strict=True)),
        sum_value=measures.commit_seconds,
    )
