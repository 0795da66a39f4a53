"""Numbers for Prometheus."""

from __future__ import annotations

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

_SHORT = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_LONG = (0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800)


class Metrics:
    """Those of one server, in a registry of their own."""

    def __init__(self) -> None:
        """All at nothing."""
        registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.registry = registry
        self.compositions = Counter(
            "musenet_compositions", "Compositions by final state", ["state"], registry=registry
        )
        self.queue = Gauge("musenet_queue_length", "Compositions that wait", registry=registry)
        self.running = Gauge("musenet_running", "Compositions in the making", registry=registry)
        self.notes = Counter("musenet_notes", "Notes composed", registry=registry)
        self.music = Counter("musenet_music_seconds", "Seconds of music", registry=registry)
        self.first_note = Histogram(
            "musenet_first_note_seconds", "From request to first new note",
            buckets=_SHORT, registry=registry,
        )  # fmt: skip
        self.composing = Histogram(
            "musenet_composing_seconds", "Seconds of composing", buckets=_LONG, registry=registry
        )
        self.renderings = Counter(
            "musenet_renderings", "Files rendered", ["format"], registry=registry
        )
        self.rendering = Histogram(
            "musenet_rendering_seconds", "Seconds of rendering", buckets=_SHORT, registry=registry
        )
        self.requests = Counter(
            "musenet_requests", "Requests answered", ["method", "route", "status"],
            registry=registry,
        )  # fmt: skip
        self.followers = Gauge("musenet_followers", "Open event streams", registry=registry)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)
