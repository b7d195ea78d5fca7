"""What was found in messages: read in their texts, or told by guardrails."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Metric
from apps.metrics.measures import events as e
from apps.metrics.measures import findings as d

LENS: Final = "Safety"
ROLES: Final = ("product", "engineering", "executive")


def exposed(key: str, title: str, category: str, what: str, *, is_read: bool = True) -> Metric:
    """Messages with at least one hit of a category ÷ all user messages and responses."""
    return Metric(
        key,
        title,
        f"User messages and responses with {what}, of all of them.",
        LENS,
        "ratio",
        "down",
        f.Share(d.hits(category, what), e.messages),
        ROLES,
        needs=f"{'texts of messages, or ' if is_read else ''}guardrail of category {category}",
    )


METRICS: Final = (
    exposed("pii_exposure_rate", "Exposed personal data", "pii", "personal data"),
    exposed(
        "prompt_injection_rate", "Prompt injection", "prompt_injection", "an attempt at prompt injection"
    ),
    exposed("toxicity_rate", "Toxicity", "toxicity", "toxic content"),
    exposed("bias_rate", "Bias", "bias", "biased content", is_read=False),
    Metric(
        "policy_violations",
        "Guardrail events",
        "Everything that guardrails reported; by category with group_by=category.",
        LENS,
        "count",
        "down",
        f.Count(e.violations),
        ROLES,
        without=NO_EVENT_KIND,
        also=("category",),
        needs="guardrail",
    ),
)
