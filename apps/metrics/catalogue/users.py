"""Who uses the assistant, and who stays."""

from __future__ import annotations

from typing import Final

from apps.metrics import formulas as f
from apps.metrics.catalogue.metric import NO_EVENT_KIND, Direction, Metric
from apps.metrics.formulas import Formula
from apps.metrics.measures import people as p

LENS: Final = "Users"
ROLES: Final = ("product", "executive")


def share(
    key: str, title: str, about: str, formula: Formula, direction: Direction = "up", needs: str = "user_id"
) -> Metric:
    """Users ÷ users."""
    return Metric(
        key, title, about, LENS, "ratio", direction, formula, ROLES, without=NO_EVENT_KIND, needs=needs
    )


def heads(key: str, title: str, about: str, formula: Formula, roles: tuple[str, ...] = ROLES) -> Metric:
    """A number of users."""
    return Metric(
        key, title, about, LENS, "count", "up", formula, roles, without=NO_EVENT_KIND, needs="user_id"
    )


def retention(days: int) -> Metric:
    """The share of a day's new users who are active on exactly that day after it."""
    return share(
        f"retention_d{days}",
        f"Retention, day {days}",
        f"New users of a day who are active on exactly day {days} after it, dated the day they came; "
        "empty until that day has ended.",
        f.PeopleShare(p.retained(days), p.cohort(days), matures_in_days=days),
    )


METRICS: Final = (
    heads(
        "dau",
        "Daily active users",
        "Distinct users in the local day that ends with the point.",
        f.DistinctUsers(1),
        ("engineering", *ROLES),
    ),
    heads(
        "wau",
        "Weekly active users",
        "Distinct users in the 7 local days that end with the point.",
        f.DistinctUsers(7),
    ),
    heads(
        "mau",
        "Monthly active users",
        "Distinct users in the 30 local days that end with the point.",
        f.DistinctUsers(30),
    ),
    heads("new_users", "New users", "Users first seen.", f.PeopleCount(p.new)),
    retention(1),
    retention(7),
    retention(30),
    share(
        "activation_rate",
        "Activation rate",
        "New users with an activation within 7 days of their first event, of those whose 7 days have passed.",
        f.PeopleShare(p.activated, p.matured, matures_in_days=7),
        needs="activation with user_id",
    ),
    share(
        "churn_rate",
        "Churn rate",
        "Users active in the 30 days before and not in these 30 local days, of those active in the 30 days before.",
        f.PeopleShare(p.lost, p.before, rolling_days=30),
        "down",
    ),
    Metric(
        "time_to_value_p50",
        "Time to value p50",
        "Median time from the first event of a new user to the first goal, activation or verified session.",
        LENS,
        "ms",
        "down",
        f.PeoplePercentile(p.time_to_value, 0.50, 1000),
        ROLES,
        without=NO_EVENT_KIND,
        needs="goal_completed, activation or session_ended with user_id",
    ),
)
