"""What model calls cost."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import Metric
from apps.metrics.measures import generations as g
from apps.metrics.measures import sessions as s

LENS: Final = "Cost"
ROLES: Final = ("finance", "engineering", "executive")
METRICS: Final = (
    Metric(
        "cost_total",
        "Cost",
        "Cost of all model calls.",
        LENS,
        "usd",
        "down",
        f.Count(g.cost, g.priced, is_money=True),
        ROLES,
        needs="model and tokens, or cost_usd",
    ),
    Metric(
        "cost_per_request",
        "Cost per request",
        "Cost a response, its inner calls included.",
        LENS,
        "usd",
        "down",
        f.Mean(g.request_cost, g.request_cost_squares, g.requests_with_cost, f.NANO, is_money=True),
        ROLES,
    ),
    Metric(
        "cost_per_session",
        "Cost per session",
        "Cost of the sessions started, a session.",
        LENS,
        "usd",
        "down",
        f.Mean(s.session_cost, s.session_cost_squares, s.sessions, f.NANO, is_money=True),
        ROLES,
    ),
    Metric(
        "cost_per_user",
        "Cost per user",
        "Cost a distinct user active in the same window.",
        LENS,
        "usd",
        "down",
        f.PerUser(g.cost),
        ROLES,
        without=("error_type",),
        needs="user_id",
    ),
    Metric(
        "cost_unpriced_share",
        "Unpriced calls",
        "Model calls with tokens but without a known price.",
        LENS,
        "ratio",
        "down",
        f.Share(g.unpriced, g.priceable),
        ROLES,
    ),
    Metric(
        "usage_suspect_share",
        "Suspect token counts",
        "Model calls whose token counts contradict each other or look counted twice, of those with usage.",
        LENS,
        "ratio",
        "down",
        f.Share(g.suspect, g.with_usage),
        ROLES,
        needs="input_tokens, output_tokens, cached_input_tokens, reasoning_tokens",
    ),
)
