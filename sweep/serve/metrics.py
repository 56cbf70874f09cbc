"""Numbers for Prometheus: of the queue, and of the sweeps that run."""

import shutil
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sweep import __version__
from sweep.serve.queue import jobs
from sweep.serve.service import Service

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(service: Service) -> tuple[bytes, str]:
    """Return the numbers as they are now, in Prometheus' text form, and its media type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Numbers(service))
    return generate_latest(registry), CONTENT_TYPE


class _Numbers(Collector):
    def __init__(self, service: Service) -> None:
        self.service = service

    def collect(self) -> Iterator[Metric]:
        service = self.service
        yield _gauge("sweep_build_info", "Version.", {("version", __version__): 1.0})
        counted = {("state", state.value): float(n)
                   for state, n in jobs.counts(service.database).items()}  # fmt: skip
        yield _gauge("sweep_jobs", "Jobs by state.", counted)
        waits = [time.time() - job.created_at for job in jobs.queued(service.database)]
        yield _number("sweep_job_wait_seconds", "Longest wait in the queue.", max(waits, default=0))
        yield _number("sweep_event_clients", "Streams of events.", service.clients.n)
        free = shutil.disk_usage(service.options.results).free
        yield _number("sweep_disk_free_bytes", "Room on the disk of the results.", free)
        yield from _of_sweeps(service)


def _of_sweeps(service: Service) -> Iterator[Metric]:
    progress = GaugeMetricFamily("sweep_progress_ratio", "Epochs done.", labels=["sweep"])
    epochs = CounterMetricFamily("sweep_epochs", "Epochs recorded.", labels=["sweep"])
    ended = CounterMetricFamily("sweep_assignments", "Assignments ended.", labels=["sweep"])
    best = GaugeMetricFamily("sweep_best_score", "Lowest validation score.", labels=["sweep"])
    failed = GaugeMetricFamily("sweep_failed_trials", "Failed trials.", labels=["sweep"])
    crew = GaugeMetricFamily("sweep_workers", "Workers of pools.", labels=["sweep", "state"])
    busy = CounterMetricFamily("sweep_worker_busy_seconds", "Training.", labels=["sweep"])
    for seen in service.looks.all(service.options.results):
        found = seen.look
        if found is None or found.holder is None:
            continue
        done, label = found.progress, [seen.folder.name]
        planned = max(found.epochs_planned - done.epochs_left_out, 1)
        progress.add_metric(label, done.epochs_done / planned)
        epochs.add_metric(label, done.epochs_done)
        ended.add_metric(label, done.assignments_done)
        failed.add_metric(label, done.trials_failed)
        n_lost = len(found.workers) - len(found.at_work)
        for state, n in (("working", len(found.at_work)), ("lost", n_lost)):
            crew.add_metric([*label, state], n)
        busy.add_metric(label, sum(one.busy for one in found.workers))
        if done.best_score is not None:
            best.add_metric(label, done.best_score)
    yield from (progress, epochs, ended, best, failed, crew, busy)


def _gauge(name: str, text: str, values: dict[tuple[str, str], float]) -> Metric:
    labels = list(dict.fromkeys(label for label, _ in values))
    found = GaugeMetricFamily(name, text, labels=labels)
    for (_, value), number in values.items():
        found.add_metric([value], number)
    return found


def _number(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)
