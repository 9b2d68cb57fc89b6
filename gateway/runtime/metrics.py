"""Metrics: few, with few attributes, sent as OTLP/JSON where a collector is configured.

| metric | says |
|---|---|
| process.uptime | for how long the process has been up |
| http.server.request.duration | how long requests took, by route and status |
| http.client.request.duration | how long attempts took, by system and verb |
| headrace.webhooks.received | deliveries by outcome: new, repeated, refused, challenge |
| headrace.webhooks.unknown | events of types that the adapter does not know |
| headrace.webhooks.filled | events that no webhook had brought, found in the provider's list |
| headrace.flows.ended | flows by kind and outcome |
| headrace.flows.parked | stops of flows by kind and reason |
| headrace.inbox.applied | rows of the inbox by verdict |
"""

import time
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any, Final

import httpx
import msgspec
import structlog
from opentelemetry import metrics
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricExporter,
    MetricExportResult,
    MetricReader,
    MetricsData,
    NumberDataPoint,
    PeriodicExportingMetricReader,
    Sum,
)
from opentelemetry.sdk.resources import Resource

_log = structlog.get_logger()
_meter = metrics.get_meter("headrace")
# Source: OpenTelemetry semantic conventions 1.37, HTTP metrics.
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_STARTED: Final = time.monotonic()
_SERIES_LIMIT: Final = 2000  # as the SDK has it: attributes may not fill the memory


class Durations:
    """A histogram of seconds, for what every request passes: 1 µs, where the SDK's takes 6.

    The SDK reads, cleans and sorts all attributes each time; here the names are given once and the
    values are the key of a series. The exporter reads them with all other metrics.

    Args:
        attributes: Names, in the order in which ``record`` is given the values.
    """

    def __init__(self, name: str, description: str, attributes: tuple[str, ...]) -> None:
        self.name = name
        self._description = description
        self.attributes = attributes
        self._since = time.time_ns()
        self._series: dict[tuple[str | int, ...], tuple[list[int], list[float]]] = {}

    def record(self, seconds: float, *values: str | int) -> None:
        """Count one duration.

        Args:
            values: Of the attributes; an empty or zero one is left out.
        """
        series = self._series.get(values)
        if series is None:
            if len(self._series) >= _SERIES_LIMIT:
                values = ()
            series = self._series.setdefault(values, ([0] * (len(_SECONDS) + 1), [0.0]))
        counts, total = series
        counts[bisect_left(_SECONDS, seconds)] += 1
        total[0] += seconds

    def metric(self) -> Metric:
        """All that was counted since the process began."""
        now = time.time_ns()
        points = [
            HistogramDataPoint(
                attributes={k: v for k, v in zip(self.attributes, values, strict=False) if v},
                start_time_unix_nano=self._since,
                time_unix_nano=now,
                count=sum(counts),
                sum=total[0],
                bucket_counts=list(counts),
                explicit_bounds=_SECONDS,
                min=0.0,  # neither is counted or sent
                max=0.0,
            )
            for values, (counts, total) in list(self._series.items())
        ]
        data = Histogram(points, AggregationTemporality.CUMULATIVE)
        return Metric(self.name, self._description, "s", data)


server_durations = Durations(
    "http.server.request.duration",
    "Duration of served requests",
    ("http.request.method", "http.route", "http.response.status_code"),
)
client_durations = Durations(
    "http.client.request.duration",
    "Duration of attempts to call a system",
    (
        "headrace.system",
        "http.request.method",
        "server.address",
        "server.port",
        "http.response.status_code",
        "error.type",
    ),
)
_meter.create_observable_gauge(
    "process.uptime", [lambda _: [metrics.Observation(time.monotonic() - _STARTED)]], unit="s"
)
flows_ended = _meter.create_counter("headrace.flows.ended", description="Flows by outcome")
flows_parked = _meter.create_counter("headrace.flows.parked", description="Stops by reason")
webhooks_filled = _meter.create_counter(
    "headrace.webhooks.filled", description="Events found in the provider's list only"
)
inbox_applied = _meter.create_counter("headrace.inbox.applied", description="Rows by verdict")


def configure(service: str, *, endpoint: str, readers: Sequence[MetricReader] = ()) -> None:
    """Send the metrics of this process every ten seconds; nothing where no endpoint is given."""
    used = list(readers)
    if endpoint:
        exporter = OtlpMetricExporter(endpoint)
        used.append(PeriodicExportingMetricReader(exporter, export_interval_millis=10_000))
    if used:
        resource = Resource({"service.name": service})
        metrics.set_meter_provider(MeterProvider(used, resource=resource))


class OtlpMetricExporter(MetricExporter):
    """Metrics as OTLP/JSON over HTTP.

    Args:
        endpoint: ``http://collector:4318``; ``/v1/metrics`` is added.

    Source: opentelemetry-proto, OTLP/HTTP, JSON encoding.
    """

    def __init__(self, endpoint: str) -> None:
        super().__init__()
        self._url = endpoint.rstrip("/") + "/v1/metrics"
        self._client = httpx.Client(timeout=5.0, trust_env=False)

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **_kwargs: Any
    ) -> MetricExportResult:
        """Send one collection; what cannot be sent is dropped and said."""
        del timeout_millis
        body = msgspec.json.encode(_otlp(metrics_data, (server_durations, client_durations)))
        try:
            answer = self._client.post(
                self._url, content=body, headers={"Content-Type": "application/json"}
            )
        except httpx.HTTPError as error:
            _log.warning("telemetry.lost", error=type(error).__name__)
            return MetricExportResult.FAILURE
        return MetricExportResult.SUCCESS if answer.is_success else MetricExportResult.FAILURE

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing waits here."""
        del timeout_millis
        return True

    def shutdown(self, timeout_millis: float = 30_000, **_kwargs: Any) -> None:
        """Close the connection."""
        del timeout_millis
        self._client.close()


def _otlp(data: MetricsData, durations: Sequence[Durations]) -> dict[str, Any]:
    """All metrics of the process; ``data`` is never empty, because an uptime is always in it."""
    resource = data.resource_metrics[0]  # a process is one
    scopes = [
        {"scope": {"name": scope.scope.name}, "metrics": [_metric(m) for m in scope.metrics]}
        for scope in resource.scope_metrics
    ]
    ours = {
        "scope": {"name": "headrace"},
        "metrics": [_metric(each.metric()) for each in durations],
    }
    attributes = _attributes(resource.resource.attributes)
    return {
        "resourceMetrics": [
            {"resource": {"attributes": attributes}, "scopeMetrics": [*scopes, ours]}
        ]
    }


def _metric(metric: Metric) -> dict[str, Any]:
    named: dict[str, Any] = {"name": metric.name, "unit": metric.unit or ""}
    data = metric.data
    if isinstance(data, Sum):
        points = [_number(point) for point in data.data_points]
        named["sum"] = {
            "dataPoints": points,
            "aggregationTemporality": data.aggregation_temporality.value,
            "isMonotonic": data.is_monotonic,
        }
    elif isinstance(data, Gauge):
        named["gauge"] = {"dataPoints": [_number(point) for point in data.data_points]}
    elif isinstance(data, Histogram):
        named["histogram"] = {
            "dataPoints": [_histogram(point) for point in data.data_points],
            "aggregationTemporality": data.aggregation_temporality.value,
        }
    return named


def _number(point: NumberDataPoint) -> dict[str, Any]:
    whole = isinstance(point.value, int)
    value = {"asInt": str(point.value)} if whole else {"asDouble": point.value}
    return {**_times(point), **value}


def _histogram(point: HistogramDataPoint) -> dict[str, Any]:
    return {
        **_times(point),
        "count": str(point.count),
        "sum": point.sum,
        "bucketCounts": [str(one) for one in point.bucket_counts],
        "explicitBounds": list(point.explicit_bounds),
    }


def _times(point: NumberDataPoint | HistogramDataPoint) -> dict[str, Any]:
    return {
        "attributes": _attributes(point.attributes or {}),
        "startTimeUnixNano": str(point.start_time_unix_nano or 0),
        "timeUnixNano": str(point.time_unix_nano),
    }


def _attributes(attributes: Any) -> list[dict[str, Any]]:
    return [
        {
            "key": key,
            "value": {"intValue": str(value)}
            if isinstance(value, int) and not isinstance(value, bool)
            else {"stringValue": str(value)},
        }
        for key, value in attributes.items()
    ]
