"""The machines behind the assistant."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import CALLS_ONLY, NO_EVENT_KIND, Metric, Unit
from apps.metrics.measures import events as e

LENS: Final = "Operations"
ROLES: Final = ("engineering",)


def sampled(key: str, title: str, field: str, words: str, unit: Unit, measured_in: str = "") -> Metric:
    """The mean of the samples of a resource."""
    return Metric(
        key,
        title,
        f"Mean of the samples{measured_in}.",
        LENS,
        unit,
        "none",
        f.Mean(*e.samples(field, words), f.NANO),
        ROLES,
        without=NO_EVENT_KIND,
        also=("service",),
        needs=f"resource_usage with {field}",
    )


METRICS: Final = (
    Metric(
        "throughput_per_minute",
        "Throughput",
        "Calls a minute of the point that has passed.",
        LENS,
        "count",
        "none",
        f.PerMinute(e.calls),
        ROLES,
        without=CALLS_ONLY,
        needs="llm_response_generated, model_call, tool_call or retrieval",
    ),
    Metric(
        "uptime",
        "Uptime",
        "Heartbeats that say up, of all heartbeats.",
        LENS,
        "ratio",
        "up",
        f.Share(e.heartbeats_up, e.heartbeats),
        (*ROLES, "executive"),
        without=NO_EVENT_KIND,
        also=("service",),
        needs="heartbeat",
    ),
    sampled("gpu_utilisation", "GPU utilisation", "gpu_utilisation", "GPU utilisation", "ratio"),
    sampled("cpu_utilisation", "CPU utilisation", "cpu_utilisation", "CPU utilisation", "ratio"),
    sampled("memory_used", "Memory used", "memory_bytes", "memory in bytes", "count", ", in bytes"),
)
