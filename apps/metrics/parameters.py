"""Reading a `Query` from an address's parameters: the same for API and pages."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.http import QueryDict

from apps.accounts.models import Organization
from apps.core.time_buckets import INTERVALS
from apps.metrics.query import MAX_GROUPS, BadQuery, Query
from apps.metrics.series import default_range

FILTER = "filter."
KNOWN = frozenset({"from", "to", "interval", "group_by", "rolling_days", "compare", "limit", "metrics"})


def query_from(
    parameters: QueryDict, organization: Organization, now: datetime, metrics: tuple[str, ...]
) -> Query:
    """The question that the parameters ask; raises `BadQuery` naming the parameter."""
    start, end = default_range(organization, now)
    if parameters.get("to"):
        end = _day(parameters, "to")
        start = min(start, end - timedelta(days=1)) if not parameters.get("from") else start
    if parameters.get("from"):
        start = _day(parameters, "from")
    unknown = [name for name in parameters if name not in KNOWN and not name.startswith(FILTER)]
    if unknown:
        raise BadQuery(400, "unknown_parameter", f"{unknown[0]}: is not a parameter of this address.")
    interval = parameters.get("interval") or "day"
    if interval not in INTERVALS:
        raise BadQuery(400, "bad_interval", f"interval: must be one of {', '.join(INTERVALS)}.")
    compare = parameters.get("compare")
    if compare not in (None, "", "previous"):
        raise BadQuery(400, "bad_compare", "compare: must be `previous`.")
    return Query(
        metrics=metrics,
        start=start,
        end=end,
        interval=interval,
        group_by=tuple(name for name in parameters.get("group_by", "").split(",") if name),
        filters={
            name.removeprefix(FILTER): tuple(parameters.getlist(name))
            for name in parameters
            if name.startswith(FILTER)
        },
        rolling_days=_number(parameters, "rolling_days"),
        compare=compare == "previous",
        limit=_number(parameters, "limit") or MAX_GROUPS,
    )


def _day(parameters: QueryDict, name: str) -> date:
    """A day: ISO 8601; of a full timestamp the date part counts."""
    text = parameters.get(name) or ""
    try:
        day = date.fromisoformat(text[:10])
    except ValueError:
        raise BadQuery(400, "bad_date", f"{name}: must be a date such as 2026-11-20.") from None
    if not 2000 <= day.year <= 2200:
        raise BadQuery(422, "date_out_of_range", f"{name}: must lie between the years 2000 and 2200.")
    return day


def _number(parameters: QueryDict, name: str) -> int | None:
    text = parameters.get(name)
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 6:
        raise BadQuery(400, "bad_number", f"{name}: must be a whole number.")
    return int(text)
