"""Durations: counted by us, exported with all other metrics."""

import json

import pytest
import respx
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricExportResult

from gateway.runtime import metrics
from gateway.runtime.metrics import Durations, OtlpMetricExporter


def _durations() -> Durations:
    return Durations("d", "Of tests", ("route", "status"))


def test_durations_fall_into_the_buckets_of_the_conventions() -> None:
    """A bound belongs to the bucket below it, as OTLP has it; what is longer goes to the last."""
    durations = _durations()

    for seconds in (0.004, 0.005, 0.006, 11.0):
        durations.record(seconds, "/a", 200)

    (point,) = durations.metric().data.data_points
    assert (4, pytest.approx(11.015)) == (point.count, point.sum)  # type: ignore[union-attr] # a histogram
    counts = list(point.bucket_counts)  # type: ignore[union-attr] # the same
    assert ([2, 1], 1) == (counts[:2], counts[-1])
    assert len(counts) == len(point.explicit_bounds) + 1  # type: ignore[union-attr] # the same


def test_each_set_of_values_is_a_series() -> None:
    """What is empty or zero is left out."""
    durations = _durations()
    durations.record(1, "/a", 200)
    durations.record(1, "/a", 0)

    points = durations.metric().data.data_points

    assert [{"route": "/a", "status": 200}, {"route": "/a"}] == [one.attributes for one in points]


def test_too_many_series_become_one() -> None:
    """Nothing that comes from outside can fill the memory, and nothing is left uncounted."""
    durations = _durations()
    for number in range(3000):
        durations.record(1, "/a", number + 1)

    points = durations.metric().data.data_points

    assert 2001 == len(points)
    assert 3000 == sum(one.count for one in points)  # type: ignore[union-attr] # histograms


@respx.mock
def test_exporter_sends_them_with_the_others() -> None:
    """One request, one resource, ours beside those of the SDK."""
    route = respx.post("http://collector.test/v1/metrics").respond(200)
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    provider.get_meter("other").create_counter("flows").add(3)
    data = reader.get_metrics_data()
    assert data is not None
    metrics.server_durations.record(0.2, "GET", "/livez", 200)
    exporter = OtlpMetricExporter("http://collector.test/")

    assert MetricExportResult.SUCCESS is exporter.export(data)

    (resource,) = json.loads(route.calls.last.request.content)["resourceMetrics"]
    names = {one["name"] for scope in resource["scopeMetrics"] for one in scope["metrics"]}
    assert {"flows", "http.server.request.duration", "http.client.request.duration"} == names
    exporter.shutdown()
