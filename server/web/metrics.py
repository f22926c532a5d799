"""`GET /metrics` in Prometheus format; metrics contain no chat content.

The endpoint is available from the local machine only; remote scrapers require a tunnel, because a trusted proxy
forwards the remote address.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from server.cluster.cluster import ClusterMetrics
from server.domain.rate_limits import is_loopback
from server.forwarded import IPNetwork, get_client_info

_GAUGES = (
    ("connections", "chat_connections", "Open connections."),
    ("rooms", "chat_rooms", "Rooms with members or observers."),
    ("members", "chat_members", "Members of all rooms."),
    ("observers", "chat_observers", "Observers of all rooms, who are not members."),
    ("queue_depth", "chat_journal_queue_depth", "Log commands in the journal queue."),
)
"""Field of `MetricsSnapshot`, metric name and description of each gauge."""

_CLUSTER_METRICS = (
    (GaugeMetricFamily, "is_bus_healthy", "chat_bus_up", "The message bus delivers messages."),
    (GaugeMetricFamily, "followed_rooms", "chat_followed_rooms", "Rooms whose entries of other nodes are delivered."),
    (GaugeMetricFamily, "clock_skew", "chat_clock_skew_seconds", "Difference of the clock to that of the database."),
    (CounterMetricFamily, "sent_messages", "chat_bus_sent", "Messages that the bus has sent, also to this server."),
    (CounterMetricFamily, "dropped_messages", "chat_bus_dropped", "Messages that the bus has dropped."),
    (CounterMetricFamily, "gap_reads", "chat_gap_reads", "Reads of entries that did not arrive over the bus."),
)
"""Type, field of `ClusterMetrics`, metric name and description of each metric of a cluster."""

_LABELED_COUNTERS = (
    ("aborts", "chat_connections_aborted", "Aborted connections by reason.", "reason"),
    ("task_failures", "chat_task_failures", "Failures of background tasks.", "task"),
)
"""Field of `MetricsSnapshot`, metric name, description and label of each counter by label."""


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """Values of all metrics at one time.

    Attributes:
        connections: Engine.IO sessions, including closing ones.
        rooms: Rooms with members or observers.
        members: Sum of the present members of all rooms; a member of two rooms counts twice.
        observers: Sum of the observers of all rooms.
        aborts: Aborted connections since the start, by reason.
        task_failures: Failures of supervised background tasks since the start, by task name.
        published_entries: Entries published since the start.
        queue_depth: Log commands in the journal queue.
        lag_buckets: Cumulative histogram of the event loop lag: pairs of upper bound in seconds and count.
        lag_sum: Sum of the event loop lags in seconds.
        cluster: Metrics of a node of a cluster, None for a single node.
    """

    connections: int
    rooms: int
    members: int
    observers: int
    aborts: dict[str, int]
    task_failures: dict[str, int]
    published_entries: int
    queue_depth: int
    lag_buckets: list[tuple[str, int]]
    lag_sum: float
    cluster: ClusterMetrics | None = None

    def collect(self) -> Iterable[Metric]:
        """Yield all metrics; implements `Collector` of prometheus_client."""
        for field, name, description in _GAUGES:
            yield GaugeMetricFamily(name, description, value=getattr(self, field))
        yield CounterMetricFamily("chat_entries", "Entries committed and published.", value=self.published_entries)
        for field, name, description, label in _LABELED_COUNTERS:
            counter = CounterMetricFamily(name, description, labels=[label])
            for value, count in getattr(self, field).items():
                counter.add_metric([value], count)
            yield counter
        lag_metric = HistogramMetricFamily("chat_event_loop_lag_seconds", "Lag of the event loop.")
        lag_metric.add_metric([], self.lag_buckets, self.lag_sum)
        yield lag_metric
        if self.cluster is not None:
            for metric_type, field, name, description in _CLUSTER_METRICS:
                yield metric_type(name, description, value=getattr(self.cluster, field))


def add_metrics_route(
    app: web.Application,
    read_snapshot: Callable[[], MetricsSnapshot],
    trusted_networks: tuple[IPNetwork, ...],
) -> None:
    """Add the `/metrics` route; clients on other machines, even behind a trusted proxy, receive 404.

    Args:
        app: Application before its start.
        read_snapshot: Source of the metrics.
        trusted_networks: Networks of proxies with trusted X-Forwarded-* headers.
    """

    async def get_metrics(request: web.Request) -> web.Response:
        if not is_loopback(get_client_info(request, trusted_networks).address):
            raise web.HTTPNotFound
        return web.Response(body=generate_latest(read_snapshot()), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app.router.add_get("/metrics", get_metrics)
