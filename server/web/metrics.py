"""`GET /metrics` for Prometheus: numbers about the server, none about what people say.

Nothing is counted here: the parts keep plain numbers, which are read when
somebody asks. Only this machine is answered; a scraper elsewhere goes through
a proxy or a tunnel, which the operator opens on purpose.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from server.domain.connection_limits import is_loopback
from server.forwarded import get_client_info


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """The numbers at one moment.

    Attributes:
        cuts: Connections that were cut, by reason.
        entries: Entries told to rooms since the start.
        waiting: Drafts that wait to be written.
        lag_buckets: Cumulative counts of the event loop's lateness, by upper bound in seconds.
        lag_sum: Its lateness in all, in seconds.
    """

    connections: int
    rooms: int
    members: int
    aborts: dict[str, int]
    published_entries: int
    queue_depth: int
    lag_buckets: list[tuple[str, int]]
    lag_sum: float


class _MetricsCollector(Collector):
    def __init__(self, read_snapshot: Callable[[], MetricsSnapshot]) -> None:
        self._read_snapshot = read_snapshot

    def collect(self) -> Iterable[Metric]:
        snapshot = self._read_snapshot()
        yield GaugeMetricFamily("chat_connections", "Connections that are open.", value=snapshot.connections)
        yield GaugeMetricFamily("chat_rooms", "Rooms with somebody in them.", value=snapshot.rooms)
        yield GaugeMetricFamily("chat_members", "Members of these rooms.", value=snapshot.members)
        yield GaugeMetricFamily(
            "chat_journal_queue_depth", "Entries that wait to be written.", value=snapshot.queue_depth
        )
        yield CounterMetricFamily(
            "chat_entries", "Entries written and told to their rooms.", value=snapshot.published_entries
        )
        aborts_metric = CounterMetricFamily("chat_connections_aborted", "Connections that were cut.", labels=["reason"])
        for reason, count in snapshot.aborts.items():
            aborts_metric.add_metric([reason], count)
        yield aborts_metric
        lag_metric = HistogramMetricFamily("event_loop_lag_seconds", "How late the event loop comes to what is due.")
        lag_metric.add_metric([], snapshot.lag_buckets, snapshot.lag_sum)
        yield lag_metric


def add_metrics_route(
    app: web.Application,
    read_snapshot: Callable[[], MetricsSnapshot],
    trusted_networks: tuple[IPv4Network | IPv6Network, ...],
) -> None:
    """Adds `/metrics`.

    Args:
        app: Not yet frozen.
        read: Gives the numbers.
        trusted: Proxies whose word on who asks is believed.
    """
    registry = CollectorRegistry()
    registry.register(_MetricsCollector(read_snapshot))

    async def get_metrics(request: web.Request) -> web.Response:
        if not is_loopback(get_client_info(request, trusted_networks).address):
            raise web.HTTPNotFound
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", get_metrics)
