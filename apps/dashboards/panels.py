"""What the pages show, as data: a home is a question and the bands of metrics that answer it.

A further home is one more object here. Navigation, pages and panels derive from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from apps.accounts.models import Role


@dataclass(frozen=True, slots=True)
class Band:
    """A row of tiles, charted below them where `is_charted`."""

    slug: str
    title: str
    about: str
    metrics: tuple[str, ...]
    is_charted: bool = False


@dataclass(frozen=True, slots=True)
class Home:
    """A page of bands for the roles that lead with it."""

    slug: str
    title: str
    question: str
    bands: tuple[Band, ...]
    roles: tuple[Role, ...]


CONVERSATION: Final = Band(
    "conversation",
    "Conversation quality",
    "Are people getting what they came for, and what is that worth?",
    (
        "frustration_spike_rate",
        "recovery_rate",
        "grounding_score",
        "token_efficiency_index",
        "escalation_deflection_value",
    ),
    is_charted=True,
)
OPERATING: Final = Band(
    "operating",
    "Operation",
    "Is it used, fast, stable and affordable?",
    (
        "sessions",
        "dau",
        "cost_total",
        "latency_p95",
        "error_rate",
        "tokens_total",
        "tool_success_rate",
        "human_handoff_rate",
    ),
)
OVERVIEW: Final = Home(
    "overview", "Dashboard", "How the assistant is doing.", (CONVERSATION, OPERATING), tuple(Role)
)
BANDS: Final[dict[str, Band]] = {band.slug: band for band in OVERVIEW.bands}

# What to send so that an empty tile fills: the smallest events that carry the missing fields.
EXAMPLES: Final[dict[str, tuple[dict[str, object], ...]]] = {
    "frustration_spike_rate": (
        {"event": "llm_query_sent", "session_id": "s-1", "frustrated": False},
        {"event": "session_ended", "session_id": "s-1", "outcome": "resolved"},
    ),
    "recovery_rate": (
        {"event": "llm_query_sent", "session_id": "s-1", "frustrated": True},
        {"event": "llm_response_generated", "session_id": "s-1", "response_id": "r-1"},
        {
            "event": "response_feedback",
            "response_id": "r-1",
            "session_id": "s-1",
            "feedback_type": "thumbs_up",
        },
        {"event": "session_ended", "session_id": "s-1", "outcome": "resolved"},
    ),
    "grounding_score": (
        {
            "event": "llm_response_generated",
            "session_id": "s-1",
            "grounding_expected": True,
            "cited_sentences": 4,
            "total_sentences": 5,
        },
    ),
    "token_efficiency_index": (
        {
            "event": "llm_response_generated",
            "session_id": "s-1",
            "model": "gpt-4o",
            "input_tokens": 900,
            "output_tokens": 220,
            "resolution": "resolved",
        },
    ),
    "escalation_deflection_value": (
        {"event": "llm_response_generated", "session_id": "s-1", "model": "gpt-4o"},
        {"event": "session_ended", "session_id": "s-1", "outcome": "resolved"},
    ),
}
