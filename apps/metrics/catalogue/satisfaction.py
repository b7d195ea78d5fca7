"""What people say about answers, at the time and with the dimensions of the answer."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import Metric
from apps.metrics.measures import generations as g

LENS: Final = "Satisfaction"
ROLES: Final = ("product", "executive")

METRICS: Final = (
    Metric(
        "feedback_coverage",
        "Feedback coverage",
        "Responses that were rated, of all responses.",
        LENS,
        "ratio",
        "up",
        f.Share(g.rated, g.responses),
        ROLES,
        needs="response_feedback",
    ),
    Metric(
        "thumbs_up_rate",
        "Thumbs up",
        "Thumbs up, of all thumbs; of several for one response the latest counts.",
        LENS,
        "ratio",
        "up",
        f.Share(g.thumbs_up, g.thumbs),
        ROLES,
        needs="response_feedback of type thumbs_up or thumbs_down",
    ),
    Metric(
        "star_rating",
        "Stars",
        "Mean stars.",
        LENS,
        "score",
        "up",
        f.Mean(g.stars, g.star_squares, g.starred, f.NANO),
        ROLES,
        needs="response_feedback of type stars",
    ),
    Metric(
        "csat",
        "CSAT",
        "Customer satisfaction: scores of 4 and 5, of all answers.",
        LENS,
        "ratio",
        "up",
        f.Share(g.csat_positive, g.csat_answers),
        ROLES,
        needs="response_feedback of type csat",
    ),
    Metric(
        "nps",
        "NPS",
        "Net promoter score, -100 to 100: share of 9 and 10 less share of 0 to 6, times 100.",
        LENS,
        "score",
        "up",
        f.Mean(g.nps_points, g.nps_squares, g.nps_answers),
        ROLES,
        needs="response_feedback of type nps",
    ),
)
