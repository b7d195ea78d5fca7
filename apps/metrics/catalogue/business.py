"""What the assistant earns against what it costs."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Metric
from apps.metrics.measures import events as e
from apps.metrics.measures import generations as g
from apps.metrics.measures import people as p
from apps.metrics.measures import sessions as s

LENS: Final = "Business"
ROLES: Final = ("finance", "executive")

METRICS: Final = (
    Metric(
        "goal_completion_rate",
        "Goal completion",
        "Closed sessions with a completed goal.",
        LENS,
        "ratio",
        "up",
        f.Share(s.with_goal, s.closed_sessions),
        (*ROLES, "product"),
        needs="goal_completed",
    ),
    Metric(
        "revenue",
        "Revenue",
        "Sum of the amounts of revenue events.",
        LENS,
        "usd",
        "up",
        f.Count(e.revenue, e.payments, is_money=True),
        ROLES,
        without=NO_EVENT_KIND,
        needs="revenue with amount_usd",
    ),
    Metric(
        "revenue_per_user",
        "Revenue per user",
        "Revenue a distinct user active in the same window.",
        LENS,
        "usd",
        "up",
        f.PerUser(e.revenue),
        ROLES,
        without=NO_EVENT_KIND,
        needs="revenue with amount_usd, and user_id",
    ),
    Metric(
        "margin",
        "Margin",
        "Revenue less the cost of model calls, of revenue.",
        LENS,
        "ratio",
        "up",
        f.Margin(e.revenue, g.cost, e.payments),
        ROLES,
        without=NO_EVENT_KIND,
        needs="revenue with amount_usd",
    ),
    Metric(
        "ltv",
        "Lifetime value",
        "Revenue a user and 30 days, times margin, by churn rate; over the 30 local days that end with the point.",
        LENS,
        "usd",
        "up",
        f.LifetimeValue(e.revenue, g.cost, p.lost, p.before),
        ROLES,
        without=NO_EVENT_KIND,
        needs="revenue with amount_usd, and user_id",
    ),
    Metric(
        "cost_per_interaction",
        "Cost per interaction",
        "Cost of the sessions started, a turn.",
        LENS,
        "usd",
        "down",
        f.CostPer(s.session_cost, s.turns),
        ROLES,
        needs="model and tokens, or cost_usd",
    ),
)
