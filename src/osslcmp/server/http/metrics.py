"""Metrics for Prometheus (``prometheus_client``, the extra ``metrics``)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING

from .app import Page, Response
from .events import Answered

if TYPE_CHECKING:
    from prometheus_client.metrics_core import Metric


class Metrics:
    """Counts what happens. Of several processes each shows the sum of all, if ``PROMETHEUS_MULTIPROC_DIR`` names a folder
    that they share when the first of these is made. May be used from many threads at once.

    Raises:
        ImportError: prometheus_client is not installed.
    """

    def __init__(self) -> None:
        try:
            import prometheus_client
            from prometheus_client.multiprocess import MultiProcessCollector
        except ImportError as error:
            raise ImportError("metrics need prometheus-client: pip install 'osslcmp[metrics]'") from error
        # Each process writes into files, if there are several, and whoever is asked reads those of all.
        shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        own = prometheus_client.CollectorRegistry()
        counter = partial(prometheus_client.Counter, registry=own)
        self._messages = counter("osslcmp_messages", "CMP messages by type and answer", ["request", "answer"])
        self._outcomes = counter("osslcmp_events", "What came of them", ["event"])
        self._refusals = counter("osslcmp_refusals", "Refusals by failInfo", ["failure"])
        self._responses = counter("osslcmp_http_responses", "HTTP responses by status", ["status"])
        self._seconds = prometheus_client.Histogram(
            "osslcmp_answer_seconds", "Time to answer a message", registry=own
        )

        def registry() -> prometheus_client.CollectorRegistry:
            if not shared:
                return own
            made = prometheus_client.CollectorRegistry()
            MultiProcessCollector(made)  # type: ignore[no-untyped-call]
            return made

        self._registry = registry
        self._render = prometheus_client.generate_latest
        self._type = prometheus_client.CONTENT_TYPE_LATEST

    def observe(self, answered: Answered) -> None:
        """Count a message and its answer."""
        self._responses.labels(str(answered.status.value)).inc()
        self._seconds.observe(answered.seconds)
        self._messages.labels(*answered.types).inc()
        for event in answered.events:
            self._outcomes.labels(event.event).inc()
            for failure in event.failure if event.event == "refused" else ():
                self._refusals.labels(failure).inc()

    def page(self, open_transactions: Callable[[], int]) -> Page:
        """What answers a GET.

        Args:
            open_transactions: how many wait for their clients.
        """

        def render() -> Response:
            text = self._render(self._registry()) + self._render(_Open(open_transactions()))
            return Response(HTTPStatus.OK, text, (("Content-Type", self._type),))

        return render


class _Open:
    """A registry of one number, which is that of the database: the same in all processes."""

    def __init__(self, count: int) -> None:
        self._count = count

    def collect(self) -> Iterator[Metric]:
        from prometheus_client.metrics_core import GaugeMetricFamily

        yield GaugeMetricFamily(
            "osslcmp_open_transactions", "Transactions that wait for their clients", self._count
        )
