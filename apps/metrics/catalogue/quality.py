"""How good answers are: evaluations by name and source, refusals, formats, lengths."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import Metric
from apps.metrics.measures import findings as d
from apps.metrics.measures import generations as g

LENS: Final = "Quality"
ROLES: Final = ("product", "engineering")
EVALUATED: Final = ("name", "source")


def scored(key: str, title: str, or_else: str = "") -> Metric:
    """The mean of the evaluations of a name, over all sources or by source."""
    return Metric(
        key,
        title,
        f"Mean of the {key} evaluations, at the time of the response they are about; by source with group_by=source.",
        LENS,
        "score",
        "up",
        f.Mean(*d.scores(key), f.NANO),
        ROLES,
        also=EVALUATED,
        needs=f"evaluation named {key}" + (f", or {or_else}" if or_else else ""),
    )


METRICS: Final = (
    scored("accuracy", "Accuracy"),
    scored("relevance", "Relevance"),
    scored("completeness", "Completeness"),
    scored("coherence", "Coherence"),
    scored("judge_score", "Judge score"),
    scored("faithfulness", "Faithfulness"),
    scored("retrieval_precision", "Retrieval precision", "precision on retrieval"),
    scored("retrieval_recall", "Retrieval recall", "recall on retrieval"),
    Metric(
        "hallucination_rate",
        "Hallucination rate",
        "Evaluations labelled hallucinated, of all evaluations of that name.",
        LENS,
        "ratio",
        "down",
        f.Share(d.hallucinated, d.hallucination_checks),
        ROLES,
        also=EVALUATED,
        needs="evaluation named hallucination with a label",
    ),
    Metric(
        "refusal_rate",
        "Refusal rate",
        "Responses that refuse, of all responses.",
        LENS,
        "ratio",
        "down",
        f.Share(g.refused, g.responses),
        ROLES,
        needs="response_text or refused on llm_response_generated",
    ),
    Metric(
        "format_validity_rate",
        "Valid formats",
        "Responses in a valid format, of those with an expected format.",
        LENS,
        "ratio",
        "up",
        f.Share(g.format_valid, g.format_expected),
        ROLES,
        needs="expected_format and format_valid on llm_response_generated",
    ),
    Metric(
        "response_length_p50",
        "Response length p50",
        "Median number of characters of a response.",
        LENS,
        "count",
        "none",
        f.Percentile(g.response_length, 0.50),
        ROLES,
        needs="response_length or response_text",
    ),
    Metric(
        "response_length_p95",
        "Response length p95",
        "95th percentile of the number of characters of a response.",
        LENS,
        "count",
        "none",
        f.Percentile(g.response_length, 0.95),
        ROLES,
        needs="response_length or response_text",
    ),
)
