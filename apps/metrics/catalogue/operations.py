"""The machines behind the assistant."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import CALLS_ONLY, NO_EVENT_KIND, Metric
from apps.metrics.measures import events as e

LENS: Final = "Operations"
ROLES: Final = ("engineering",)

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
    Metric(
        "gpu_utilisation",
        "GPU utilisation",
        "Mean of the samples.",
        LENS,
        "ratio",
        "none",
        f.Mean(*e.samples("gpu_utilisation", "GPU utilisation"), f.NANO),
        ROLES,
        without=NO_EVENT_KIND,
        also=("service",),
        needs="resource_usage with gpu_utilisation",
    ),
    Metric(
        "cpu_utilisation",
        "CPU utilisation",
        "Mean of the samples.",
        LENS,
        "ratio",
        "none",
        f.Mean(*e.samples("cpu_utilisation", "CPU utilisation"), f.NANO),
        ROLES,
        without=NO_EVENT_KIND,
        also=("service",),
        needs="resource_usage with cpu_utilisation",
    ),
    Metric(
        "memory_used",
        "Memory used",
        "Mean of the samples, in bytes.",
        LENS,
        "count",
        "none",
        f.Mean(*e.samples("memory_bytes", "memory in bytes"), f.NANO),
        ROLES,
        without=NO_EVENT_KIND,
        also=("service",),
        needs="resource_usage with memory_bytes",
    ),
)
